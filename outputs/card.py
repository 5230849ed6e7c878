"""The dataset card: README.md with the front matter that the hub and `datasets` read.

The card's facts come from the manifest and from the rows. Whatever text the data brought (a
source's name, say) is shown as a code span, in which Markdown and HTML mean nothing: what a
template prints is one unless it says otherwise (`markdown.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ..schemas.manifest import Manifest
from .citation import citation
from .licenses import HubLicense, hub_license
from .lineage import making, stages_table, version_of
from .markdown import Markdown, bullets, code, fill, table
from .paired_card import paired_section
from .sources import source_terms
from .tally import RowTally

_SIZES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
]


def render_card(manifest: Manifest, tally: RowTally, name: str, rows: str) -> str:
    """The card's text: front matter and Markdown.

    Args:
        manifest: of the run.
        tally: of the rows written.
        name: the folder's name, for the loading example.
        rows: pattern of the row files. `datasets` caches a local folder by what the front matter
            says, so the pattern must be another one for other rows.
    """
    texts = _texts()[manifest.stage]
    version = version_of(manifest)
    values = {
        "front_matter": front_matter(
            title=texts["title"],
            terms=_terms(tally),
            rows=tally.rows,
            pattern=rows,
        ),
        "title": Markdown(texts["title"]),
        "what": Markdown(texts["what"]),
        "version": version,
        "tally": tally,
        "name": Markdown("".join(c for c in name if c.isalnum() or c in "-_. ") or "OUT"),
        "first": Markdown(_first(manifest.stage)),
        "uses": bullets(texts["uses"]),
        "misuses": bullets(texts["misuses"]),
        "making": making(manifest),
        "stages": stages_table(manifest),
        "counts": _counts(manifest),
        "rejected": _rejected(manifest),
        "figures": _facts({key: v for key, v in manifest.facts.items() if key != "paired"}),
        "paired": Markdown(paired_section(manifest)),
        "annotations": _annotations(tally),
        "trajectories": _trajectories(tally),
        "sources": sources_table(tally.sources.most_common(200)),
        "limits": bullets(_limits(texts["limits"], manifest, tally)),
        "citation": citation(version),
    }
    return fill(__package__, "dataset_card.md.j2", values)


def front_matter(*, title: str, terms: HubLicense, rows: int, pattern: str) -> Markdown:
    """The card's YAML, as the hub reads it.

    Args:
        title: the set's name for people.
        terms: licences of the sources.
        rows: how many there are.
        pattern: of the row files.
    """
    fields: dict[str, Any] = {"pretty_name": title, **license_fields(terms)}
    fields |= {
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "tags": ["pr1", "perception-r1", "multimodal-reasoning", "visual-annotations"],
        "annotations_creators": ["machine-generated"],
        "size_categories": [next((label for bound, label in _SIZES if rows < bound), "n>10M")],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": pattern}]}
        ],
    }
    return Markdown(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))


def license_fields(terms: HubLicense) -> dict[str, Any]:
    """The licence in a card's front matter."""
    one = terms.identifiers[0] if len(terms.identifiers) == 1 else terms.identifiers
    if not terms.other_names:
        return {"license": one}
    return {"license": one, "license_name": "-and-".join(terms.other_names)[:90]}


def sources_table(
    sources: Iterable[tuple[tuple[str | None, str | None], int]],
) -> Markdown:
    """The sources with the licences that the rows state, and what is known of them besides.

    Args:
        sources: ((source, licence), rows), the most frequent first.
    """
    rows = [
        (_stated(source), _stated(license_), _known(source, license_), count)
        for (source, license_), count in sources
    ]
    return table(("source", "licence", "known", "rows"), rows) if rows else Markdown("")


def _stated(text: str | None) -> str:
    return "(not stated)" if text is None else code(text)


