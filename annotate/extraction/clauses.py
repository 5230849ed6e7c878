"""The clauses of a plain text: runs of words that can each state one fact.

A sentence is cut at commas and conjunctions wherever both sides can stand alone: "Apple has 12,
Pear has 8" are two clauses, "AB and CD are parallel" is one. What a sentence says ahead of its
clauses ("2010: ...", "In March, ...") goes with each of them as `context`. A row of a Markdown
table becomes a clause for each of its cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from .lexicon import NAME, any_of, shared_lists, word_list
from .stance import Sentence, is_heading

LONGEST_SENTENCE = 1500
"""In characters; what is longer is no sentence but data or a loop."""


class Clause(NamedTuple):
    """One clause of a text.

    Attributes:
        start: where its words start, the context's where it has one.
        end: behind its last word.
        statement: what it says, with its context.
    """

    start: int
    end: int
    statement: str


_CUT = re.compile(
    "|".join(
        (
            r",? (?:and(?: also)?(?! \d)|but|while|whereas|yet) |, where |(?<!\d) and (?=\d)",
            r"(?<!\d),\s?(?:and )?|,\s(?:and )?(?!\d)|[，；;]|和(?=\d)| [—] ",
            r"、(?![A-Z])|(?<![A-Z])、",  # but not between two names
            r"(?<!=)\s\((?!-?[\d.]+, ?-?[\d.]+\))(?=[^()]{0,60}[=\d])",  # but no pair (3, 4)
            r"(?<=[a-z]): (?!\S+(?:[,;]|$))|(?<=\d) (?=with )|\swith (?=points? )",
            r",?\s(?=because |since )|,? (?=whose )",
            r"\s(?:→|->)\s(?=[^→\n]*=|\d+/\d+$)",  # a ∥ b → x = 40
            r"(?:(?<=[a-z:=] \d)|(?<=[a-z:=] \d\d)|(?<=[a-z:=] \d{3}))\s→\s(?=[^→\n]*\d)",
        )
    )
)
_CONTEXT = re.compile(
    r"\s*(?:[-*•] |\(?\d{1,2}[.)] )?(?P<context>"
    # In 2010, | In round 3 the
    r"(?:[Ii]n|[Oo]n|[Aa]t|[Ff]or)\s(?:the\s)?(?!the\s)(?:\d{4}|[\w'-]+)(?:,|(?=\s[A-Z]))"
    r"|(?:In|On|At|For)\s(?:[a-z]+\s)?\d[\d:.]*(?: [ap]m)?(?:,|(?=\s(?:the|it|there)\s))"
    r"|[^\W_][\w./()'-]{0,16}(?:\s[\w./()'-]{1,16}){0,2}(?:: |：)"  # Left block:
    r")\s?(?=\S)"
)
_LABEL = re.compile(r"[^\W_][\w ./()'-]{0,24}(?:: |：)(?=\S)")  # Tuesday: 9
_COUNTED = re.compile(r"\b(?!and\b|or\b)[A-Za-z]{2,}|[\u4e00-\u9fff]")
_NEW_STEP = re.compile(
    r"\s*(?:so|therefore|thus|hence|then|because|since"
    r"|as (?=(?-i:[A-Z∠△])|the (?!figure|diagram|picture|image|chart|graph)))\b",
    re.IGNORECASE,
)
_VERB_TO_COME = re.compile(  # Three sheep | and one dog are; The brown one | , coffee, is
    r"(?:[^,;:.!?=]{1,40}(?:,|,? and) ){0,2}[^,;:.!?=]{1,40}? (?:are|have|make|cost|form|lie)\b"
    r"|[^,;:.!?=]{1,40}, (?:is|are|was|has|have)\b"
)
_THE_SAME = re.compile(r"(?:,? and )?[a-z]+s? (?:it|them|each other)\b")  # and meets it
_ADJUNCT = re.compile(r"(?:at|near|past) .{1,24}$", re.IGNORECASE)
_LABELLED = re.compile(r"\s*[\w' ]{1,30}: ?\d")  # N: 62 m
_REFERRING = re.compile(
    r"\b((?:the|this|that|each|every|other)(?: [a-z]+)?) ones?\b", re.IGNORECASE
)
_OWN_PLACE = re.compile(r"\b(?:in|at|on) [a-z]+ \d")
_BETWEEN = re.compile(r"^[\s,，、—(]*(?:and |but )?")
_NAME_LAST = re.compile(rf"{NAME}\s*$")
_NAME_FIRST = re.compile(rf"{NAME}(?! ?[=∥⊥≅∼])")
_RULE = re.compile(r"[|:\s-]+$")


def clauses(text: str, found: list[Sentence]) -> Iterator[Clause]:
    """The clauses of the sentences of a text, in order."""
    header: list[str] = []
    for sentence in found:
        if is_heading(text, sentence) or sentence.end - sentence.start > LONGEST_SENTENCE:
            continue
        line = text[slice(*sentence)]
        if line.lstrip().startswith("|") and line.count("|") > 2:
            if not header:
                header = _cells(line)
            elif not _RULE.match(line):
                yield from _row_clauses(text, sentence, header)
        else:
            header = []
            yield from _sentence_clauses(text, sentence)


def _sentence_clauses(text: str, sentence: Sentence) -> Iterator[Clause]:
    start, heading_start, context = sentence.start, sentence.start, ""
    heading = _CONTEXT.match(text, *sentence)
    if heading and heading.end() < sentence.end:
        start, heading_start = heading.end(), heading.start("context")
        context = heading["context"].strip(" :：,") if _is_context(heading["context"]) else ""
    for part in _parts(text, Sentence(start, sentence.end)):
        statement = _trimmed(text, part)
        if statement.start >= statement.end:
            continue
        words = text[slice(*statement)]
        if context and not (_LABEL.match(words) or _OWN_PLACE.search(words)):
            yield Clause(heading_start, statement.end, f"{context}: {words}")
        else:
            yield Clause(_without_marks(text, part), statement.end, words)


def _is_context(words: str) -> bool:
    no_context = word_list("clauses")["no_context"]
    is_empty = re.fullmatch(rf"(?:the |my )?(?:{no_context})\W*", words, re.IGNORECASE)
    return not (is_empty or _lead_in().match(words))


def _parts(text: str, sentence: Sentence) -> Iterator[Sentence]:
    """The sentence in parts that can each stand alone."""
    cuts = [match.span() for match in _CUT.finditer(text, *sentence)]
    starts = [sentence.start, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), sentence.end]
    whole: list[Sentence] = []
    open_start: int | None = None
    for start, end in zip(starts, ends, strict=True):
        if open_start is not None and _NEW_STEP.match(text, start, end):
            whole.append(Sentence(open_start, start))
            open_start = None
        begins = start if open_start is None else open_start
        behind = text[end : min(end + 80, sentence.end)]
        if whole and open_start is None and _is_adjunct(text[begins:end]):
            whole[-1] = Sentence(whole[-1].start, end)
        elif _THE_SAME.match(behind) or _is_open(text[begins:end], behind, is_first=not whole):
            open_start = begins
        elif stands_alone(text[begins:end]) or _NEW_STEP.match(text, begins, end):
            whole.append(Sentence(begins, end))
            open_start = None
        else:
            open_start = begins
    if open_start is not None and whole:
        whole[-1] = Sentence(whole[-1].start, sentence.end)
    elif open_start is not None:
        whole.append(Sentence(open_start, sentence.end))
    yield from whole


def _is_open(words: str, behind: str, *, is_first: bool) -> bool:
    """Whether the words need what stands behind them: a list of names, a subject with its verb."""
    if has_predicate(words):
        return False
    rest = _BETWEEN.sub("", behind, count=1)
    if is_first and ":" not in words and (_finite().match(rest) or _VERB_TO_COME.match(rest)):
        return True
    return bool(_NAME_LAST.search(words) and _NAME_FIRST.match(rest))


def _is_adjunct(words: str) -> bool:
    """Whether the words are only a place or a value for what stands before them."""
    return bool(_ADJUNCT.match(words)) and not has_predicate(words)


def stands_alone(words: str) -> bool:
    """Whether the words can state a fact: with a verb or a sign, or a number and what it counts."""
    if has_predicate(words) or _LABELLED.match(words):
        return True
    words = _REFERRING.sub(r"\1", words)
    return bool(_quantity().search(words) and _COUNTED.search(words))


def has_predicate(words: str) -> bool:
    """Whether there is a verb or a sign among the words."""
    return bool(_predicate().search(words))


@cache
def _predicate() -> re.Pattern[str]:
    return re.compile(any_of(word_list("clauses")["predicate"]), re.IGNORECASE)


@cache
def _finite() -> re.Pattern[str]:
    return re.compile(any_of({"words": word_list("clauses")["finite"]}), re.IGNORECASE)


@cache
def _lead_in() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(word_list('clauses')['lead_in'])})\s*", re.IGNORECASE)


@cache
def _quantity() -> re.Pattern[str]:
    """A number that measures or counts something."""
    before = "".join(rf"(?<!\b{word} )" for word in word_list("clauses")["not_counting"])
    number = shared_lists()["number"]
    return re.compile(rf"{before}(?:(?<![A-Za-z\d.])\d[\d.,]*|\b(?:{number})\b)", re.IGNORECASE)


@cache
def _tail() -> re.Pattern[str]:
    """What tells no more than that something is seen: from the picture."""
    picture = shared_lists()["picture"]
    return re.compile(
        rf",? (?:from|according to|as shown in|as seen in|as) (?:the|this) (?:\w+ )?(?:{picture})"
        r"(?: (?:says|shows|tells))?[\s.,;]*$"
    )


def _without_marks(text: str, part: Sentence) -> int:
    """Where the part's words start, behind list marks and white space."""
    start = part.start
    while start < part.end and text[start] in " \t\n-*•>|:：,，.;":
        start += 1
    return start


