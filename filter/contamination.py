"""Overlap with an evaluation set: what must not be trained on.

A problem is contaminated when **either** holds:

- **a picture**: one of its pictures is a near copy (4 of 64 bits) of an evaluation picture,
  whatever is asked about it: its annotations are the facts that the evaluation asks for;
- **the question**: it and one evaluation question share at least half of the 13-word runs of the
  shorter of the two; a question of 8 to 12 words counts as one run.

A text match alone is believed only where the text says something. Questions under 8 words ("Find
x.") are nobody's property; nor are runs that more than 10 evaluation questions hold (instructions
such as "answer with the option's letter"). In both cases the picture decides. The rule prefers to
drop a row too many: a lost row costs little, a leaked one the evaluation.

Source: runs of 13 words as in Brown et al. 2020, appendix C; the half and the two exceptions are
ours, for questions that are short and made from templates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from .pictures import PictureIndex
from .texts import words

RUN_WORDS = 13
LEAST_WORDS = 8
LEAST_SHARE = 0.5
COMMON_RUN = 10


class Overlap(NamedTuple):
    """How a problem overlaps with the evaluation sets.

    Attributes:
        by: `picture`, `question` or `both`.
        detail: with what and how much, for a person to read.
    """

    by: str
    detail: str


class EvaluationIndex:
    """Evaluation problems that can be searched for overlap."""

    def __init__(self) -> None:
        self._places: list[str] = []
        self._runs: list[frozenset[int]] = []
        self._by_run: defaultdict[int, list[int]] = defaultdict(list)
        self._pictures = PictureIndex()

    def add(self, place: str, question: str, pictures: Sequence[int]) -> None:
        """Remember one evaluation problem.

        Args:
            place: names it, e.g. `mathvista.parquet:17`.
            question: its text, or the empty string.
            pictures: perceptual hashes of its pictures.
        """
        number = len(self._places)
        runs = _runs(question)
        self._places.append(place)
        self._runs.append(runs)
        for run in runs:
            # One more than needed to know that a run is common; the rest would only cost memory.
            if len(self._by_run[run]) <= COMMON_RUN:
                self._by_run[run].append(number)
        for picture in pictures:
            self._pictures.add(picture, place)

    def find(self, question: str, pictures: Sequence[int]) -> Overlap | None:
        """How the problem overlaps, or None."""
        details = []
        near = next((found for p in pictures if (found := self._pictures.find(p))), None)
        if near:
            details.append(f"picture of {near.place} ({near.bits} of 64 bits differ)")
        shared = self._shared_question(question)
        if shared:
            details.append(shared)
        if not details:
            return None
        by = "both" if len(details) == 2 else "picture" if near else "question"
        return Overlap(by, "; ".join(details))

    def _shared_question(self, question: str) -> str | None:
        own = self._telling(_runs(question))
        hits = Counter(number for run in own for number in self._by_run.get(run, ()))
        for number, shared in sorted(hits.items(), key=lambda hit: (-hit[1], hit[0])):
            share = shared / min(len(own), len(self._telling(self._runs[number])))
            if share >= LEAST_SHARE:
                return f"question of {self._places[number]} ({share:.0%} of its word runs)"
        return None

    def _telling(self, runs: frozenset[int]) -> frozenset[int]:
        return frozenset(run for run in runs if len(self._by_run.get(run, ())) <= COMMON_RUN)


def _runs(question: str) -> frozenset[int]:
    tokens = words(question)
    if len(tokens) < LEAST_WORDS:
        return frozenset()
    length = min(RUN_WORDS, len(tokens))
    return frozenset(
        hash(tuple(tokens[start : start + length])) for start in range(len(tokens) - length + 1)
    )
