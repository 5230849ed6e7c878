"""Folders that fill the review page: quotes with formulas, contradictions, rejections, verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotated_sets import annotated, picture
from reviewed_sets import judged_row, judged_set

from pr1.schemas.records import (
    AnnotatedProblem,
    RejectedAnnotation,
    Trajectory,
    VisualAnnotation,
)

FIRST = r"The figure shows that $\overline{AB} = 5$ and BC = 12. So AC = 13."
SECOND = "From the picture AB = 7, and the angle at B is right. Hence AC = 13."


def quoted(id_: int, text: str, quote: str, trajectory_id: str, **more: Any) -> VisualAnnotation:
    start = text.index(quote)
    values: dict[str, Any] = {"statement": quote, "kind": "length", "extractor": "rules"}
    return VisualAnnotation(
        id=id_,
        quote=quote,
        trajectory_id=trajectory_id,
        start=start,
        end=start + len(quote),
        **values | more,
    )


def problem(number: int, **changes: Any) -> AnnotatedProblem:
    values: dict[str, Any] = {
        "id": f"p{number}",
        "question": "How long is AC?",
        "answer": "13",
        "images": [picture(number)],
        "source": "geo",
        "license": "MIT",
        "trajectories": [
            Trajectory(id="t1", problem_id=f"p{number}", text=FIRST, is_correct=True, model="a/b"),
            Trajectory(id="t2", problem_id=f"p{number}", text=SECOND, is_correct=True),
        ],
        "annotations": [
            quoted(1, FIRST, r"$\overline{AB} = 5$", "t1", statement="AB = 5"),
            quoted(2, FIRST, "BC = 12", "t1"),
        ],
        "rejected": [
            RejectedAnnotation(
                statement="AC = 13",
                quote="AC = 13",
                trajectory_id="t1",
                reason="computation",
                extractor="rules",
            )
        ],
    }
    return AnnotatedProblem(**values | changes)


def contradicting(number: int) -> AnnotatedProblem:
    """A problem of whose trajectories one says AB = 5, the other AB = 7."""
    plain = problem(number)
    return plain.model_copy(
        update={"annotations": [*plain.annotations, quoted(3, SECOND, "AB = 7", "t2")]}
    )


def annotated_folder(out: Path, rows: int = 4) -> Path:
    """Rows `p0`, `p1`, ...; `p1` contradicts itself."""
    return annotated(out, [contradicting(n) if n == 1 else problem(n) for n in range(rows)])


def judged_folder(out: Path, rows: int = 3) -> Path:
    """Rows `c0`, `c1`, ...; the second annotation of `c2` is contradicted."""
    words = ("reflected", "absent", "contradicted")
    return judged_set(out, *(judged_row(n, ["reflected", words[n % 3]]) for n in range(rows)))
