"""The records of what a policy wrote and how it was scored.

Scored, scored zero and not scored are three things: a part of a reward is None when it was not
scored, and 0.0 when it was scored and earned nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .records import (
    Condition,
    Finish,
    NonEmpty,
    PairedOutcome,
    Real,
    Record,
    Row,
    TrainAnnotation,
    Unit,
)

VerdictWord = Literal["reflected", "absent", "contradicted"]
Penalty = Annotated[float, Field(le=0, allow_inf_nan=False)]


class Completion(Row):
    """One text that a policy sampled for a problem.

    Attributes:
        condition: what the policy saw: `a` the image, `b` the image and the annotations, `s` the
            image and another problem's annotations, `blind` no image; None outside the paired pass.
        sample_index: 0-based, within problem and condition.
        tokens: its length in tokens, or None when the server did not say.
    """

    id: NonEmpty
    problem_id: NonEmpty
    model: str
    condition: Condition | None = None
    sample_index: int = Field(ge=0)
    text: str
    finish: Finish
    tokens: int | None = Field(default=None, ge=0)


class Verdict(Record):
    """The judge's word on one annotation of one completion."""

    annotation_id: int = Field(ge=1)
    verdict: VerdictWord


class JudgeFailure(Record):
    """Why a completion has no verdicts.

    Attributes:
        cause: `service`: the judge was down, overloaded or out of budget, and the completion is not
            scored; `completion`: the judge serves others, and this one broke it again and again,
            which earns a visual score of 0: breaking the judge is no escape.
    """

    reason: NonEmpty
    attempts: int = Field(ge=1)
    cause: Literal["service", "completion"]


class Judgement(Row):
    """All verdicts for one completion, or the failure in their place; never both, never neither."""

    completion_id: NonEmpty
    verdicts: list[Verdict] | None = None
    failure: JudgeFailure | None = None
    judge: str
    prompt_hash: str | None = None

    @model_validator(mode="after")
    def _has_one_outcome(self) -> Judgement:
        if (self.verdicts is None) == (self.failure is None):
            raise ValueError("a judgement holds either verdicts or a failure")
        asked = [verdict.annotation_id for verdict in self.verdicts or []]
        if len(asked) != len(set(asked)):
            raise ValueError("a judgement holds one verdict for each annotation")
        return self


class RewardBreakdown(Record):
    """The parts of one completion's reward, unweighted, and their weighted total.

    Attributes:
        repetition, length: 0 or below; the others lie in 0..1.
        total: None when a part that the total needs was not scored.
        reason: why a part was not scored, or was scored zero without being looked at.
    """

    format: Unit | None
    accuracy: Unit | None
    visual: Unit | None
    repetition: Penalty | None
    length: Penalty | None = None
    total: Real | None
    reason: str | None = None


class JudgedRow(Row):
    """A completion with what a judge made of it: the row of `pr1 judge`.

    Attributes:
        annotations: those that were asked.
        reward: its parts as far as they can be had without the policy's tokenizer; no total.
    """

    id: NonEmpty
    question: str = ""
    choices: list[str] | None = None
    answer: NonEmpty
    completion: str
    annotations: list[TrainAnnotation]
    judgement: Judgement
    reward: RewardBreakdown


class ProblemOutcome(Row):
    """What the paired difficulty pass found for one problem: a line of `paired_outcomes.jsonl`."""

    problem_id: NonEmpty
    paired: PairedOutcome
