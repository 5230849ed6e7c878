"""When does an extracted annotation count as a labelled fact? The scorer's own rule.

It shares no code with the extraction, so that the two cannot be wrong together. An annotation hits
a fact in one of two ways:

1. **Place and content**: its quote covers at least half of one of the fact's places and is at most
   a sentence longer (`SLACK` characters), so that quoting everything earns nothing; and the two
   statements have the same numbers, the same relation words, the same negation, and at least half
   of the names in common (points and segments in any order of letters; an angle keeps its vertex
   in the middle) or all of their letters ("OP = 10", "O is 10 away from P"). Where one has no name,
   half of the words must agree, unless one is Chinese and the other is not.
2. **The same words**: quote and place are nearly the same run of characters (each covers three
   fifths of the other), and the statement takes its numbers and at least half of its words from
   them. "The red line keeps rising" is then "the line for Spain rises", which the label may put in
   words that stand elsewhere in the text.

Each annotation hits one fact at most and each fact is hit once: a duplicate is a false positive.
Not seen by the first way: left against right of two names, AB > CD against AB = CD.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scipy.optimize import linear_sum_assignment

RELATIONS = {
    "parallel": ("parallel", "∥", "//", "平行"),
    "perpendicular": ("perpendicular", "⊥", "垂直"),
    "tangent": ("tangent", "切"),
    "bisect": ("bisect", "平分"),
    "midpoint": ("midpoint", "mid-point", "中点"),
    "diameter": ("diameter", "直径"),
    "radius": ("radius", "半径"),
    "congruent": ("congruent", "≅", "全等"),
    "similar": ("similar", "相似"),
}
SLACK = 120
SPELT = {
    word: value
    for words, values in (
        ("zero one two three four five six seven eight nine ten eleven twelve", range(13)),
        ("twenty thirty forty fifty sixty seventy eighty ninety", range(20, 100, 10)),
    )
    for word, value in zip(words.split(), values, strict=True)
}
EMPTY_WORDS = set(
    "a an the is are was be of to in on at by it its and with has have there this that as for "
    "shown labelled labeled marked equal equals measure measures length degrees degree units "
    "value chart bar graph figure image picture diagram reads".split()
)


class Span(NamedTuple):
    """A run of characters of a trajectory."""

    start: int
    end: int


class Stated(NamedTuple):
    """A fact with the places that state it: a label, or what was extracted."""

    statement: str
    places: tuple[Span, ...]


def matches(found: list[Stated], labelled: list[Stated], text: str) -> list[tuple[int, int]]:
    """The largest one-to-one assignment of found annotations to the labelled facts of a text."""
    if not found or not labelled:
        return []
    hits = [[float(is_hit(f, fact, text)) for fact in labelled] for f in found]
    pairs = zip(*linear_sum_assignment(hits, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in pairs if hits[i][j]]


def is_hit(found: Stated, fact: Stated, text: str) -> bool:
    """Whether the annotation states the fact, at one of its places."""
    return any(
        (covers(quote, place) and same_content(found.statement, fact.statement))
        or (is_same_run(quote, place) and is_taken_from(found.statement, text[slice(*place)]))
        for quote in found.places
        for place in fact.places
    )


def is_same_run(a: Span, b: Span) -> bool:
    """Whether each covers three fifths of the other."""
    shared = min(a.end, b.end) - max(a.start, b.start)
    return 5 * shared >= 3 * max(a.end - a.start, b.end - b.start)


def is_taken_from(statement: str, place: str) -> bool:
    """Whether the statement says nothing that the words of the place do not."""
    said, stands = names(statement) | words(statement), names(place) | words(place)
    return numbers(statement) <= numbers(place) and 2 * len(said & stands) >= len(said)


def covers(quote: Span, place: Span) -> bool:
    """Whether the quote holds at least half of the place, and not a whole text around it."""
    shared = min(quote.end, place.end) - max(quote.start, place.start)
    length = place.end - place.start
    return 2 * shared >= length and quote.end - quote.start <= length + SLACK


def same_content(a: str, b: str) -> bool:
    """Whether two statements say the same of the same things."""
    a, b = _in_digits(a), _in_digits(b)
    if relations(a) != relations(b) or is_negative(a) != is_negative(b):
        return False
    if not _same_numbers(a, b):
        return False
    names_a, names_b = names(a), names(b)
    if names_a and names_b:
        in_common = 2 * len(names_a & names_b) >= max(len(names_a), len(names_b))
        return in_common or set("".join(names_a)) == set("".join(names_b))
    words_a, words_b = words(a), words(b)
    if is_chinese(a) != is_chinese(b) or not words_a or not words_b:
        return True
    return 2 * len(words_a & words_b) >= min(len(words_a), len(words_b))


def _in_digits(text: str) -> str:
    return re.sub(r"right[ -]angled?\b", "90 degrees", text.replace("twice", "2 times"))


def _same_numbers(a: str, b: str) -> bool:
    differing = numbers(a) ^ numbers(b)
    return not differing or (differing == {1.0} and (_has_one(a) or _has_one(b)))


def _has_one(text: str) -> bool:
    """Whether a 1 is spelt out, which `numbers` leaves out since it may be a pronoun."""
    return bool(re.search(r"\b(one|an?|single)\b|一", text.lower()))


def is_chinese(text: str) -> bool:
    """Whether the statement holds Chinese characters."""
    return bool(re.search(r"[\u4e00-\u9fff]", text))


def relations(text: str) -> set[str]:
    """The relation words of a statement, in one spelling."""
    return {name for name, forms in RELATIONS.items() if any(f in text.lower() for f in forms)}


def is_negative(text: str) -> bool:
    """Whether the statement denies something."""
    return bool(re.search(r"\b(no|not|nothing|never|without|isn't|aren't)\b|不|没有", text.lower()))


def numbers(text: str) -> set[float]:
    """The numbers in a statement, in digits or spelt out; `one` is no number, `1` is."""
    spelt = {float(SPELT[word]) for word in re.findall(r"[a-z]+", text.lower()) if word in SPELT}
    digits = re.findall(
        r"(?<![A-Za-z_\d])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![A-Za-z_])\d*\.?\d+", text
    )
    return (spelt - {1.0}) | {float(n.replace(",", "")) for n in digits}


def names(text: str) -> set[str]:
    """The points, segments and angles named in a statement; a leading `A` is the article."""
    plain = re.sub(r"\\[A-Za-z]+", " ", text)
    plain = re.sub(r"^(A|I) (?=[a-z])", "", plain)
    found = re.findall(r"(?<![A-Za-z])[A-Z]{1,5}(?![a-z])'?", plain)
    angles = re.findall(r"(?:angle|∠)\s*([A-Z]{3})(?![A-Za-z])", plain)
    return {_in_order(name, is_angle=name in angles) for name in found}


def _in_order(name: str, *, is_angle: bool) -> str:
    return min(name, name[::-1]) if is_angle else "".join(sorted(name))


def words(text: str) -> set[str]:
    """The words that carry meaning, plurals folded."""
    found = re.findall(r"[a-z]+|[\u4e00-\u9fff]", text.lower())
    kept = (word.rstrip("s") for word in found if word not in EMPTY_WORDS and word not in SPELT)
    return {word for word in kept if word}
