r"""What a statement says, reduced to what two wordings of one fact have in common.

`AB = 5`, `$\overline{BA}$ is 5 units long` and "side AB measures five" are one fact: the name AB,
the number 5. Names are points in any order, but an angle keeps its vertex; numbers are compared by
value; relation words by their meaning; other words only where the rest does not decide.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ...notation import to_plain

NUMBER_WORDS = {
    word: float(value)
    for value, word in enumerate(
        "zero _ two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    word: 10.0 * tens
    for tens, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
RELATIONS = {
    "parallel": r"∥|//|parallel|平行",
    "perpendicular": r"⊥|perpendicular|垂直",
    "tangent": r"tangent|切",
    "bisects": r"bisect|平分",
    "midpoint": r"mid-?point|中点",
    "diameter": r"diameter|直径",
    "radius": r"radi(?:us|i)|半径",
    "congruent": r"≅|congruent|全等",
    "similar": r"∼|similar|相似",
    "right angle": r"right[ -]angle",
    "not": r"\bno(?:t|thing)?\b|\bnever\b|\bwithout\b|[不没无]",
}
_RELATION = {name: re.compile(form, re.IGNORECASE) for name, form in RELATIONS.items()}
_NUMBER = re.compile(r"(?<![A-Za-z_\d.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![A-Za-z_\d])\d*\.?\d+")
_NAME = re.compile(
    r"(?P<angle>∠|\b[Aa]ngles? )?\s?(?<![A-Za-z])(?P<letters>[A-Z](?:[A-Z]|'|\d(?!\d))*)(?![a-z])"
    r"|(?:∠|\b[Aa]ngles? )\s?(?P<numbered>\d)\b",
)
_WORD = re.compile(r"[a-zα-ω]+|[\u4e00-\u9fff]")
_FILLER = frozenset(
    "a an the is are was were be been of to in on at by it its and with has have had there this "
    "that these those as for from equal equals measure measures length degrees degree units unit "
    "value side sides segment angle angles given labelled labeled marked shown "
    "both each also which long number about s m cm bar chart figure graph picture image diagram "
    "shows reads height still here now only just".split()
)


class Fact(NamedTuple):
    """What a statement says.

    Attributes:
        names: points, segments and angles, e.g. `AB`, `∠ABC`.
        numbers: by value.
        relations: by meaning; a denial is among them.
        words: the other words that carry meaning, plurals folded.
    """

    names: frozenset[str]
    numbers: frozenset[float]
    relations: frozenset[str]
    words: frozenset[str]


@lru_cache(maxsize=4096)
def read_fact(statement: str) -> Fact:
    """What the statement says, LaTeX or plain."""
    text = to_plain(statement).text
    article = re.compile(r"^\s*A (?=[a-z])")
    text = article.sub("", text)
    names = frozenset(filter(None, map(_name, _NAME.finditer(text))))
    without_names = _NAME.sub(" ", text)
    lowered = without_names.lower()
    words = [word for word in _WORD.findall(lowered) if word not in _FILLER]
    spelt = {NUMBER_WORDS[word] for word in words if word in NUMBER_WORDS}
    return Fact(
        names=names,
        numbers=frozenset({_value(n) for n in _NUMBER.findall(without_names)} | spelt),
        relations=frozenset(name for name, form in _RELATION.items() if form.search(text)),
        words=frozenset(word.rstrip("s") for word in words if word not in NUMBER_WORDS),
    )


def numbers_with_places(text: str) -> list[tuple[float, int]]:
    """The numbers written in digits in a plain text, and where each starts."""
    return [(_value(match[0]), match.start()) for match in _NUMBER.finditer(text)]


def last_number(statement: str) -> float | None:
    """The number that a statement ends on: the value that it states."""
    numbers = _NUMBER.findall(to_plain(statement).text)
    return _value(numbers[-1]) if numbers else None


def is_same(a: Fact, b: Fact) -> bool:
    """Whether two statements state one fact, as far as words can tell."""
    if (a.names, a.numbers, a.relations) != (b.names, b.numbers, b.relations):
        return False
    if a.names and (a.numbers or a.relations):
        return True
    return a.words <= b.words or b.words <= a.words


def is_within(fact: Fact, text: Fact) -> bool:
    """Whether a longer text holds all that the fact says."""
    if not (fact.names <= text.names and fact.numbers <= text.numbers):
        return False
    if not fact.relations <= text.relations:
        return False
    if fact.names and (fact.numbers or fact.relations):
        return True
    return bool(fact.words) and fact.words <= text.words


def _name(match: re.Match[str]) -> str:
    if match["numbered"]:
        return f"∠{match['numbered']}"
    letters = match["letters"]
    if letters in ("I",):
        return ""
    if match["angle"] and len(letters) > 1:
        return "∠" + min(letters, letters[::-1])
    return "".join(sorted(letters)) if letters.isalpha() else letters


def _value(number: str) -> float:
    return float(number.replace(",", ""))
