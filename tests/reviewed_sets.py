"""Small folders to review, as `pr1 annotate`, `pr1 filter` and `pr1 judge` write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotated_sets import annotated, picture

from pr1.outputs.folder import StageFolder
from pr1.review.decisions import Choice
from pr1.schemas.config import RunConfig
from pr1.schemas.outcomes import JudgedRow, JudgeFailure, Judgement, RewardBreakdown, Verdict
from pr1.schemas.records import (
    AnnotatedProblem,
    RejectedAnnotation,
    TrainAnnotation,
    Trajectory,
    VisualAnnotation,
)

TEXT = "I see that AB = 5 and that the bar is red. So CD = 9."


def trajectories(id_: str) -> list[Trajectory]:
    return [
        Trajectory(id=f"{id_}-{name}", problem_id=id_, text=TEXT, is_correct=is_correct)
        for name, is_correct in (("t1", True), ("t2", True), ("t3", False))
    ]


def visual(id_: int, statement: str, quote: str, trajectory: str, **changes: Any) -> Any:
    start = TEXT.index(quote)
    values: dict[str, Any] = {
        "statement": statement,
        "kind": "length",
        "quote": quote,
        "trajectory_id": trajectory,
        "start": start,
        "end": start + len(quote),
        "support": 2,
        "extractor": "rules",
    }
    return VisualAnnotation(id=id_, **values | changes)


def rejection(trajectory: str, **changes: Any) -> RejectedAnnotation:
    values = {"statement": "CD = 9", "quote": "CD = 9", "reason": "deduction", "extractor": "rules"}
    return RejectedAnnotation(trajectory_id=trajectory, **values | changes)


def problem(number: int, **changes: Any) -> AnnotatedProblem:
    id_ = f"p{number}"
    values: dict[str, Any] = {
        "id": id_,
        "question": "How long is EF?",
        "answer": "4",
        "images": [picture(number)],
        "source": "geo",
        "license": "MIT",
        "trajectories": trajectories(id_),
        "annotations": [
            visual(1, "AB = 5", "AB = 5", f"{id_}-t1"),
            visual(2, "The bar is red", "the bar is red", f"{id_}-t2", kind="colour"),
        ],
        "rejected": [rejection(f"{id_}-t1"), rejection(f"{id_}-t2", quote="nowhere")],
    }
    return AnnotatedProblem(**values | changes)


def annotated_set(out: Path, *rows: AnnotatedProblem) -> Path:
    return annotated(out, list(rows) or [problem(number) for number in range(3)])


def judged_row(number: int, words: list[str] | None = None, **changes: Any) -> JudgedRow:
    id_ = f"c{number}"
    judgement = {"completion_id": id_, "judge": "rules"}
    said = ["reflected", "absent"] if words is None else words
    verdicts = [Verdict(annotation_id=n, verdict=word) for n, word in enumerate(said, 1)]
    values: dict[str, Any] = {
        "id": id_,
        "question": "How long is EF?",
        "answer": "4",
        "completion": TEXT,
        "annotations": [
            TrainAnnotation(id=1, statement="AB = 5", kind="length"),
            TrainAnnotation(id=2, statement="The bar is red", kind="colour"),
        ],
        "judgement": Judgement(verdicts=verdicts, **judgement),
        "reward": RewardBreakdown(
            format=1.0, accuracy=0.0, visual=0.5, repetition=None, total=None
        ),
    }
    if words == []:
        failure = JudgeFailure(reason="it broke", attempts=3, cause="completion")
        values["judgement"] = Judgement(failure=failure, **judgement)
    return JudgedRow(**values | changes)


def judged_set(out: Path, *rows: JudgedRow) -> Path:
    with StageFolder.start(
        out,
        stage="judge",
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=False,
        row_model=JudgedRow,
        command="pr1 judge",
    ) as folder:
        written = rows or (judged_row(0), judged_row(1))
        for row in written:
            folder.write_row(row)
        folder.finish(read=len(written))
    return out


def choose(row: str, action: Any, **values: Any) -> Choice:
    return Choice(row=row, action=action, **values)
