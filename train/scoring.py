"""One completion's reward, from what the checks and the judge said of it.

Three states stay apart: a part is scored, scored zero, or None, not scored. The total is None when
a part that counts was not scored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ..answers import AnswerCheck, AnswerItem, check_answer
from ..judge.scores import visual_score
from ..schemas.completion_format import parse_completion
from ..schemas.outcomes import Judgement, RewardBreakdown
from ..schemas.records import TrainAnnotation
from ..schemas.training import RewardConfig

CheckAnswers = Callable[[Sequence[AnswerItem]], Awaitable[list[AnswerCheck]]]

CUT = AnswerCheck(False, "no_answer", None, is_cut=True)


@dataclass(frozen=True, slots=True)
class PolicyCompletion:
    """One completion of the policy, and what it is scored against.

    Attributes:
        tokens: its length in tokens.
        is_cut: the token limit ended it.
        judgement: that came with it, so that the judge need not be asked; else None.
    """

    problem_id: str
    question: str
    choices: tuple[str, ...] | None
    answer: str
    annotations: tuple[TrainAnnotation, ...]
    text: str
    tokens: int
    is_cut: bool
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class ScoredCompletion:
    """A completion with its reward.

    Attributes:
        step: the trainer's global step when it was scored.
        judgement: None where there was nothing to ask.
    """

    step: int
    completion: PolicyCompletion
    breakdown: RewardBreakdown
    judgement: Judgement | None


async def check_accuracy(
    completions: Sequence[PolicyCompletion], check_answers: CheckAnswers
) -> list[AnswerCheck]:
    """Whether each completion's answer equals its problem's, in order.

    A completion that the token limit cut gives no answer, whatever its musings hold. A comparison
    that ran out of time is made once more: the machine may have been busy.

    Args:
        completions: of one call.
        check_answers: the outcome of each item, in order; its errors are passed on.
    """
    checks = [CUT] * len(completions)
    places = [n for n, completion in enumerate(completions) if not completion.is_cut]
    for _ in range(2):
        outcomes = await check_answers([_answer_item(completions[n]) for n in places])
        for n, outcome in zip(places, outcomes, strict=True):
            checks[n] = outcome
        places = [n for n in places if checks[n].reason == "timeout"]
    return checks


def has_usable_reference(answer: str, choices: Sequence[str] | None, question: str) -> bool:
    r"""Whether completions can be compared with this reference answer at all.

    A row for which this is False would never be scored: leave it out before training.

    Example:
        >>> has_usable_reference("2 \\sqrt { 221 }", None, "")
        True
        >>> has_usable_reference("\\frac{1", None, "")
        False
    """
    formula = r"\boxed{\sqrt{x}+y}"  # compared as a formula, whatever the reference
    outcome = check_answer(formula, answer, choices=choices, question=question)
    return outcome.reason != "reference_unparsable"


def reward_breakdown(
    config: RewardConfig,
    completion: PolicyCompletion,
    check: AnswerCheck,
    judgement: Judgement | None,
    *,
    repetition: float,
    length: float,
) -> RewardBreakdown:
    """The parts of a completion's reward, and their weighted total.

    Args:
        config: weights and options.
        completion: with what it is scored against.
        check: of its answer.
        judgement: None where there was nothing to ask.
        repetition: in -2..0.
        length: in -1..0.

    Returns:
        Its `total` lies in `-(2·config.repetition + config.length)` to `config.format +
        config.accuracy + config.visual`. It is None when the judge's service failed, or the answer
        could not be compared, unless that part's weight is 0. A problem without annotations has no
        visual part; its total is the rest.
    """
    is_formatted = parse_completion(completion.text) is not None
    visual = None
    if judgement is not None:
        visual = visual_score(judgement, completion.annotations, config.contradiction_penalty)
    parts = {
        "format": float(is_formatted),
        "accuracy": None if check.is_correct is None else float(check.is_correct),
        "visual": visual,
        "repetition": repetition,
        "length": length,
    }
    missing = {name for name, score in parts.items() if score is None and getattr(config, name)}
    if not completion.annotations:
        missing.discard("visual")
    total = sum(getattr(config, name) * score for name, score in parts.items() if score is not None)
    return RewardBreakdown(
        **parts,
        total=None if missing else total,
        reason=_reason(completion, check, judgement),
    )


def _answer_item(completion: PolicyCompletion) -> AnswerItem:
    return AnswerItem(
        completion.text,
        completion.answer,
        choices=completion.choices,
        question=completion.question,
    )


def _reason(
    completion: PolicyCompletion, check: AnswerCheck, judgement: Judgement | None
) -> str | None:
    """Why a part was not scored, or scored zero without being looked at."""
    reasons = []
    if check.is_cut:
        reasons.append("accuracy: cut")
    elif check.is_correct is None:
        reasons.append(f"accuracy: {check.reason}")
    if not completion.annotations:
        reasons.append("visual: no annotations")
    elif judgement is not None and judgement.failure is not None:
        reasons.append(f"visual: {judgement.failure.reason}")
    return "; ".join(reasons) or None
