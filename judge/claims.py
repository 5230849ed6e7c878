"""What an annotation claims: a value of a subject, a relation between names, a text, or words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .statements import read
from .tokens import Token, content
from .vocabulary import RELATIONS, UNITS, WEAK

_RELATIONS = {name: re.compile(form, re.IGNORECASE) for name, form in RELATIONS}
_COMPARES = re.compile(
    r"[<>≤≥]|\b(?:than|left|right|above|below|north|south|east|west|before|after|behind)\b"
    r"(?! angle)"
)
_QUOTED = re.compile(r'["“”«»]([^"“”«»]{1,200})["“”«»]')


class Claim(NamedTuple):
    """An annotation as the rules look for it.

    Attributes:
        names: points, segments and angles that it is about.
        words: the other words that say what it is about, by their roots.
        labels: numbers that are part of what it is about, such as a year.
        value: the number that it states, the last one; None where it states none.
        unit: of the value, or empty.
        is_count: the value counts what stands behind it: six bars.
        relation: by its name, or None.
        order: names and words as they follow each other, where that decides: `AB > CD`.
        quoted: a text that it states in quotation marks, or None.
    """

    names: frozenset[str]
    words: frozenset[str]
    labels: frozenset[str | float]
    value: str | float | None
    unit: str
    is_count: bool
    relation: str | None
    order: tuple[str, ...]
    quoted: str | None


@lru_cache(maxsize=8192)
def claim_of(statement: str) -> Claim:
    """What the statement claims."""
    quoted = _QUOTED.search(statement)
    rest = _QUOTED.sub(" ", statement) if quoted else statement
    reading = read(rest, is_guarded=False)
    tokens = [token for sentence in reading.sentences for token in content(sentence.tokens)]
    numbers = [token for token in tokens if token.kind == "number"]
    is_range = any(token.value == "between" for token in tokens)
    stated = None if quoted or is_range or not numbers else _stated(numbers)
    names, words = _values(tokens, "name"), _values(tokens, "word")
    return Claim(
        names=names,
        words=words - WEAK if names else words - WEAK or words,
        labels=frozenset(token.value for token in numbers if token is not stated),
        value=stated.value if stated else None,
        unit=stated.unit if stated else "",
        is_count=stated is not None and _is_count(stated, tokens),
        relation=next(_relations(reading.text, names), None),
        order=in_order(tokens) if _COMPARES.search(reading.text) else (),
        quoted=quoted[1] if quoted else None,
    )


def words_about(statements: Iterable[str]) -> frozenset[str]:
    """The roots of all words in the statements, which a plain assertion may hold."""
    return frozenset().union(*map(_words_of, statements))


@lru_cache(maxsize=8192)
def _words_of(statement: str) -> frozenset[str]:
    values = read(statement, is_guarded=False).values
    return frozenset(value for value in values if isinstance(value, str))


def in_order(tokens: Iterable[Token]) -> tuple[str, ...]:
    """The names and words among the tokens, each where it stands first."""
    spoken = (str(token.value) for token in tokens if token.kind in ("name", "word"))
    return tuple(dict.fromkeys(spoken))


def _stated(numbers: list[Token]) -> Token:
    """The number that a statement is there for: the last one that is no year."""
    return next((one for one in reversed(numbers) if not _is_year(one)), numbers[-1])


def _is_year(token: Token) -> bool:
    return isinstance(token.value, float) and 1900 <= token.value <= 2100 and not token.unit


def _is_count(stated: Token, tokens: list[Token]) -> bool:
    """Whether all that the statement is about stands behind its number."""
    about = [one for one in tokens if one is not stated and one.value not in WEAK]
    first = min((one.start for one in about or tokens), default=0)
    return stated.unit not in UNITS and first > stated.start


def relation_in(text: str, name: str) -> bool:
    """Whether a plain text speaks of the relation."""
    return _RELATIONS[name].search(text) is not None


def _relations(text: str, names: frozenset[str]) -> Iterator[str]:
    """The relations that a text speaks of; `on` is one between names only."""
    return (name for name in _RELATIONS if relation_in(text, name) and (names or name != "on"))


def _values(tokens: list[Token], kind: str) -> frozenset[str]:
    return frozenset(str(token.value) for token in tokens if token.kind == kind)
