"""Proposing visual facts without a model: every clause that speaks of something visible.

Which of them are seen or given, and not worked out, is the validation's decision, as it is for what
a model proposes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from ...notation import PlainText
from .clauses import Clause, clauses, has_predicate
from .lexicon import any_of, kind_of, word_list
from .phrases import said_by_the_way
from .proposal import Proposal
from .several import each_by_itself
from .stance import sentences

EXTRACTOR = "rules"
LONGEST_STATEMENT = 160
MOST_CLAUSES = 1000
"""Of one trajectory; what comes behind them is a loop."""

LONGEST_ELLIPSIS = 6
"""In Chinese characters: what is shorter needs the clause before it."""

_PRONOUN = re.compile(
    r"(?P<possessive>its|their|whose)(?= [a-z])|(?:it|they|which)\b", re.IGNORECASE
)
_CHINESE = re.compile("[\u4e00-\u9fff]")
_SETTING = re.compile(
    r"(?:In|On|At|For|By|After|During) (?:the )?[\w'-]+(?: [\w'-]+)?"
    r"(?:,|(?= (?:the|an?|it|there|[A-Z])))"
)
_RELATIVE = re.compile(r"(?:which|whose)\b", re.IGNORECASE)
_LAST_NOUN = re.compile(r"(?:.*\b(?:an?|the|one|two|three)\s|.*\s|^)(?P<noun>[\w'° ]{1,40})$")
_SAME_SENTENCE = re.compile(r"[^\n.!?;。！？；]{0,160}$")


def propose_by_rules(text: PlainText) -> Iterator[Proposal]:
    """The clauses of a trajectory that speak of something visible."""
    subject = ""
    first: Clause | None = None  # of the sentence
    before: Clause | None = None  # with a verb
    for clause in islice(clauses(text.text, sentences(text.text)), MOST_CLAUSES):
        is_relative = before is not None and _RELATIVE.match(clause.statement)
        antecedent = _last_noun(before.statement) if before and is_relative else ""
        spoken = _with_subject(clause.statement, antecedent or subject).replace("||", "∥")
        named = _subject().match(spoken)
        subject = named["subject"] if named else subject
        start = clause.start
        if before and (spoken != clause.statement or _is_elliptic(clause.statement)):
            # "Oslo has 3, Rome 4": the verb stands in the clause before.
            start = _start_with(before, clause, text.text)
        if first and _SETTING.match(text.text, first.start):
            # "In May Oslo had 3 and Rome had 4": May is Rome's, too.
            start = min(start, _start_with(first, clause, text.text))
        if has_predicate(clause.statement):
            before = clause
        if first is None or not _SAME_SENTENCE.match(text.text, first.end, clause.start):
            first = clause
        quote = text.text[start : clause.end]
        for statement in (*each_by_itself(spoken), *said_by_the_way(spoken)):
            kind = kind_of(statement) if len(statement) <= LONGEST_STATEMENT else None
            if kind is not None:
                yield Proposal(statement, kind, quote, EXTRACTOR, start=start)


def _start_with(earlier: Clause, clause: Clause, text: str) -> int:
    """Where the quote starts when an earlier clause of the sentence belongs to it."""
    is_one_sentence = _SAME_SENTENCE.match(text, earlier.end, clause.start)
    is_short = clause.end - earlier.start <= LONGEST_STATEMENT
    return earlier.start if is_one_sentence and is_short else clause.start


def _is_elliptic(words: str) -> bool:
    """Whether the words need the clause before them."""
    is_short = len(words) <= LONGEST_ELLIPSIS and bool(_CHINESE.match(words))
    return is_short or not has_predicate(words)


def _last_noun(words: str) -> str:
    """The last thing that the words speak of: what `which` refers to."""
    found = _LAST_NOUN.search(words)
    return found["noun"] if found else ""


def _with_subject(words: str, subject: str) -> str:
    """The words with what a pronoun at their start stands for."""
    if not subject:
        return words
    if pronoun := _PRONOUN.match(words):
        is_name = subject[-1:].isupper()
        owner = subject + (":" if is_name else "'s") * bool(pronoun["possessive"])
        return owner + words[pronoun.end() :]
    return f"{subject} {words}" if _elided().match(words) else words


@cache
def _elided() -> re.Pattern[str]:
    """A verb at the start: the subject stands in the clause before."""
    return re.compile(any_of({"words": word_list("clauses")["finite"]}), re.IGNORECASE)


@cache
def _subject() -> re.Pattern[str]:
    verb = any_of({"words": word_list("clauses")["predicate"]["words"]})
    no_subject = r"(?!it\b|they\b|which\b|there\b|its\b)"
    return re.compile(
        rf"(?P<subject>{no_subject}[^,:=]{{2,60}}?)(?=(?:, which)? (?:{verb}))", re.IGNORECASE
    )