def _known(source: str | None, license_: str | None) -> str:
    terms = source_terms(source, license_)
    said = [terms.refusal or terms.warning]
    if not terms.is_stated and terms.license:
        said.insert(0, f"{terms.license}")
    text = "; ".join(part for part in said if part)
    return f"{text} ({terms.url})" if terms.url and text else text


def _terms(tally: RowTally) -> HubLicense:
    return hub_license(source_terms(*source).license for source in tally.sources)


@cache
def _texts() -> dict[str, Any]:
    text = (resources.files(__package__) / "card_texts.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _first(stage: str) -> str:
    if stage == "judge":
        return 'rows[0]["judgement"]["verdicts"]'
    return 'rows[0]["images"][0]  # a decoded picture'


def _counts(manifest: Manifest) -> Markdown:
    counts = manifest.counts
    rows: list[tuple[str, object]] = [
        ("read", counts.read),
        (f"in the {counts.rows:,} rows", counts.in_rows),
        *((f"dropped: {code(why)}", count) for why, count in counts.dropped_by_reason.items()),
        *((f"failed: {code(why)}", count) for why, count in counts.failed_by_error.items()),
    ]
    return table(("input records", "number"), rows)


def _rejected(manifest: Manifest) -> Markdown:
    rejected = manifest.counts.rejected_by_reason
    if not rejected:
        return Markdown("")
    rows = ((code(why), count) for why, count in rejected.items())
    return table(("proposed annotation rejected", "number"), rows)


def _facts(facts: Mapping[str, Any]) -> Markdown:
    plain = [(name, value) for name, value in facts.items() if not isinstance(value, Mapping)]
    tables = [(name, value) for name, value in facts.items() if isinstance(value, Mapping)]
    parts = []
    if plain:
        rows = ((name.replace("_", " "), _shown(value)) for name, value in plain)
        parts.append(table(("figure", "value"), rows))
    for name, values in tables:
        rows = ((code(str(key)), _shown(value)) for key, value in values.items())
        parts.append(table((name.replace("_", " "), "value"), rows))
    return Markdown("\n\n".join(parts))


def _annotations(tally: RowTally) -> Markdown:
    if not tally.kinds:
        return Markdown("")
    parts: list[str] = [table(("kind", "annotations"), tally.kinds.most_common())]
    if tally.support:
        parts.append(table(("trajectories that state it", "annotations"), _sorted(tally.support)))
        parts.append(
            f"{tally.in_question:,} are stated in the question, too (`in_question`); "
            f"{tally.equals_answer:,} are the answer itself (`equals_answer`)."
        )
    parts.append(table(("annotations in a row", "rows"), _sorted(tally.annotations_per_row)))
    return Markdown("\n\n".join(parts))


def _trajectories(tally: RowTally) -> Markdown:
    models = [
        ("(not stated)" if model is None else code(model), count)
        for model, count in tally.trajectory_models.most_common(50)
    ]
    return table(("written by", "trajectories"), models) if models else Markdown("")


def _limits(general: list[str], manifest: Manifest, tally: RowTally) -> list[str]:
    limits = list(general)
    if manifest.stage in ("annotate", "filter"):
        limits.append(_reviewed(manifest))
    # A training row no longer says where its answer came from; its stage counted it.
    self_answered = tally.self_answered or manifest.facts.get("self_answered", 0)
    if self_answered:
        limits.append(
            f"{self_answered:,} of {tally.rows:,} rows took their reference answer from the "
            "trajectory itself (`answer_origin` is `self`): that it is right proves nothing there."
        )
    return limits


def _reviewed(manifest: Manifest) -> str:
    stages = (*manifest.history, manifest)
    rows = max(stage.facts.get("rows_reviewed", 0) for stage in stages)
    if not rows:
        return "No person has reviewed the annotations."
    return f"Persons reviewed {rows:,} rows with `pr1 review`, and none of the others."


def _shown(value: object) -> str:
    return (
        f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else code(str(value))
    )


def _sorted(counts: Counter[int]) -> list[tuple[int, int]]:
    return sorted(counts.items())
