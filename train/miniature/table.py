"""The experiment's figures as Markdown, every seed shown."""

from __future__ import annotations

from collections.abc import Sequence

from ...outputs.markdown import table
from ..outcomes import Change
from .experiment import ArmResult, SeedResult

ARMS = (
    *("seed", "arm", "answers", "per fact", "all facts", "right on wrong facts"),
    *("all facts lost/gained", "p", "answers lost/gained", "p"),
)
HEAD_TO_HEAD = (
    *("all facts: only answer-only/only perception", "p"),
    *("answers: only answer-only/only perception", "p"),
)


def as_markdown(results: Sequence[SeedResult]) -> str:
    """Three tables: arms against the base model; head to head at the end, and a third of the way.

    `lost/gained` counts problems against the base model; p is McNemar's exact test, two-sided.
    `right on wrong facts` counts right answers beside at least one wrong fact.
    """
    arms = [arm for one in results for arm in (one.answer_only, one.perception)]
    seeds = [one.perception.seed for one in results]
    ends = [(one.facts, one.answers) for one in results]
    early = [(one.early_facts, one.early_answers) for one in results]
    return "\n\n".join(
        [
            table(ARMS, [_base(arms[0]), *map(_arm, arms)]),
            _duels("seed, at the end", seeds, ends),
            _duels("seed, a third of the way", seeds, early),
        ]
    )


def _duels(title: str, seeds: Sequence[int], changes: Sequence[tuple[Change, Change]]) -> str:
    rows = [
        (seed, *_change(facts), *_change(answers))
        for seed, (facts, answers) in zip(seeds, changes, strict=True)
    ]
    return table((title, *HEAD_TO_HEAD), rows)


def _base(arm: ArmResult) -> tuple[str, ...]:
    before = _share(arm.answers.before / arm.answers.problems)
    all_facts = _share(arm.facts.before / arm.facts.problems)
    return ("", "base", before, _share(arm.base_fact), all_facts, "", "", "", "", "")


def _arm(arm: ArmResult) -> tuple[str, ...]:
    shares = (_share(share) for share in (arm.answer, arm.fact, arm.all_facts))
    lucky = f"{arm.lucky} of {arm.answers.after}"
    return (str(arm.seed), arm.arm, *shares, lucky, *_change(arm.facts), *_change(arm.answers))


def _change(change: Change) -> tuple[str, str]:
    return f"{change.lost}/{change.gained}", f"{change.p_value:.1g}"


def _share(share: float) -> str:
    return f"{share:.3f}".removeprefix("0")
