"""A row as it stands: what the stage wrote, with the decisions of a person applied in order."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ..schemas.outcomes import RewardBreakdown, VerdictWord
from ..schemas.records import REVIEWER, AnnotationKind, PairedOutcome
from .decisions import Decision

Decided = Literal["accepted", "rejected"]


class ReviewText(NamedTuple):
    """A text that annotations are read against: a trajectory, or a judged completion."""

    id: str
    text: str
    model: str | None = None
    is_correct: bool | None = None


class ReviewAnnotation(NamedTuple):
    """An annotation as it stands.

    Attributes:
        key: how decisions name it (`Choice.target`).
        origin: kept by the stage, rejected by it, or added by a person.
        text_id, start, end: where its quote lies; None where no quote is known.
        support: how many trajectories state it; None where the stage does not say.
        reason: why the stage rejected it.
        weight: its share of the visual reward; None before `pr1 filter`.
        decided: by a person.
        was: its statement before a person edited it.
        verdict: of the judge; decided_verdict: of a person.
    """

    key: str
    statement: str
    kind: AnnotationKind
    origin: Literal["kept", "rejected", "added"]
    text_id: str | None = None
    start: int | None = None
    end: int | None = None
    support: int | None = None
    reason: str | None = None
    in_question: bool = False
    equals_answer: bool = False
    weight: float | None = None
    extractor: str | None = None
    decided: Decided | None = None
    was: str | None = None
    verdict: VerdictWord | None = None
    decided_verdict: VerdictWord | None = None

    @property
    def is_in(self) -> bool:
        """Whether the corrected set holds it."""
        if self.decided is not None:
            return self.decided == "accepted"
        return self.origin != "rejected"


class ReviewRow(NamedTuple):
    """A row as it stands.

    Attributes:
        number: its place in the folder, from 0.
        pictures: how many it has.
        annotations: kept ones, added ones, rejected ones.
        is_done: a person went on from it.
        broken: why it cannot be shown, or None.
    """

    number: int
    id: str
    question: str = ""
    choices: list[str] | None = None
    answer: str = ""
    pictures: int = 0
    texts: list[ReviewText] = []
    annotations: list[ReviewAnnotation] = []
    bucket: str | None = None
    paired: PairedOutcome | None = None
    reward: RewardBreakdown | None = None
    source: str | None = None
    license: str | None = None
    comment: str = ""
    is_done: bool = False
    broken: str | None = None


def with_decisions(row: ReviewRow, decisions: Sequence[Decision]) -> ReviewRow:
    """The row after the decisions, which are those that count (`ReviewLog.counting`)."""
    by_key = {annotation.key: annotation for annotation in row.annotations}
    comment, is_done = "", False
    for decision in decisions:
        if decision.action == "comment":
            comment = decision.text or ""
        elif decision.action == "done":
            is_done = True
        elif decision.action == "add":
            added = _added(decision)
            by_key[added.key] = added
        elif decision.target in by_key:
            by_key[decision.target] = _decided(by_key[decision.target], decision)
    order = {"kept": 0, "added": 1, "rejected": 2}
    annotations = sorted(by_key.values(), key=lambda annotation: order[annotation.origin])
    return row._replace(annotations=annotations, comment=comment, is_done=is_done)


def _added(decision: Decision) -> ReviewAnnotation:
    return ReviewAnnotation(
        key=f"n{decision.number}",
        statement=_in_one_line(decision.statement),
        kind=decision.kind or "other",
        origin="added",
        text_id=decision.trajectory_id,
        start=decision.start,
        end=decision.end,
        extractor=REVIEWER,
        decided="accepted",
    )


def _decided(annotation: ReviewAnnotation, decision: Decision) -> ReviewAnnotation:
    if decision.action == "accept":
        return annotation._replace(decided="accepted", decided_verdict=annotation.verdict)
    if decision.action == "reject":
        return annotation._replace(decided="rejected")
    if decision.action == "verdict":
        return annotation._replace(decided_verdict=decision.verdict)
    was = annotation.statement if annotation.was is None else annotation.was
    return annotation._replace(
        statement=_in_one_line(decision.statement) or annotation.statement,
        kind=decision.kind or annotation.kind,
        was=was,
        decided="accepted",
    )


def _in_one_line(statement: str | None) -> str:
    """The words as an annotation holds them; they go into prompts, so nothing hidden is in them."""
    return " ".join("".join(filter(_is_shown, statement or "")).split())


def _is_shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
