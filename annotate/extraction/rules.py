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
_LIST = r"[\w.%°-]+(?:, [\w.%°-]+)*,? and [\w.%°-]+"
_TWO_LISTS = re.compile(
    rf" (?:are|were|is|was|reach|show)(?: at)? (?P<values>(?=\d){_LIST}) "
    rf"(?P<of>for|in|at|on) (?P<labels>{_LIST})(?:,? respectively)?$"
)
_BETWEEN_ITEMS = re.compile(r",? and |, ")
_VERB = (
    "is|are|was|were|has|have|reaches|stands|starts|rises|falls|drops|climbs|goes|shows|reads|lies|"
    "points|runs"
)
_SUBJECT = re.compile(rf"(?P<subject>[^,]{{2,60}}?)(?= (?:{_VERB})\b)")
_IT = re.compile(rf"(?:it|they)(?= (?:{_VERB})\b)", re.IGNORECASE)


def propose_by_rules(text: PlainText) -> Iterator[Proposal]:
    """The clauses of a trajectory that speak of something visible."""
    subject = ""
    for clause in islice(clauses(text.text, sentences(text.text)), MOST_CLAUSES):
        quote = text.text[clause.start : clause.end]
        spoken = clause.statement
        if subject and (pronoun := _IT.match(spoken)):
            spoken = subject + spoken[pronoun.end() :]
        named = _SUBJECT.match(spoken)
        subject = named["subject"] if named else ""
        for statement in each_by_itself(spoken):
            kind = kind_of(statement) if len(statement) <= LONGEST_STATEMENT else None
            if kind is not None:
                yield Proposal(statement, kind, quote, EXTRACTOR, start=clause.start)


def each_by_itself(statement: str) -> list[str]:
    """One statement for each of several names or values; else the statement itself.

    Example:
        >>> each_by_itself("AB = BC = 5")
        ['AB = 5', 'BC = 5']
        >>> each_by_itself("The upper sides, AB and BC, are five units each")
        ['AB = five units', 'BC = five units']
        >>> each_by_itself("The bars are 3, 4 and 6 for 2001, 2002 and 2003")
        ['The bars for 2001: 3', 'The bars for 2002: 4', 'The bars for 2003: 6']
    """
    if lists := _TWO_LISTS.search(statement):
        values, labels = map(_BETWEEN_ITEMS.split, lists.group("values", "labels"))
        if len(values) == len(labels):
            subject = f"{statement[: lists.start()]} {lists['of']}"
            pairs = zip(labels, values, strict=True)
            return [f"{subject} {label}: {value}" for label, value in pairs]
    shared = _CHAIN.search(statement) or _SHARED.search(statement)
    if shared is None:
        return [statement]
    return [f"{name} = {shared['value'].strip()}" for name in _NAME.findall(shared["names"])]
