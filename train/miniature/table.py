"""The experiment's figures as Markdown, every seed shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..outcomes import Change
from .experiment import ArmResult, SeedResult

ARMS = [
    *("seed", "arm", "answers", "per fact", "all facts", "right on wrong facts"),
    *("all facts lost/gained", "p", "answers lost/gained", "p"),
]
HEAD_TO_HEAD = [
    *("seed", "all facts: only answer-only/only perception", "p"),
    *("answers: only answer-only/only perception", "p"),
]


def as_markdown(results: Sequence[SeedResult]) -> str:
    """Two tables: each arm of each seed against the base model, and the arms head to head.

    `lost/gained` counts problems against the base model; p is McNemar's exact test, two-sided.
    `right on wrong facts` counts right answers beside at least one wrong fact.
    """
    arms = [arm for one in results for arm in (one.answer_only, one.perception)]
    duels = [
        [str(one.perception.seed), *_change(one.facts), *_change(one.answers)] for one in results
    ]
    return "\n\n".join(
        [_table(ARMS, [_base(arms[0]), *map(_arm, arms)]), _table(HEAD_TO_HEAD, duels)]
    )


def _base(arm: ArmResult) -> list[str]:
    before = _share(arm.answers.before / arm.answers.problems)
    all_facts = _share(arm.facts.before / arm.facts.problems)
    return ["", "base", before, _share(arm.base_fact), all_facts, "", "", "", "", ""]


def _arm(arm: ArmResult) -> list[str]:
    shares = (_share(share) for share in (arm.answer, arm.fact, arm.all_facts))
    lucky = f"{arm.lucky} of {arm.answers.after}"
    return [str(arm.seed), arm.arm, *shares, lucky, *_change(arm.facts), *_change(arm.answers)]


def _change(change: Change) -> list[str]:
    return [f"{change.lost}/{change.gained}", f"{change.p_value:.1g}"]


def _share(share: float) -> str:
    return f"{share:.3f}".removeprefix("0")


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
