"""The record of a row as a reviewer reads it: its texts, and its annotations by their keys."""

from __future__ import annotations

from ..schemas.outcomes import JudgedRow
from ..schemas.records import AnnotatedProblem, Row, TrainRow
from .state import ReviewAnnotation, ReviewRow, ReviewText

COMPLETION = "completion"


def as_review_row(record: Row, number: int) -> ReviewRow:
    """The record of an annotate, filter or judge row as a page shows it."""
    if isinstance(record, AnnotatedProblem):
        return _annotated(record, number)
    if isinstance(record, TrainRow):
        return _chosen(record, number)
    assert isinstance(record, JudgedRow)
    return _judged(record, number)


def _annotated(record: AnnotatedProblem, number: int) -> ReviewRow:
    texts = [ReviewText(t.id, t.text, t.model, t.is_correct) for t in record.trajectories]
    kept = [
        ReviewAnnotation(
            f"a{place}",
            one.statement,
            one.kind,
            "kept",
            text_id=one.trajectory_id,
            start=one.start,
            end=one.end,
            support=one.support,
            in_question=one.in_question,
            equals_answer=one.equals_answer,
            extractor=one.extractor,
        )
        for place, one in enumerate(record.annotations, 1)
    ]
    by_id = {text.id: text.text for text in texts}
    rejected = []
    for place, one in enumerate(record.rejected, 1):
        start = by_id.get(one.trajectory_id, "").find(one.quote) if one.quote else -1
        rejected.append(
            ReviewAnnotation(
                f"r{place}",
                one.statement,
                "other",
                "rejected",
                text_id=one.trajectory_id if start >= 0 else None,
                start=start if start >= 0 else None,
                end=start + len(one.quote) if start >= 0 else None,
                reason=one.reason,
                extractor=one.extractor,
            )
        )
    return _problem(record, number)._replace(
        texts=texts,
        annotations=kept + rejected,
        source=record.source,
        license=record.license,
    )


def _chosen(record: TrainRow, number: int) -> ReviewRow:
    return _problem(record, number)._replace(
        annotations=[
            ReviewAnnotation(f"a{place}", one.statement, one.kind, "kept", weight=one.weight)
            for place, one in enumerate(record.annotations, 1)
        ],
        bucket=record.bucket,
        paired=record.paired,
        source=record.source,
        license=record.license,
    )


def _judged(record: JudgedRow, number: int) -> ReviewRow:
    verdicts = {one.annotation_id: one.verdict for one in record.judgement.verdicts or []}
    return _problem(record, number)._replace(
        texts=[ReviewText(COMPLETION, record.completion)],
        annotations=[
            ReviewAnnotation(
                f"a{place}",
                one.statement,
                one.kind,
                "kept",
                weight=one.weight,
                verdict=verdicts.get(one.id),
            )
            for place, one in enumerate(record.annotations, 1)
        ],
        reward=record.reward,
    )


def _problem(record: AnnotatedProblem | TrainRow | JudgedRow, number: int) -> ReviewRow:
    """What every kind of row has."""
    return ReviewRow(
        number,
        record.id,
        question=record.question,
        choices=record.choices,
        answer=record.answer,
    )
