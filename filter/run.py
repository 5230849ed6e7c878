"""`pr1 filter`: an annotated set in, a training set out, and a reason for every row left out.

Two passes over the rows, so that memory holds what rows are compared by and never the rows. The
first decides; a row leaves at the first check that it fails:

    no_correct_trajectory    nothing confirms the reference answer
    too_few_annotations      the visual reward would have nothing to ask for
    no_image, unreadable_image, image_too_small, image_too_large
    duplicate                `duplicates.py` says of what
    contaminated             `contamination.py` says with what
    not_selected             the selection of `--size` rows left it out

The second pass writes. Rows keep the order of the annotated set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..outputs.folder import StageFolder
from ..outputs.provenance import file_hashes
from ..outputs.rows import read_manifest, read_rows
from ..schemas.config import FilterConfig
from ..schemas.errors import UsageError
from ..schemas.manifest import Dropped, Manifest
from ..schemas.progress import OnProgress, Progress, ignore_progress
from ..schemas.records import AnnotatedProblem, TrainAnnotation, TrainRow, VisualAnnotation
from .checks import Drop, picture_hashes, too_few, unverified, usable_annotations
from .duplicates import DuplicateIndex, problem_signature
from .evaluation_sets import EvaluationSet, evaluation_files, read_evaluation_sets
from .selection import Candidate, select


@dataclass
class _Decisions:
    """The first pass: what happens to each row, in the order of the rows."""

    drops: list[Drop | None] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    overlaps: Counter[str] = field(default_factory=Counter)


def filter_problems(
    config: FilterConfig,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the training set written to `out`; its counts say what was dropped and why.

    Two runs with the same configuration over the same inputs write the same rows, byte for byte.

    Args:
        config: what to read and what to keep.
        out: the folder to write.
        overwrite: make a finished folder anew.
        on_progress: told after each row that was examined.

    Raises:
        UsageError: an input is missing, unfinished, of another stage or unreadable, or `out` is
            refused.
    """
    annotated = Path(config.annotated)
    manifest = read_manifest(annotated)
    if manifest.stage != "annotate":
        raise UsageError(
            f"{annotated} was made by `pr1 {manifest.stage}`, and filter reads what `pr1 annotate` "
            "writes. Run `pr1 annotate` first, and give its output folder."
        )
    if out.resolve() == annotated.resolve():
        raise UsageError(f"{out} is the input itself. Name another folder with -o.")
    evaluation = read_evaluation_sets([Path(path) for path in config.decontaminate])
    with StageFolder.start(
        out,
        stage="filter",
        config=config,
        parents=_parents(config),
        prompts={},
        overwrite=overwrite,
        row_model=TrainRow,
    ) as folder:
        total = min(manifest.counts.rows, config.limit or manifest.counts.rows)
        decisions = _decide(config, evaluation, total, on_progress)
        selected = select(decisions.candidates, config.size, config.seed)
        facts: Counter[str] = Counter()
        for problem, drop in zip(_problems(config), decisions.drops, strict=True):
            if drop is None and problem.id not in selected:
                drop = Drop("not_selected", f"{len(selected)} rows were selected by seed")
            if drop is None:
                usable = usable_annotations(problem)
                folder.write_row(_train_row(problem, usable))
                facts["self_answered"] += problem.answer_origin == "self"
                facts["annotations_in_question"] += sum(a.in_question for a in usable)
            else:
                folder.drop(
                    Dropped(id=problem.id, stage="filter", reason=drop.reason, detail=drop.detail)
                )
        return folder.finish(
            read=len(decisions.drops),
            facts=_facts(config, facts, decisions, selected, evaluation),
        )


def _problems(config: FilterConfig) -> Iterator[AnnotatedProblem]:
    return islice(read_rows(Path(config.annotated), AnnotatedProblem), config.limit)


def _decide(
    config: FilterConfig, evaluation: EvaluationSet, total: int, on_progress: OnProgress
) -> _Decisions:
    decisions = _Decisions()
    kept = DuplicateIndex()
    for done, problem in enumerate(_problems(config), 1):
        decisions.drops.append(_drop(problem, config, evaluation, kept, decisions))
        on_progress(Progress(done, total))
    return decisions


def _drop(
    problem: AnnotatedProblem,
    config: FilterConfig,
    evaluation: EvaluationSet,
    kept: DuplicateIndex,
    decisions: _Decisions,
) -> Drop | None:
    usable = usable_annotations(problem)
    if drop := unverified(problem) or too_few(problem, usable, config.min_annotations):
        return drop
    hashes = picture_hashes(problem.images, config)
    if isinstance(hashes, Drop):
        return hashes
    signature = problem_signature(problem, hashes)
    if first := kept.find(signature):
        differs = "" if first.answer == signature.answer else ", whose answer differs"
        return Drop("duplicate", f"of {first.id}{differs}")
    kept.add(signature)
    if overlap := evaluation.index.find(problem.question, hashes):
        decisions.overlaps[overlap.by] += 1
        return Drop("contaminated", overlap.detail)
    decisions.candidates.append(Candidate(problem.id, _stratum(problem, usable)))
    return None


def _stratum(problem: AnnotatedProblem, usable: list[VisualAnnotation]) -> str:
    """Source and most frequent kind of annotation: what the selection keeps the proportions of."""
    kinds = Counter[str](annotation.kind for annotation in usable)
    dominant = min(kinds, key=lambda kind: (-kinds[kind], kind)) if kinds else "no annotation"
    return f"{problem.source or '(no source)'} / {dominant}"


def _train_row(problem: AnnotatedProblem, usable: list[VisualAnnotation]) -> TrainRow:
    return TrainRow(
        id=problem.id,
        question=problem.question,
        choices=problem.choices,
        answer=problem.answer,
        images=problem.images,
        annotations=[
            TrainAnnotation(id=one.id, statement=one.statement, kind=one.kind) for one in usable
        ],
        source=problem.source,
        license=problem.license,
    )


def _parents(config: FilterConfig) -> dict[str, str]:
    parents = file_hashes(Path(config.annotated))
    files = [file for path in config.decontaminate for file in evaluation_files(Path(path))]
    for number, file in enumerate(files, 1):
        ((name, digest),) = file_hashes(file).items()
        parents[f"decontaminate {number}: {name}"] = digest
    return parents


def _facts(
    config: FilterConfig,
    facts: Counter[str],
    decisions: _Decisions,
    selected: set[str],
    evaluation: EvaluationSet,
) -> dict[str, Any]:
    available = Counter(candidate.stratum for candidate in decisions.candidates)
    taken = Counter(c.stratum for c in decisions.candidates if c.id in selected)
    found: dict[str, Any] = dict(+facts)  # without those that are zero
    if config.decontaminate:
        found["evaluation_problems"] = evaluation.problems
        found["evaluation_pictures_not_readable"] = evaluation.unreadable_pictures
        found["contaminated_by"] = dict(sorted(decisions.overlaps.items()))
    if config.size is not None:
        found["selected_of_stratum"] = {
            stratum: f"{taken[stratum]} of {count}" for stratum, count in sorted(available.items())
        }
    return found
