r"""What a statement says, reduced to what two wordings of one fact have in common.

`AB = 5`, `$\overline{BA}$ is 5 units long` and "side AB measures five" are one fact: the name AB,
the number 5. Names are points in any order, but an angle keeps its vertex; numbers are compared by
value; relation words by their meaning; other words only where the rest does not decide. Where the
order decides ("AB > CD", "AB = 1/2 CD", "the red bar is taller than the blue one") it counts.
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
    "parallel": r"∥|//|\|\||parallel|平行",
    "perpendicular": r"⊥|perpendicular|垂直",
    "tangent": r"tangent|切",
    "bisects": r"bisect|平分",
    "midpoint": r"mid-?point|中点",
    "diameter": r"diameter|直径",
    "radius": r"radi(?:us|i)|半径",
    "congruent": r"≅|≌|congruent|全等",
    "similar": r"∼|similar|相似",
    "greater": r">|≥",
    "less": r"<|≤",
    "outside": r"\boutside\b",
    "inside": r"\binside\b",
    "left": r"\bleft\b|左",
    "right": r"\bright\b(?![ -](?:angle|triangle))|右",
    "above": r"\babove\b|\bover\b|上[方面]",
    "below": r"\bbelow\b|\bbeneath\b|\bunder\b|下[方面]",
    "between": r"\bbetween\b|之间",
    "not": r"\bno(?:t|thing)?\b|\bnever\b|\bwithout\b|[不没无]",
}
_RELATION = {name: re.compile(form, re.IGNORECASE) for name, form in RELATIONS.items()}
_RIGHT_ANGLE = re.compile(r"right[ -]angle|直角", re.IGNORECASE)
_COMPARISON = re.compile(
    r"[<>]|\b(?:than|left|right|above|below|before|after|in front|behind)\b|比", re.IGNORECASE
)
_UNIT = re.compile(
    r"(?<=\d) ?(mm|cm|km|m|kg|g|%|inch(?:es)?|ft|feet)\b|(?<=\d) ?(毫米|厘米|千米|米)"
)
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+"
_NUMBER = re.compile(
    rf"\(\s*(?P<pair>-?\d[\d.]*\s*,\s*-?\d[\d.]*)\s*\)"
    rf"|(?<![A-Za-z_\d.])(?P<sign>(?<![\w)°])(?<!\d )-)?(?P<digits>{_DIGITS})"
    rf"(?:(?P<symbol>√\d+|π|[xyzabn](?![A-Za-z]))|\s?/\s?(?P<below>\d+)(?![\d/]))?"
    r"|(?P<root>√\d+)"
)
_NAME = re.compile(
    r"(?P<angle>∠|\b[Aa]ngles? |角)?\s?"
    r"(?<![A-Za-z])(?P<letters>[A-Z](?:[A-Z]|'|\d(?!\d))*)(?![a-z])"
    r"|(?:∠|\b[Aa]ngles? |角)\s?(?P<numbered>\d)\b"
    r"|(?<![A-Za-z\d])(?P<variable>[a-z])(?=\s?[=∥⊥])|[∥⊥]\s?(?P<other>[a-z])\b",
)
_WORD = re.compile(r"[a-zα-ω]+|[\u4e00-\u9fff]")
_FILLER = frozenset(
    "a an the is are was were be been of to in on at by it its and with has have had there this "
    "that these those as for from equal equals measure measures length degrees degree units unit "
    "value side sides segment angle angles given labelled labeled marked shown both each also "
    "which long about s m cm mm km kg bar bars chart figure graph picture image diagram "
    "shows reads height still here now only just 度 角 长 是 为 的".split()
)


class Fact(NamedTuple):
    """What a statement says.

    Attributes:
        names: points, segments, angles and variables, e.g. `AB`, `∠ABC`, `x`.
        numbers: by value; what has none (`√2`, `2x`, a pair of coordinates) as it is written.
        relations: by meaning; a denial is among them.
        words: the other words that carry meaning, plurals folded.
        units: of length, weight and share.
        order: names and words as they follow each other, where that decides; else empty.
    """

    names: frozenset[str]
    numbers: frozenset[float | str]
    relations: frozenset[str]
    words: frozenset[str]
    units: frozenset[str]
    order: tuple[str, ...]


@lru_cache(maxsize=4096)
def read_fact(statement: str) -> Fact:
    """What the statement says, LaTeX or plain."""
    text = re.sub(r"^\s*A (?=[a-z])", "", to_plain(statement).text)
    named = [(match.start(), name) for match in _NAME.finditer(text) if (name := _name(match))]
    rest = _NAME.sub(lambda match: " " * len(match[0]), text)
    spoken = [(m.start(), m[0]) for m in _WORD.finditer(rest.lower()) if m[0] not in _FILLER]
    numbers = {_quantity(match) for match in _NUMBER.finditer(rest)}
    numbers |= {NUMBER_WORDS[word] for _, word in spoken if word in NUMBER_WORDS}
    if _RIGHT_ANGLE.search(text):
        numbers.add(90.0)
    words = [(place, word.rstrip("s")) for place, word in spoken if word not in NUMBER_WORDS]
    has_order = _COMPARISON.search(rest) or (len(named) > 1 and numbers)
    return Fact(
        names=frozenset(name for _, name in named),
        numbers=frozenset(numbers),
        relations=frozenset(name for name, form in _RELATION.items() if form.search(text)),
        words=frozenset(word for _, word in words),
        units=frozenset(next(filter(None, unit)) for unit in _UNIT.findall(text)),
        order=tuple(word for _, word in sorted([*named, *words])) if has_order else (),
    )


def numbers_with_places(text: str) -> list[tuple[float, int]]:
    """The numbers written in digits in a plain text, and where each starts."""
    found = ((_quantity(match), match.start("digits")) for match in _NUMBER.finditer(text))
    return [(number, place) for number, place in found if isinstance(number, float)]


def last_number(statement: str) -> float | str | None:
    """The number that a statement ends on, in digits or in words: the value that it states."""
    text = to_plain(statement).text
    numbers = [(match.start(), _quantity(match)) for match in _NUMBER.finditer(text)]
    spelt = [(m.start(), NUMBER_WORDS.get(m[0])) for m in _WORD.finditer(text.lower())]
    found = [*numbers, *((place, number) for place, number in spelt if number is not None)]
    return max(found)[1] if found else None


def is_same(a: Fact, b: Fact) -> bool:
    """Whether two statements state one fact, as far as words can tell."""
    if (a.names, a.numbers, a.relations) != (b.names, b.numbers, b.relations):
        return False
    if a.order and b.order and not _is_part(a.order, b.order):
        return False
    if a.units and b.units and a.units != b.units:
        return False
    if a.names and (a.numbers or a.relations):
        return True
    return a.words <= b.words or b.words <= a.words


def is_within(fact: Fact, text: Fact) -> bool:
    """Whether a longer statement holds all that the fact says."""
    if not (fact.names <= text.names and fact.numbers <= text.numbers):
        return False
    if not fact.relations <= text.relations:
        return False
    if fact.names and (fact.numbers or fact.relations):
        return True
    return bool(fact.words) and fact.words <= text.words


def _is_part(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether the names and words that both have follow each other alike."""
    common = set(a) & set(b)
    return [word for word in a if word in common] == [word for word in b if word in common]


def _name(match: re.Match[str]) -> str | None:
    if match["numbered"]:
        return f"∠{match['numbered']}"
    variable = match["variable"] or match["other"]
    if variable:
        return variable
    letters = match["letters"]
    if match["angle"] and len(letters) > 1:
        return "∠" + min(letters, letters[::-1])
    return "".join(sorted(letters)) if letters.isalpha() else letters


def _quantity(match: re.Match[str]) -> float | str:
    if match["pair"]:
        return "".join(match["pair"].split())
    if match["root"]:
        return match["root"]
    value = float(match["digits"].replace(",", ""))
    if match["symbol"]:
        return f"{value:g}{match['symbol']}"
    if match["below"] and float(match["below"]):
        value /= float(match["below"])
    return -value if match["sign"] else value
