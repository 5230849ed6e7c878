"""`--as perception-r1`: a training set in the layout of Perception-R1's authors.

Parquet with the columns `images`, `problem`, `answer`, `visual_key_info`, which EasyR1 reads, too:

    images           the pictures
    problem          `<image>` once for each picture, the question, and the choices if there are any
    answer           the reference answer as the row has it: a letter means the choice printed so
    visual_key_info  `<info1>GE = 10</info1>`, a line each, numbered from 1; null if there is none

What that layout has no place for is left behind: identifiers, kinds and weights of annotations,
buckets, sources and licences of single rows. A text that says `<image>` or `<info...>` itself gets
`‹` and `›` for its brackets, so that it cannot break out of its tag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..outputs.card import front_matter, sources_table
from ..outputs.citation import citation
from ..outputs.folder import CARD
from ..outputs.licenses import hub_license
from ..outputs.lineage import making, stages_table, version_of
from ..outputs.markdown import Markdown, fill
from ..outputs.provenance import file_digest
from ..outputs.rows import read_rows
from ..outputs.shards import ShardWriter
from ..outputs.sources import source_terms
from ..schemas.config import config_hash
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from ..schemas.records import AnnotatedProblem, ProblemImage, Record, TrainRow

IMAGE = "<image>"
PROVENANCE = "provenance.json"
_TITLE = "Multimodal problems with visual key information"
_TAG = re.compile(r"<(/?\s*(?:info\s*\d*|image)\s*)>", re.IGNORECASE)


class PerceptionR1Row(Record):
    """A row as Perception-R1's and EasyR1's readers expect it."""

    images: list[ProblemImage]
    problem: str
    answer: str
    visual_key_info: str | None


def export(folder: Path, manifest: Manifest, made: Path) -> dict[str, Path]:
    """The files of the exported set: path in the repository -> the file, written to `made`.

    Raises:
        UsageError: the folder holds neither a training set nor an annotated one.
    """
    (made / "shards").mkdir()
    writer = ShardWriter(made / "shards", PerceptionR1Row)
    sources: Counter[tuple[str | None, str | None]] = Counter()
    for row in _rows(folder, manifest):
        writer.write(as_perception_r1(row))
        sources[row.source, row.license] += 1
    shards = writer.finish()
    digest = config_hash({"shards": [file_digest(shard) for shard in shards]})[:8]
    card, provenance = made / CARD, made / PROVENANCE
    card.write_text(_card(manifest, sources, f"data/train-*-{digest}.parquet"), encoding="utf-8")
    provenance.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    rows = {
        f"data/train-{number:05}-of-{len(shards):05}-{digest}.parquet": shard
        for number, shard in enumerate(shards)
    }
    return {CARD: card, **rows, PROVENANCE: provenance}


def as_perception_r1(row: TrainRow | AnnotatedProblem) -> PerceptionR1Row:
    """The row in the authors' columns.

    Of an annotated problem those annotations are taken that a training set would have: what the
    question states already, or what is the answer itself, earns no reward.
    """
    if isinstance(row, AnnotatedProblem):
        asked = [it for it in row.annotations if not (it.in_question or it.equals_answer)]
        statements = [it.statement for it in asked]
    else:
        statements = [it.statement for it in row.annotations]
    return PerceptionR1Row(
        images=row.images,
        problem=IMAGE * len(row.images) + problem_text(row.question, row.choices),
        answer=row.answer,
        visual_key_info=key_info(statements),
    )


def problem_text(question: str, choices: list[str] | None) -> str:
    """The question, and its choices under their letters.

    Example:
        >>> print(problem_text("How long is AB?", ["3", "4"]))
        How long is AB?
        Choices:
        A. 3
        B. 4
    """
    text = _without_tags(question)
    if not choices:
        return text
    listed = (f"{_letter(place)}. {_without_tags(one)}" for place, one in enumerate(choices))
    return "\n".join([text, "Choices:", *listed])


def key_info(statements: list[str]) -> str | None:
    """The statements as numbered tags, a line each; None for none.

    Example:
        >>> print(key_info(["AB = 5", "a </info2> b"]))
        <info1>AB = 5</info1>
        <info2>a ‹/info2› b</info2>
    """
    lines = (
        f"<info{number}>{' '.join(_without_tags(one).split())}</info{number}>"
        for number, one in enumerate(statements, 1)
    )
    return "\n".join(lines) or None


def _rows(folder: Path, manifest: Manifest) -> Iterator[TrainRow | AnnotatedProblem]:
    if manifest.stage == "filter":
        return read_rows(folder, TrainRow)
    if manifest.stage == "annotate":
        return read_rows(folder, AnnotatedProblem)
    raise UsageError(
        f"{folder} is of `pr1 {manifest.stage}`, which has no visual annotations to export. Give "
        "the folder of `pr1 filter` or `pr1 annotate`."
    )


def _card(manifest: Manifest, sources: Counter[tuple[str | None, str | None]], pattern: str) -> str:
    terms = hub_license(source_terms(*source).license for source in sources)
    values = {
        "front_matter": front_matter(
            title=_TITLE, terms=terms, rows=manifest.counts.rows, pattern=pattern
        ),
        "title": Markdown(_TITLE),
        "rows": manifest.counts.rows,
        "making": making(manifest),
        "stages": stages_table(manifest),
        "sources": sources_table(sources.most_common(200)),
        "citation": citation(version_of(manifest)),
    }
    return fill(__package__, "perception_r1_card.md.j2", values)


def _without_tags(text: str) -> str:
    return _TAG.sub(r"‹\1›", text).strip()


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else f"({place + 1})"
