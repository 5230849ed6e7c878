"""What a text works out on its way: a number or fact that is a result is no reading.

Besides the words that mark a step (`extraction/stance.py`), four things tell: the number is the
result of an operation or of a marked step; it is a measure that is seldom written in a picture (an
area, a rate) and comes after the numbers that it takes; it is the angle that earlier ones leave; or
it is what is asked, and the number that the text ends on.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from ..extraction.clauses import clauses
from ..extraction.stance import Stance, Stances
from .facts import Fact, is_within, numbers_with_places, read_fact
from .wording import LONGEST_STATEMENT, has_operation, is_read_off

MOST_ANGLES = 20

_RESULT = re.compile(r"[=≈] ?[^=≈\d]*$")
_CONVERTED = re.compile(r"\d ?(?:[a-z]{1,4}|°) ?[=≈] ?$")  # 1 h 25 min =
_EQUATION = re.compile(r"(?:=|\bis|\bare|\bequals|\bcomes to) ?-?\d[^,]{0,12}$")
_MEASURE = re.compile(
    r"\b(?:area|perimeter|circumference|volume|rate|speed|acceleration|average|mean|ratio|slope|moment)s?\b",
    re.IGNORECASE,
)
_NEXT_CLAUSE = re.compile(r",| and |，")


class _Step(NamedTuple):
    """A fact that the text works out, and where it has said so."""

    end: int
    fact: Fact


class Steps:
    """The steps of a text.

    Args:
        text: in plain spelling.
        stances: how it puts what it says.
        question: what the question says; its numbers are no results.
    """

    def __init__(self, text: str, stances: Stances, question: Fact) -> None:
        self._text = text
        self._stances = stances
        self._question = question
        self._numbers = numbers_with_places(text)
        self._results = self._numbers_worked_out()
        self._reasoning_start = self._first_step()

    def include(self, statement: str, fact: Fact, stances: set[Stance], end: int) -> bool:
        """Whether what is stated up to `end`, in these stances, is a step."""
        if "derived" in stances:
            return True
        if "given" in stances:
            return self._is_repeated(fact, end) or self._has_result(fact, end)
        if not is_read_off(statement):
            if fact.names and end > self._reasoning_start:
                return True
            if fact.numbers and _MEASURE.search(statement):
                return len(self._before(end) - fact.numbers) >= 2
            if self._is_angle_left(statement, fact, end) or self._is_asked(statement, fact, end):
                return True
        return self._has_result(fact, end)

    def _has_result(self, fact: Fact, end: int) -> bool:
        """Whether one of the numbers has come up as a result before."""
        return any(
            isinstance(number, float) and end > self._results.get(number, len(self._text))
            for number in fact.numbers - self._question.numbers
        )

    def _is_asked(self, statement: str, fact: Fact, end: int) -> bool:
        """Whether the fact gives what is asked for the number that the text ends on."""
        asked = map(_letters, self._question.names)
        if not any(_letters(name) == letters for letters in asked for name in fact.names):
            return False
        if not _EQUATION.search(statement) or len(fact.numbers) != 1:
            return False
        final = {number for number, _ in self._numbers[-1:]}
        news = fact.numbers - self._question.numbers
        return bool(final & news) and len(self._before(end) - final) >= 2

    def _is_angle_left(self, statement: str, fact: Fact, end: int) -> bool:
        """Whether the fact gives an angle that earlier angles of a triangle leave."""
        is_angle = "°" in statement or any(name.startswith("∠") for name in fact.names)
        news = fact.numbers - self._question.numbers
        if not is_angle or len(news) != 1:
            return False
        (angle,) = news
        start = next((place for number, place in self._numbers if number == angle), end)
        known = sorted(number for number in self._before(start) if 0 < number < 180)[:MOST_ANGLES]
        left = {180 - a - b for a, b in combinations(known, 2)} | {(180 - a) / 2 for a in known}
        return angle in left

    def _before(self, end: int) -> set[float]:
        return {number for number, place in self._numbers if place < end}

    def _is_repeated(self, fact: Fact, end: int) -> bool:
        """Whether an earlier step has worked out what is now a premise."""
        return any(end > step.end and is_within(fact, step.fact) for step in self._said)

    @cached_property
    def _said(self) -> list[_Step]:
        """What the text says after `so` or `we get`."""
        found = []
        for clause in clauses(self._text, self._stances.sentences):
            stances = self._stances.over(clause.start, clause.end)
            if "derived" in stances and "given" not in stances:
                found.append(_Step(clause.end, read_fact(clause.statement)))
        return found

    def _numbers_worked_out(self) -> dict[float, int]:
        """The numbers that first appear as a result -> where they do."""
        seen: set[float] = set()
        results: dict[float, int] = {}
        for number, place in self._numbers:
            if number not in seen:
                seen.add(number)
                if self._is_result(place):
                    results[number] = place
        return results

    def _first_step(self) -> int:
        """Where the first result is computed; what is said of points and lines then follows."""
        computed = (place for place in self._results.values() if self._is_computed(place))
        return min(computed, default=len(self._text))

    def _is_result(self, place: int) -> bool:
        return self._stances.at(place) in ("derived", "concluded") or self._is_computed(place)

    def _is_computed(self, place: int) -> bool:
        """Whether a number is the result of an operation that stands before it."""
        start = max(self._stances.sentence_at(place).start, place - LONGEST_STATEMENT)
        before = _NEXT_CLAUSE.split(self._text[start:place])[-1]
        if _CONVERTED.search(before):
            return True
        return bool(has_operation(before) and _RESULT.search(before))


def _letters(name: str) -> set[str]:
    return set(name) - {"∠"}
