"""Does a response's answer equal the reference? The one place where every stage asks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .choices import Options, choose, lettered_options, read_options
from .compare import Comparison, compare
from .find import find_answers
from .numbers import parse_number, parse_quantity
from .prose import IsValue
from .shapes import read_clock, read_date, read_listing, read_polarity
from .text import is_balanced, plain, words_key
from .worker import WORKERS

Reason = Literal[
    "equal", "different", "no_answer", "several_answers", "reference_unparsable", "timeout"
]
MAX_VALUE_CHARS = 300
_LABELLED = re.compile(r"\([A-Ja-j]\)")
NOT_SCORED: frozenset[Reason] = frozenset({"reference_unparsable", "timeout"})


@dataclass(frozen=True)
class AnswerCheck:
    """The outcome of one comparison: right, wrong, or not scored.

    Attributes:
        is_correct: None when it was not scored, never because of what the response lacks.
        reason: `equal`; `different`; `no_answer`, a text in which none can be found, which is
            wrong; `several_answers`, more than one offered, which is wrong; and not scored:
            `reference_unparsable` and `timeout`, the comparison took too long.
        found: the answer found, verbatim; several are joined by ` | `; None when there is none.
        is_cut: the response was cut by a token limit, as the caller said; not looked at.
    """

    is_correct: bool | None
    reason: Reason
    found: str | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class AnswerItem:
    """The arguments of `check_answer`, for `check_answers`."""

    response: str
    reference: str
    choices: Sequence[str] | None = None
    question: str = ""
    is_cut: bool = False


def find_answer(
    response: str, *, choices: Sequence[str] | None = None, question: str = ""
) -> str | None:
    r"""The answer that a response gives, verbatim, or None when it gives none.

    Several different boxes are joined by ` | `.

    Example:
        >>> find_answer(r"AB is 5, so the area is \boxed{\frac{25}{2}}.")
        '\\frac{25}{2}'
    """
    options = read_options(choices, question)
    found = find_answers(response, _value_test(options), options, question)
    return " | ".join(found.texts) if found else None


def check_answer(
    response: str,
    reference: str,
    *,
    choices: Sequence[str] | None = None,
    question: str = "",
    is_cut: bool = False,
) -> AnswerCheck:
    r"""Whether the response's answer equals the reference answer.

    Blocks for some seconds at worst (a formula that takes algebra), usually for microseconds; in
    asynchronous code call it through `asyncio.to_thread`. Safe in threads and after a fork.

    Args:
        response: what the model wrote, of any length.
        reference: a value, a choice's text, or a choice's letter.
        choices: the texts of the options A, B, C, ..., or None.
        question: the question; options that it lists and whether it asks to round are read off it.
        is_cut: whether a token limit cut the response; carried along.

    Raises:
        Pr1Error: the process that compares formulas cannot be started.

    Example:
        >>> check_answer(r"So \boxed{2\sqrt{221}}.", r"2 \sqrt { 221 }").is_correct
        True
        >>> check_answer("The answer is A or B.", "A", choices=["3", "4"]).reason
        'several_answers'
    """
    wanted = plain(reference)
    options = read_options(choices, question) or lettered_options(wanted)
    if not words_key(wanted) or not is_balanced(wanted):
        return AnswerCheck(None, "reference_unparsable", None, is_cut)
    found = find_answers(response, _value_test(options), options, question)
    if found is None:
        return AnswerCheck(False, "no_answer", None, is_cut)
    outcome = _compare_all([plain(text) for text in found.texts], wanted, options, question)
    is_correct = None if outcome in NOT_SCORED else outcome == "equal"
    return AnswerCheck(is_correct, outcome, " | ".join(found.texts), is_cut)


def check_answers(items: Iterable[AnswerItem]) -> list[AnswerCheck]:
    """The outcome of each item, in order; formulas are compared by several workers at once."""

    def check(item: AnswerItem) -> AnswerCheck:
        return check_answer(
            item.response,
            item.reference,
            choices=item.choices,
            question=item.question,
            is_cut=item.is_cut,
        )

    listed = list(items)
    if len(listed) < 2:
        return [check(item) for item in listed]
    return list(_threads().map(check, listed))


@cache
def _threads() -> ThreadPoolExecutor:
    """The threads that ask the workers; kept, because starting one takes longer than a check."""
    return ThreadPoolExecutor(WORKERS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a child has none of the threads


def _value_test(options: Options | None) -> IsValue:
    """The test whether a phrase can be an answer to a question with these options."""

    @cache  # a phrase is tried in several places
    def is_value(text: str) -> bool:
        if len(text) > MAX_VALUE_CHARS:
            return False
        text = plain(text)
        if parse_number(text) or read_polarity(text) is not None:
            return True
        if read_clock(text) or read_date(text):
            return True
        if options is not None:
            return choose(text, options).kind != "none"
        if _LABELLED.match(text):
            return True
        listing = read_listing(text)
        return listing is not None and all(parse_quantity(item) for item in listing.items)

    return is_value


def _compare_all(
    found: list[str], wanted: str, options: Options | None, question: str
) -> Comparison:
    """How all answers offered compare: right when each is, or when together they are the set."""
    outcomes = [_compare_one(text, wanted, options, question) for text in found]
    if len(found) == 1 or set(outcomes) == {"equal"}:
        return outcomes[0]
    if options is None and compare(", ".join(found), wanted, question) == "equal":
        return "equal"
    not_scored = [outcome for outcome in outcomes if outcome in NOT_SCORED]
    return not_scored[0] if not_scored else "several_answers"


def _compare_one(found: str, wanted: str, options: Options | None, question: str) -> Comparison:
    if options is None:
        return compare(found, wanted, question)
    reference = choose(wanted, options)
    if reference.kind not in ("one", "set"):
        return "reference_unparsable"
    chosen = choose(found, options)
    if chosen.kind == "several" or (chosen.kind == "set" and reference.kind == "one"):
        return "several_answers"
    if chosen.kind == "none":
        return "different"
    if reference.kind == "set":
        return "equal" if chosen.indices == reference.indices else "different"
    return "equal" if chosen.indices & reference.indices else "different"
