"""The facts that a clause states by the way: "a red arrow to the left, labelled 8 N" are three.

Naming is not stating. "The red bar reaches 4" names the bar by its colour; an indefinite article,
an apposition or a parenthesis ties the feature to its bearer: "a red bar", "the red bar, Norway,",
"Norway (red): 4".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .lexicon import shared_lists

LONGEST_SUBJECT = 20
"""In characters; a title that comes sooner is what the clause itself states."""

_SIDE = re.compile(
    r"\b[Aa]n? (?P<what>(?:(?!is|are|drawn|clearly)[\w°]+ ){1,4}?)"
    r"(?P<where>(?:on|to|at|in|near) the (?:far |very |upper |lower )?"
    r"(?:left|right|top|bottom|middle|centre|center|corner|edge))\b"
)
_PLACED = re.compile(
    r"(?P<what>[\w ]{2,40}): ?[\d\w .]{1,20} ?"
    r"\((?P<where>(?:on|in|at|near) the [\w ]+|left|right|cent(?:re|er)|top|bottom|middle)"
    r"[^()]{0,40}\)"
)
_MEASURED = re.compile(
    r"\b(?:[Aa]n?|[Aa]nother|[Tt]he other) (?P<value>\d[\d.,]* ?"
    r"(?:[A-Z]|[kcm]?[gm]|ohms?|volts?|amps?|grams?|newtons?|degrees?)) (?P<what>[a-z]{3,})\b"
)
_TITLE = re.compile(r"\b(?:titled|entitled|table|chart|graph) \"(?P<title>[^\"]{2,60})\"")


def said_by_the_way(clause: str) -> Iterator[str]:
    """What the clause states beside its main point, one statement each.

    Example:
        >>> list(said_by_the_way("a red arrow to the left, labelled 8 N"))
        ['the arrow is red', 'the red arrow is to the left']
    """
    for match in _coloured().finditer(clause):
        bearer = " ".join(filter(None, (match["noun"], match["name"])))
        yield f"the {bearer} is {match['colour']}"
    for match in _apposed().finditer(clause):
        yield f"the {match['noun']} for {match['name']} is {match['colour']}"
    for match in _bracketed().finditer(clause):
        yield f"{match['what'].strip()} is {match['colour']}"
    for match in _SIDE.finditer(clause):
        yield f"the {match['what']}is {match['where']}"
    for match in _PLACED.finditer(clause):
        yield f"{match['what'].strip()}: {match['where']}"
    for match in _MEASURED.finditer(clause):
        yield f"the {match['what']} has {match['value']}"
    for match in _TITLE.finditer(clause, LONGEST_SUBJECT):
        yield f'the title is "{match["title"]}"'


@cache
def _coloured() -> re.Pattern[str]:
    """A red arrow."""
    return re.compile(
        rf"\b[Aa]n? (?:(?!{_colour()})[a-z]+ )?(?P<colour>{_colour()}) (?!one\b)(?P<noun>[a-z]+)"
        r"(?: (?P<name>[A-Z]{1,3})\b)?"
    )


@cache
def _apposed() -> re.Pattern[str]:
    """The red bar on the left, Norway."""
    return re.compile(
        rf"\b[Tt]he (?P<colour>{_colour()}) (?P<noun>[a-z]+)(?: (?:on|at|in) the [a-z ]+)?, "
        r"(?P<name>[A-Z]\w+)"
    )


@cache
def _bracketed() -> re.Pattern[str]:
    """Norway (red)."""
    return re.compile(
        rf"(?P<what>[^:,;()=\d]{{2,50}}?)(?:[:=]| is)? ?[\d.,%]* ?"
        rf"\((?P<colour>(?:dark |light )?{_colour()})(?: [a-z]+)?\)"
    )


def _colour() -> str:
    return f"(?:{shared_lists()['colour']})"
