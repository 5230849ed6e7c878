"""Examples for the page, good and bad: the few rows that show best what a stage did.

A rule scores every row, the highest scores are kept, and ties are broken by the hash of the id: the
same rows are chosen in whatever order they lie, and nobody picked them.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Callable
from typing import Any, NamedTuple

from ..schemas.outcomes import JudgedRow
from ..schemas.records import AnnotatedProblem, Row, TrainRow

MOST_EXAMPLES = 3

Score = tuple[float, ...]


class _Kept(NamedTuple):
    rank: tuple[Any, ...]
    row: Any


class Shelf:
    """The rows that score highest by one rule.

    Attributes:
        title: what they show.
        rule: how they were chosen, in words.
        is_bad: whether they show what went wrong.
    """

    def __init__(
        self, title: str, rule: str, score: Callable[[Any], Score | None], *, is_bad: bool = False
    ) -> None:
        self.title = title
        self.rule = rule
        self.is_bad = is_bad
        self._score = score
        self._kept: list[_Kept] = []

    def offer(self, row: Row) -> None:
        """Keep the row if it scores higher than one of those kept; None is no score."""
        score = self._score(row)
        if score is None:
            return
        digest = hashlib.sha256(getattr(row, "id", "").encode("utf-8", "replace")).digest()
        rank = (tuple(-part for part in score), digest)
        if len(self._kept) < MOST_EXAMPLES or rank < self._kept[-1].rank:
            insort(self._kept, _Kept(rank, row), key=lambda kept: kept.rank)
            del self._kept[MOST_EXAMPLES:]

    @property
    def rows(self) -> list[Any]:
        """The rows kept, the highest score first."""
        return [kept.row for kept in self._kept]


def shelves(stage: str) -> list[Shelf]:
    """Empty shelves for a stage's rows: what went well first."""
    if stage == "collect":
        return [
            Shelf("Solved", "All trajectories are right; those with the most of them.", _solved),
            Shelf("Not solved", "The most wrong trajectories.", _wrong),
        ]
    if stage == "annotate":
        return [
            Shelf(
                "Well supported",
                "No trajectory is wrong, and each annotation is stated by the most trajectories; "
                "then the most annotations.",
                _supported,
            ),
            Shelf(
                "Much rejected", "The most proposed annotations rejected.", _rejected, is_bad=True
            ),
        ]
    if stage == "filter":
        return [
            Shelf(
                "What the perception reward is for",
                "Perception-limited; those that the annotations help most.",
                _helped,
            ),
            Shelf("Much to see", "The most annotations.", _rich),
            Shelf("Little to see", "The fewest annotations.", _poor),
        ]
    return [
        Shelf(
            "Seen and solved",
            "Right answer, every annotation reflected; those with the most of them.",
            _all_reflected,
        ),
        Shelf("Contradicted", "The most contradicted annotations.", _contradicted),
        Shelf("Broke the judge", "Completions that only they make the judge fail on.", _broken),
    ]


def _solved(row: AnnotatedProblem) -> Score | None:
    right = sum(one.is_correct is True for one in row.trajectories)
    return (right,) if right and right == len(row.trajectories) else None


def _wrong(row: AnnotatedProblem) -> Score | None:
    wrong = sum(one.is_correct is False for one in row.trajectories)
    return (wrong,) if wrong else None


def _supported(row: AnnotatedProblem) -> Score | None:
    if not row.annotations or any(one.is_correct is False for one in row.trajectories):
        return None
    support = [one.support for one in row.annotations]
    return (sum(support) / len(support), len(support))


def _rejected(row: AnnotatedProblem) -> Score | None:
    return (len(row.rejected),) if row.rejected else None


def _helped(row: TrainRow) -> Score | None:
    if row.bucket != "perception-limited" or row.paired is None:
        return None
    return (-1.0 if row.paired.effect is None else row.paired.effect,)


def _rich(row: TrainRow) -> Score | None:
    return (len(row.annotations),)


def _poor(row: TrainRow) -> Score | None:
    return (-len(row.annotations),)


def _all_reflected(row: JudgedRow) -> Score | None:
    verdicts = row.judgement.verdicts or []
    is_shown = verdicts and row.reward.accuracy == 1
    is_shown = is_shown and all(one.verdict == "reflected" for one in verdicts)
    return (len(verdicts),) if is_shown else None


def _contradicted(row: JudgedRow) -> Score | None:
    count = sum(one.verdict == "contradicted" for one in row.judgement.verdicts or [])
    return (count,) if count else None


def _broken(row: JudgedRow) -> Score | None:
    return None if row.judgement.failure is None else (row.judgement.failure.attempts,)
