"""What is counted of one problem's rollouts: solved, tried, cut, unscored, condition by condition.

    a       the image                         b       the image and the annotations as text
    s       the image and the annotations of another problem: the control
    blind   no image

Rollouts have two uses that never mix. The *selected* ones (`a`, `b`, perhaps `blind`) say what a
problem is like; the *fresh* ones (`a`, `b`, `s`), sampled afterwards and of candidates only, say
whether that was luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...schemas.records import Condition


class Graded(NamedTuple):
    """One rollout, graded.

    Attributes:
        is_correct: None when grading failed.
        is_cut: the token limit cut the completion.
    """

    is_correct: bool | None
    is_cut: bool = False


class Counts(NamedTuple):
    """The rollouts of one problem under one condition.

    Attributes:
        solved: right answers in complete texts.
        tried: all that count: right, wrong, without an answer, cut.
        cut: those that the token limit cut. They are wrong: long texts are cut, and hard problems
            make long texts, so that leaving them out would make a problem look easier than it is.
        unscored: those whose grading failed; in none of the other three.
    """

    solved: int = 0
    tried: int = 0
    cut: int = 0
    unscored: int = 0

    @property
    def rate(self) -> float | None:
        """The share solved, or None where nothing was tried."""
        return self.solved / self.tried if self.tried else None

    @property
    def asked(self) -> int:
        """All rollouts, scored or not."""
        return self.tried + self.unscored

    def without_cut(self) -> Counts:
        """The counts as if the cut rollouts had not been made: for the sensitivity line only."""
        return Counts(self.solved, self.tried - self.cut, 0, self.unscored)

    def plus(self, other: Counts) -> Counts:
        """Both counts together."""
        return Counts(*(mine + its for mine, its in zip(self, other, strict=True)))


def count(rollouts: Iterable[Graded]) -> Counts:
    """The counts of graded rollouts, in any order.

    Example:
        >>> count([Graded(True), Graded(False), Graded(True, is_cut=True), Graded(None)])
        Counts(solved=1, tried=3, cut=1, unscored=1)
    """
    solved = tried = cut = unscored = 0
    for rollout in rollouts:
        if rollout.is_cut:
            cut += 1
        elif rollout.is_correct is None:
            unscored += 1
            continue
        tried += 1
        solved += rollout.is_correct is True and not rollout.is_cut
    return Counts(solved, tried, cut, unscored)


ByCondition = Mapping[Condition, Counts]
NOTHING = Counts()


@dataclass(frozen=True)
class Rolled:
    """One problem with the counts of its rollouts: all that a decision is made from.

    Attributes:
        threshold: the solve rate above which it counts as solved (`thresholds.py`).
        selected: counts under `a` and `b`, and under `blind` where that was asked.
        fresh: counts of the confirmation under `a`, `b` and `s`; empty for all but candidates.
    """

    id: str
    threshold: float
    selected: ByCondition
    fresh: ByCondition = field(default_factory=dict)

    def without_cut(self) -> Rolled:
        """The problem as if its cut rollouts had not been made."""
        return replace(self, selected=_without_cut(self.selected), fresh=_without_cut(self.fresh))


def _without_cut(counts: ByCondition) -> ByCondition:
    return {condition: of_condition.without_cut() for condition, of_condition in counts.items()}
