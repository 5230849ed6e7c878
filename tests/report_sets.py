"""Finished folders of every dataset stage to make reports of, each row as the caller wants it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotated_sets import fact, picture, problem

from pr1.outputs.folder import StageFolder
from pr1.outputs.rows import past_stages
from pr1.schemas.config import RunConfig
from pr1.schemas.manifest import Dropped, Failure
from pr1.schemas.outcomes import JudgedRow, Judgement, RewardBreakdown, Verdict
from pr1.schemas.records import (
    AnnotatedProblem,
    RejectedAnnotation,
    Row,
    TrainAnnotation,
    TrainRow,
    Trajectory,
)


def annotated_row(text: str, number: int = 0) -> AnnotatedProblem:
    """A problem every text of which is `text`."""
    one = Trajectory(id="t", problem_id="p", text=text, model=text, answer=text, is_correct=True)
    rejected = RejectedAnnotation(
        statement=text, quote=text, trajectory_id="t", reason="deduction", extractor=text
    )
    return problem(
        number,
        id=f"{text} {number}",
        question=text,
        choices=[text, "B"],
        answer=text,
        source=text,
        license=text,
        metadata={text: text},
        trajectories=[one, one.model_copy(update={"id": "u"})],
        annotations=[fact(statement=text, quote=text, support=2)],
        rejected=[rejected],
    )


def train_row(text: str, number: int = 0) -> TrainRow:
    """A training row every text of which is `text`."""
    return TrainRow(
        id=f"{text} {number}",
        question=text,
        choices=[text, "B"],
        answer=text,
        images=[picture(number)],
        annotations=[TrainAnnotation(id=1, statement=text, kind="length")],
        bucket=text,
        source=text,
        license=text,
    )


def judged_row(text: str, number: int = 0, verdict: Any = "reflected") -> JudgedRow:
    """A judged completion every text of which is `text`."""
    return JudgedRow(
        id=f"{text} {number}",
        question=text,
        choices=[text, "B"],
        answer=text,
        completion=text,
        annotations=[TrainAnnotation(id=1, statement=text, kind="length")],
        judgement=Judgement(
            completion_id="c", verdicts=[Verdict(annotation_id=1, verdict=verdict)], judge="rules"
        ),
        reward=RewardBreakdown(
            format=1, accuracy=1, visual=verdict == "reflected", repetition=None, total=None
        ),
    )


def finished(
    out: Path,
    stage: str,
    rows: Sequence[Row],
    row_model: type[Row],
    *,
    text: str = "a reason",
    source: Path | None = None,
) -> Path:
    """A folder with the rows, one record dropped and one failed, whose texts are `text`."""
    with StageFolder.start(
        out,
        stage=stage,
        config=RunConfig(),
        parents={text: "a" * 64},
        prompts={text: "b" * 64},
        history=past_stages(source) if source else [],
        overwrite=True,
        row_model=row_model,
        command=f"pr1 {stage} {text}",
    ) as folder:
        for row in rows:
            folder.write_row(row)
        folder.drop(Dropped(id=text, stage=stage, reason=text, detail=text))
        folder.fail(Failure(id=text, stage=stage, error=text, message=text))
        folder.finish(read=len(rows) + 2, facts={text: text}, rejected_by_reason={text: 7})
    return out


def of_every_stage(folder: Path, text: str) -> list[Path]:
    """Four folders every text of which is `text`."""
    collected = annotated_row(text).model_copy(update={"annotations": [], "rejected": []})
    rows: list[tuple[str, Row]] = [
        ("collect", collected),
        ("annotate", annotated_row(text)),
        ("filter", train_row(text)),
        ("judge", judged_row(text)),
    ]
    made: list[Path] = []
    for stage, row in rows:
        source = made[-1] if made else None
        out = folder / stage
        made.append(finished(out, stage, [row], type(row), text=text, source=source))
    return made
