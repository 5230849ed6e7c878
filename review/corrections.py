"""A row's record with a person's decisions in it."""

from __future__ import annotations

from ..schemas.records import (
    REVIEWER,
    AnnotatedProblem,
    RejectedAnnotation,
    TrainAnnotation,
    TrainRow,
    VisualAnnotation,
)
from .marks import equals_answer, is_in_question
from .state import ReviewAnnotation, ReviewRow


def corrected(
    record: AnnotatedProblem | TrainRow, present: ReviewRow
) -> AnnotatedProblem | TrainRow:
    """The record as the decisions leave it; `present` is the same row with them applied.

    Raises:
        pydantic.ValidationError: a decision holds what no annotation can hold.
    """
    if isinstance(record, AnnotatedProblem):
        return _corrected_problem(record, present)
    return _corrected_training_row(record, present)


def _corrected_problem(record: AnnotatedProblem, present: ReviewRow) -> AnnotatedProblem:
    entering = [one for one in present.annotations if one.is_in]
    left_out = {one.key for one in present.annotations if not one.is_in}
    rejected = [one for place, one in enumerate(record.rejected, 1) if f"r{place}" in left_out]
    rejected += [
        RejectedAnnotation(
            statement=one.statement,
            quote=one.quote,
            trajectory_id=one.trajectory_id,
            reason="by_reviewer",
            extractor=one.extractor,
        )
        for place, one in enumerate(record.annotations, 1)
        if f"a{place}" in left_out
    ]
    annotations = [_visual_annotation(id_, one, record) for id_, one in enumerate(entering, 1)]
    return record.model_copy(update={"annotations": annotations, "rejected": rejected})


def _visual_annotation(
    id_: int, one: ReviewAnnotation, record: AnnotatedProblem
) -> VisualAnnotation:
    if one.origin == "kept":
        before = record.annotations[int(one.key[1:]) - 1]
        if one.was is None:
            return before.model_copy(update={"id": id_})
        changed = {"id": id_, "statement": one.statement, "kind": one.kind, "prompt_hash": None}
        marks = {} if one.statement == before.statement else _marks(one.statement, record)
        return VisualAnnotation.model_validate(
            before.model_dump() | changed | marks | {"extractor": REVIEWER}
        )
    quote, trajectory_id, start, end = _quoted(one, record)
    is_of_proposer = one.origin == "rejected" and one.was is None
    return VisualAnnotation(
        id=id_,
        statement=one.statement,
        kind=one.kind,
        quote=quote,
        trajectory_id=trajectory_id,
        start=start,
        end=end,
        extractor=(is_of_proposer and one.extractor) or REVIEWER,
        **_marks(one.statement, record),
    )


def _quoted(one: ReviewAnnotation, record: AnnotatedProblem) -> tuple[str, str, int, int]:
    """The quote, its trajectory and its place; an empty one where no words state the fact."""
    trajectory_id = one.text_id or ""
    if one.origin == "rejected":
        trajectory_id = record.rejected[int(one.key[1:]) - 1].trajectory_id
    text = next((it.text for it in record.trajectories if it.id == one.text_id), None)
    if text is None or one.start is None or one.end is None:
        return "", trajectory_id, 0, 0
    return text[one.start : one.end], trajectory_id, one.start, one.end


def _marks(statement: str, record: AnnotatedProblem) -> dict[str, bool]:
    return {
        "in_question": is_in_question(statement, record),
        "equals_answer": equals_answer(statement, record),
    }


def _corrected_training_row(record: TrainRow, present: ReviewRow) -> TrainRow:
    annotations = [
        TrainAnnotation(id=id_, statement=one.statement, kind=one.kind, weight=one.weight or 1.0)
        for id_, one in enumerate((one for one in present.annotations if one.is_in), 1)
    ]
    return record.model_copy(update={"annotations": annotations})
