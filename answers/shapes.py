"""What an answer's plain text consists of: several values, a yes or no, a date, a time.

Each reader returns None for a text that is something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_TRUE = re.compile(r"(?:true|yes|correct|对|是|是的|正确|真)\b", re.IGNORECASE)
_FALSE = re.compile(
    r"(?:false|no|incorrect|not true|不|错|否|不是|不对|不正确|错误|假)\b", re.IGNORECASE
)


def read_polarity(text: str) -> bool | None:
    """True for yes, true, 是, ...; False for their opposites; None for anything else.

    The word stands alone, or a stop or a bracket follows it (`Yes, they are parallel`), but not its
    opposite (`Yes, no`).
    """
    for pattern, value in ((_FALSE, False), (_TRUE, True)):
        if match := pattern.match(text):
            rest = text[match.end() :].lstrip()
            opposite = _TRUE if pattern is _FALSE else _FALSE
            if not rest or (rest[0] in ",.;:(-" and not opposite.match(rest.lstrip(",.;:(- "))):
                return value
    return None


class Date(NamedTuple):
    """A day, or a month when `day` is None."""

    year: int | None
    month: int
    day: int | None


_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = [
    re.compile(r"(?P<year>\d{4})[-/.年](?P<number>\d{1,2})[-/.月](?P<day>\d{1,2})日?\Z"),
    re.compile(
        rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}}))?\Z", re.I
    ),
    re.compile(
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+(?P<year>\d{{4}}))?\Z",
        re.I,
    ),
    re.compile(rf"{_MONTH}(?:,?\s+(?P<year>\d{{4}}))?\Z", re.I),
]


def read_date(text: str) -> Date | None:
    """The date that the text consists of, in a simple form (`March 5, 2004`, `2004-03-05`)."""
    for pattern in _DATES:
        if match := pattern.match(text):
            parts = match.groupdict()
            month = parts.get("number") or _MONTHS.index(parts["month"][:3].casefold()) + 1
            year, day = parts.get("year"), parts.get("day")
            return Date(int(year) if year else None, int(month), int(day) if day else None)
    return None


class Clock(NamedTuple):
    """A time of day; `half` is `am`, `pm`, or None when not stated."""

    hour: int
    minute: int
    second: int
    half: str | None


_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:(a|p)\.?\s?m\.?)?(?:\s*hours)?\Z", re.IGNORECASE
)


def read_clock(text: str) -> Clock | None:
    """The time that the text consists of, written with a colon."""
    if match := _CLOCK.match(text):
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        half = f"{match[4].casefold()}m" if match[4] else None
        if hour < 24 and minute < 60 and second < 60:
            return Clock(hour, minute, second, half)
    return None


def same_clock(found: Clock, reference: Clock) -> bool:
    """Whether two times agree; a half of the day that one side leaves out is not compared."""
    if found.half and reference.half and found.half != reference.half:
        return False
    return found[:3] == reference[:3]


@dataclass(frozen=True)
class Listing:
    """Several values in one answer.

    Attributes:
        opening, closing: the brackets, or empty.
    """

    items: tuple[str, ...]
    opening: str = ""
    closing: str = ""

    @property
    def is_ordered(self) -> bool:
        """A tuple, a point or an interval; a set and a bare list are not."""
        return self.opening in ("(", "[")


_NAME = re.compile(r"(?:[A-Za-z]\w{0,8}\s*[=:∈]\s*|[A-Z]\s*)(?=[(\[｛])")
_GROUPED_NUMBER = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_JOINTS = (";", "&", "和", "或", "与", "及", "and", "or")
"""One of them stands wherever `_AND` matches: to look for them is far cheaper."""
_AND = re.compile(
    r"\s*(?:;|,\s*and\b|,\s*or\b|(?<![a-z])and\b|(?<![a-z])or\b|&|和|或者|或|以及|与|及)\s*", re.I
)
MAX_ITEMS = 64


def read_listing(text: str) -> Listing | None:
    """The two or more values that the text lists, or the elements between its brackets."""
    opening = closing = ""
    inner = text
    if name := _NAME.match(text):
        inner = inner[name.end() :]
    if inner[:1] in {*"([｛"} and inner[-1:] in {*")]｝"} and _is_one_bracket(inner):
        opening, closing, inner = inner[0], inner[-1], inner[1:-1]
    parts = [part for piece in _at_commas(inner) for part in _at_joints(piece)]
    items = tuple(part.strip() for part in parts if part.strip())
    if len(items) > MAX_ITEMS or (len(items) < 2 and opening != "｛"):
        return None
    return Listing(items, opening, closing)


def _at_joints(text: str) -> list[str]:
    folded = text.casefold()
    return _AND.split(text) if any(joint in folded for joint in _JOINTS) else [text]


def _is_one_bracket(text: str) -> bool:
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{｛") - (character in ")]}｝")
        if depth == 0:
            return at == len(text) - 1
    return False


def _at_commas(text: str) -> list[str]:
    """The text cut at the commas that stand in no bracket and group no digits."""
    if "," not in text:
        return [text]
    text = _GROUPED_NUMBER.sub(lambda match: match[0].replace(",", "\0"), text)
    depth, start, parts = 0, 0, []
    for at, character in enumerate(text):
        depth += (character in "([{｛") - (character in ")]}｝")
        if depth == 0 and character == ",":
            parts.append(text[start:at])
            start = at + 1
    return [part.replace("\0", ",") for part in (*parts, text[start:])]
