"""Proposing visual facts without a model: every clause that speaks of something visible.

Which of them are seen or given, and not worked out, is the validation's decision, as it is for what
a model proposes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ...notation import PlainText
from .clauses import clauses
from .lexicon import kind_of, shared_lists
from .proposal import Proposal
from .stance import sentences

EXTRACTOR = "rules"
LONGEST_STATEMENT = 160
MOST_CLAUSES = 1000
"""Of one trajectory; what comes behind them is a loop."""

_NUMBER = shared_lists()["number"]
_SEGMENT = r"(?:m?∠ ?)?(?<![A-Za-z])[A-Z]{1,3}(?![A-Za-z])"
_NAME = re.compile(_SEGMENT)
_CHAIN = re.compile(rf"^(?P<names>{_SEGMENT}(?:\s?=\s?{_SEGMENT})+)\s?=\s?(?P<value>\d[\w.° ]*)$")
_SHARED = re.compile(
    rf"(?P<names>{_SEGMENT}(?:, {_SEGMENT})*,? and {_SEGMENT}),? (?:are|have|measure|equal)\b"
    rf"(?: both| each)?(?: lengths? of)? (?P<value>(?:\d[\d.]*|(?:{_NUMBER})\b)[\w° ]*?)(?: each)?$"
)


def propose_by_rules(text: PlainText) -> Iterator[Proposal]:
    """The clauses of a trajectory that speak of something visible."""
    for clause in islice(clauses(text.text, sentences(text.text)), MOST_CLAUSES):
        quote = text.text[clause.start : clause.end]
        for statement in each_by_itself(clause.statement):
            kind = kind_of(statement) if len(statement) <= LONGEST_STATEMENT else None
            if kind is not None:
                yield Proposal(statement, kind, quote, EXTRACTOR, start=clause.start)


def each_by_itself(statement: str) -> list[str]:
    """One statement for each name that shares a value with others; else the statement itself.

    Example:
        >>> each_by_itself("AB = BC = 5")
        ['AB = 5', 'BC = 5']
        >>> each_by_itself("The upper sides, AB and BC, are five units each")
        ['AB = five units', 'BC = five units']
    """
    shared = _CHAIN.search(statement) or _SHARED.search(statement)
    if shared is None:
        return [statement]
    return [f"{name} = {shared['value'].strip()}" for name in _NAME.findall(shared["names"])]
