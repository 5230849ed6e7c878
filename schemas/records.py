"""The records of the dataset stages: problems, trajectories, visual annotations, rows.

They flow `collect -> annotate -> filter -> train`. A record is immutable and knows no field but its
own, so a misspelt or outdated file fails where it is read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

AnnotationKind = Literal[
    "length",
    "angle",
    "relation",
    "shape",
    "label",
    "text",
    "count",
    "colour",
    "position",
    "value",
    "other",
]
AnswerOrigin = Literal["given", "self"]
Finish = Literal["stop", "length"]
RejectionReason = Literal[
    "quote_not_found",
    "malformed",
    "not_stated",
    "not_visual",
    "unclear",
    "computation",
    "deduction",
    "conclusion",
    "taken_back",
    "not_atomic",
    "low_support",
    "not_extracted",
    "by_reviewer",
]

Condition = Literal["a", "b", "s", "blind"]
Bucket = Literal[
    "mastered",
    "perception-limited",
    "annotations-hurt",
    "reasoning-limited",
    "undetermined",
    "blind-solved",
]

REVIEWER = "reviewer"  # the extractor of an annotation that a person wrote or rewrote

NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Real = Annotated[float, Field(allow_inf_nan=False)]


class Record(BaseModel):
    """An immutable record without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(Record):
    """A record that is a line of a file by itself, and therefore carries its version."""

    schema_version: Literal[1] = 1


class ProblemImage(Record):
    """An encoded picture, laid out as `datasets.Image` stores it.

    Attributes:
        bytes: the encoded file (PNG, JPEG, WebP, GIF or BMP).
        path: the file's name without folders, or None.
    """

    bytes: bytes
    path: str | None = None


class Problem(Row):
    """A multimodal problem: image, question, reference answer.

    Attributes:
        id: unique within a dataset.
        question: the question as the source states it, image placeholders removed.
        choices: the texts of the options in the order A, B, C, ..., or None.
        answer: the reference answer: a value, a choice's text, or a choice's letter.
        answer_origin: `given` by the source, or `self`: taken from a trajectory, in which case
            checking the trajectory against it proves nothing.
        images: at least one for a problem that reaches a row.
        source: the dataset or benchmark that the problem comes from.
        license: the terms of that source, as it states them.
        metadata: the source's other columns, as text.
    """

    id: NonEmpty
    question: str
    choices: list[str] | None = None
    answer: NonEmpty
    answer_origin: AnswerOrigin = "given"
    images: list[ProblemImage] = []
    source: str | None = None
    license: str | None = None
    metadata: dict[str, str] = {}


class Trajectory(Record):
    """A chain-of-thought text about one problem, written by a stronger model.

    Attributes:
        text: the chain of thought with its answer, verbatim.
        model: the model that wrote it, as `provider/model` or as the source names it.
        sampling: how it was sampled (`temperature`, `seed`, ...), or None when unknown.
        answer: the answer found in the text, or None.
        is_correct: whether that answer equals the reference; None when it could not be compared.
        finish: `length` when a token limit cut the text; None when unknown.
    """

    id: NonEmpty
    problem_id: NonEmpty
    text: str
    model: str | None = None
    sampling: dict[str, Any] | None = None
    answer: str | None = None
    is_correct: bool | None = None
    finish: Finish | None = None


class VisualAnnotation(Record):
    """One atomic fact that is read off the image, with the words that state it.

    Attributes:
        id: 1..m within its problem.
        statement: the fact in plain words and symbols, e.g. `GE = 10`.
        quote: `trajectory.text[start:end]` of the trajectory `trajectory_id`.
        start: offset of the quote's first character.
        end: offset behind its last character.
        support: how many of the problem's trajectories state the fact (1 or more).
        in_question: the question states it already.
        equals_answer: it is the reference answer itself, as in reading a chart or counting.
        extractor: who proposed it: `rules`, `embedded`, `provider/model`, or `reviewer`.
        prompt_hash: sha256 of the prompt's template, or None for `rules`.
    """

    id: int = Field(ge=1)
    statement: NonEmpty
    kind: AnnotationKind
    quote: str
    trajectory_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    support: int = Field(default=1, ge=1)
    in_question: bool = False
    equals_answer: bool = False
    extractor: str
    prompt_hash: str | None = None


class RejectedAnnotation(Record):
    """A proposed annotation that did not pass validation, kept for review.

    Attributes:
        reason: the first check that it failed.
        extractor: who proposed it.
    """

    statement: str
    quote: str
    trajectory_id: str
    reason: RejectionReason
    extractor: str


class AnnotatedProblem(Problem):
    """A problem with its trajectories and what was extracted from them: `annotate`'s row.

    `collect` writes the same row with `annotations` and `rejected` empty.
    """

    trajectories: list[Trajectory]
    annotations: list[VisualAnnotation] = []
    rejected: list[RejectedAnnotation] = []


class TrainAnnotation(Record):
    """A visual annotation as the reward sees it.

    Attributes:
        weight: its share in the visual reward before normalisation, above 0.
    """

    id: int = Field(ge=1)
    statement: NonEmpty
    kind: AnnotationKind
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class RolloutCounts(Record):
    """What became of a problem's rollouts, by condition.

    Attributes:
        tried: all that were graded, `cut` ones among them; those are wrong.
        unscored: those that could not be graded; in none of the other three.
    """

    solved: dict[Condition, int]
    tried: dict[Condition, int]
    cut: dict[Condition, int]
    unscored: dict[Condition, int]


class Confirmation(RolloutCounts):
    """What fresh rollouts of a problem that seemed perception-limited showed.

    Attributes:
        p_value: the larger of two, for `b` being no better than `a` and no better than `s`.
        q_value: false-discovery rate among all problems that were confirmed or not.
        is_confirmed: whether it is at most the level of the pass.
    """

    p_value: Unit
    q_value: Unit
    is_confirmed: bool


class PairedOutcome(RolloutCounts):
    """What the paired difficulty pass found for one problem.

    The counts are those of the rollouts that it was chosen by.

    Attributes:
        threshold: the solve rate above which it counts as solved.
        posterior: by condition, the probability that the solve rate exceeds the threshold.
        p_value: one-sided, for `b` being no better than `a`; None where one of them has no rollout.
        q_value: false-discovery rate among all problems tested.
        confirmation: of a candidate for `perception-limited`; None for the others.
        effect: solve rate under `b` minus under `a`, on fresh rollouts only.
    """

    threshold: Unit
    posterior: dict[Condition, Unit]
    p_value: Unit | None
    q_value: Unit | None
    bucket: Bucket
    confirmation: Confirmation | None = None
    effect: Real | None = None
    effect_ci: tuple[Real, Real] | None = None


class TrainRow(Row):
    """A problem as the trainer sees it: `filter`'s row.

    Attributes:
        annotations: those that the reward asks for; `equals_answer` and `in_question` ones are left
            out.
        bucket: the paired difficulty pass's verdict, or None when it has not run.
        paired: what that pass found, or None.
    """

    id: NonEmpty
    question: str
    choices: list[str] | None = None
    answer: NonEmpty
    images: list[ProblemImage]
    annotations: list[TrainAnnotation]
    bucket: str | None = None
    paired: PairedOutcome | None = None
    source: str | None = None
    license: str | None = None
