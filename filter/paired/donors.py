"""Whose annotations the control condition shows: true of another picture, so a hint that is none.

A policy may do better with annotations because it is told that there is something to see, or
because the prompt is longer. What it gains from another problem's annotations is no perception.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...llm.seeds import sample_seed
from ..pictures import are_near
from ..texts import words


class Donor(NamedTuple):
    """A problem's facts.

    Attributes:
        pictures: perceptual hashes of its pictures.
    """

    id: str
    facts: Sequence[str]
    pictures: Sequence[int]


class Donors:
    """Problems that can lend their facts to others."""

    def __init__(self) -> None:
        self._by_length: defaultdict[int, list[Donor]] = defaultdict(list)

    def add(self, donor: Donor) -> None:
        """Remember a problem."""
        self._by_length[len(donor.facts)].append(donor)

    def find(self, problem: Donor, seed: int) -> Donor | None:
        """Another problem, of another picture, without a fact in common; None when there is none.

        Of those, one with as many facts, or as nearly as many as can be; which one depends on the
        seed.
        """
        stated = _keys(problem)
        return next(
            (
                other
                for other in self._in_order(problem, seed)
                if other.id != problem.id
                and not any(are_near(a, b) for a in problem.pictures for b in other.pictures)
                and stated.isdisjoint(_keys(other))
            ),
            None,
        )

    def _in_order(self, problem: Donor, seed: int) -> Iterator[Donor]:
        """All problems, those with nearly as many facts first, from a random one on."""
        wanted = len(problem.facts)
        for length in sorted(self._by_length, key=lambda length: (abs(length - wanted), length)):
            donors = self._by_length[length]
            start = sample_seed(seed, "donor", problem.id) % len(donors)
            yield from donors[start:]
            yield from donors[:start]


def _keys(donor: Donor) -> set[str]:
    return {" ".join(words(fact)) for fact in donor.facts}
