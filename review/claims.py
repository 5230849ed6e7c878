"""Which number does a short statement give to which thing? `AB = 5` gives 5 to AB.

Precise rather than complete: a statement counts only when it is nothing but a thing, a verb or an
equals sign, and a number. Left out is what two statements may truly say differently: single letters
(`y = 3` and `y = -3` are two lines), "a side", "each bar", things without a name ("the angle").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ..notation import to_plain

_NUMBER_WORDS = {
    word: float(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_VALUE = rf"(?P<value>-?\d[\d,]*(?:\.\d+)?|{'|'.join(_NUMBER_WORDS)})"
_UNIT = r"\s*(?P<unit>°|degrees?|%|percent|[mck]?m|units?|inch(?:es)?|feet|[$€£])?"
_GIVEN = re.compile(
    rf"\s*(?:the\s+)?(?:m\s*(?=∠))?(?P<what>[∠△⊙]?\s*[^\W\d_][\w', -]{{0,60}}?)"
    rf"\s*(?:[=:]|\b(?:is|measures|equals|costs|shows|reads)\b)\s*{_VALUE}{_UNIT}\s*(?:long|wide|high|tall)?\s*\.?\s*",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"\s*there\s+(?:are|is)\s+{_VALUE}(?P<unit>)\s+(?P<what>[a-z][a-z -]{{0,60}}?)\s*\.?\s*",
    re.IGNORECASE,
)
_POINTS = re.compile(r"[∠△⊙]?(?:[A-Z]['′]?){1,4}")
_OF_MANY = frozenset("a an one each every another other some any this that it its".split())
_NAMELESS = frozenset(
    "angle side length height width radius diameter area perimeter slope value number bar base "
    "segment line answer distance".split()
)
_SAME_UNIT = {"degree": "°", "percent": "%", "unit": "", "inche": "inch"}


class Claim(NamedTuple):
    """What a statement says.

    Attributes:
        what: the thing, in one spelling: the letters of a segment or an angle in one direction.
        value: its number.
        unit: as it is named, or empty.
    """

    what: str
    value: float
    unit: str


@lru_cache(maxsize=65_536)
def claim_of(statement: str) -> Claim | None:
    """The number that the statement gives to a thing; None where it says anything else.

    Example:
        >>> claim_of("$BA = 5$"), claim_of("a side is 5")
        (Claim(what='AB', value=5.0, unit=''), None)
    """
    if len(statement) > 200:
        return None
    text = to_plain(statement).text
    match = _GIVEN.fullmatch(text) or _COUNTED.fullmatch(text)
    what = _name(match["what"]) if match else None
    if match is None or what is None:
        return None
    spelt = match["value"].lower()
    value = _NUMBER_WORDS[spelt] if spelt in _NUMBER_WORDS else float(spelt.replace(",", ""))
    unit = (match["unit"] or "").lower().removesuffix("s")
    return Claim(what, value, _SAME_UNIT.get(unit, unit))


def contradictions(stated: Iterable[tuple[str, str | None]]) -> list[tuple[str, ...]]:
    """The groups of statements that give one thing different numbers, in the order of the first.

    Args:
        stated: statements of one problem, each with its trajectory; None where nobody says which.
            Statements of one trajectory do not contradict each other.

    Example:
        >>> contradictions([("AB = 5", "t1"), ("∠A = 40°", "t1"), ("BA = 7", "t2")])
        [('AB = 5', 'BA = 7')]
    """
    said: dict[str, list[tuple[Claim, str, str | None]]] = defaultdict(list)
    for statement, trajectory in stated:
        if claim := claim_of(statement):
            said[claim.what].append((claim, statement, trajectory))
    groups = []
    for claims in said.values():
        disagreeing = {
            statement: None
            for claim, statement, trajectory in claims
            if any(_disagree((claim, trajectory), (other, its)) for other, _, its in claims)
        }
        if disagreeing:
            groups.append(tuple(disagreeing))
    return groups


def _disagree(one: tuple[Claim, str | None], other: tuple[Claim, str | None]) -> bool:
    (claim, trajectory), (its_claim, its_trajectory) = one, other
    if trajectory is not None and trajectory == its_trajectory:
        return False
    if claim.unit and its_claim.unit and claim.unit != its_claim.unit:
        return False
    return claim.value != its_claim.value


def _name(words: str) -> str | None:
    """One spelling for each thing; None for what may be one of several."""
    joined = "".join(words.split())
    if _POINTS.fullmatch(joined):
        sign, letters = (joined[0], joined[1:]) if joined[0] in "∠△⊙" else ("", joined)
        if sign or len(letters) > 1:
            return sign + min(letters, letters[::-1]) if letters.isalpha() else sign + letters
    parts = words.lower().split()
    if len(joined) == 1 or parts[0] in _OF_MANY or parts[-1] in ("not", "about", "at"):
        return None
    return None if len(parts) == 1 and parts[0] in _NAMELESS else " ".join(parts)