def _trimmed(text: str, part: Sentence) -> Sentence:
    """The part without its lead-in ("We can see that"), list mark and white space."""
    start, end = part
    while True:
        start = _without_marks(text, Sentence(start, end))
        lead_in = _lead_in().match(text, start, end)
        if not lead_in or lead_in.end() == start:
            break
        start = lead_in.end()
    tail = _tail().search(text, start, end)
    end = tail.start() if tail and tail.start() > start else end
    while end > start and text[end - 1] in " \t\n,，.:;|":
        end -= 1
    return Sentence(start, end)


def _row_clauses(text: str, row: Sentence, header: list[str]) -> Iterator[Clause]:
    cells = _cells(text[slice(*row)])
    position = row.start
    for number, cell in enumerate(cells):
        position = text.index("|", position) + 1
        end = text.find("|", position, row.end)
        if has_predicate(cell):
            yield Clause(position, row.end if end < 0 else end, cell)
        elif number and (re.search(r"\d", cell) or _is_short_text(cell)):
            column = header[number] if number < len(header) else ""
            stop = row.end if end < 0 else end + 1
            yield Clause(row.start, stop, f"{cells[0]}, {column}: {cell}")


def _is_short_text(cell: str) -> bool:
    return 0 < len(cell.split()) <= 3 and any(map(str.isalpha, cell))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
