"""The cheap filters, that ask no model: what happens to each row of the annotated set, and why.

A row leaves at the first check that it fails:

    no_correct_trajectory    nothing confirms the reference answer
    too_few_annotations      the visual reward would have nothing to ask for
    no_image, unreadable_image, image_too_small, image_too_large
    duplicate                `duplicates.py` says of what
    contaminated             `contamination.py` says with what

Memory holds what rows are compared by and never the rows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ..outputs.rows import read_rows
from ..schemas.config import FilterConfig
from ..schemas.progress import OnProgress, Progress
from ..schemas.records import AnnotatedProblem, VisualAnnotation
from .checks import Drop, picture_hashes, too_few, unverified, usable_annotations
from .duplicates import DuplicateIndex, problem_signature
from .evaluation_sets import EvaluationSet
from .selection import Candidate


@dataclass
class Decisions:
    """What happens to each row.

    Attributes:
        drops: in the order of the rows; None for a row that is left.
        candidates: the rows that are left, as the selection sees them.
        pictures: by id, the perceptual hashes of the pictures of a row that is left.
        overlaps: by what rows overlap with an evaluation set -> rows.
    """

    drops: list[Drop | None] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    pictures: dict[str, list[int]] = field(default_factory=dict)
    overlaps: Counter[str] = field(default_factory=Counter)


def read_problems(config: FilterConfig) -> Iterator[AnnotatedProblem]:
    """The rows of the annotated set, up to the limit."""
    return islice(read_rows(Path(config.annotated), AnnotatedProblem), config.limit)


async def decide(
    config: FilterConfig, evaluation: EvaluationSet, total: int, on_progress: OnProgress
) -> Decisions:
    """What the checks say of each row.

    Args:
        config: what is checked.
        evaluation: problems that must not be trained on.
        total: how many rows there are, for the progress.
        on_progress: told after each row.
    """
    decisions = Decisions()
    kept = DuplicateIndex()
    for done, problem in enumerate(read_problems(config), 1):
        decisions.drops.append(_drop(problem, config, evaluation, kept, decisions))
        on_progress(Progress(done, total))
        await asyncio.sleep(0)  # a Ctrl-C is heard
    return decisions


def _drop(
    problem: AnnotatedProblem,
    config: FilterConfig,
    evaluation: EvaluationSet,
    kept: DuplicateIndex,
    decisions: Decisions,
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
    decisions.pictures[problem.id] = hashes
    return None


def _stratum(problem: AnnotatedProblem, usable: Sequence[VisualAnnotation]) -> str:
    """Source and most frequent kind of annotation: what the selection keeps the proportions of."""
    kinds = Counter[str](annotation.kind for annotation in usable)
    dominant = min(kinds, key=lambda kind: (-kinds[kind], kind)) if kinds else "no annotation"
    return f"{problem.source or '(no source)'} / {dominant}"
