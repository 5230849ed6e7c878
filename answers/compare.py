r"""Comparing a free answer with its reference: words, numbers, lists, and formulas last.

The cheap comparisons run here, in microseconds; only what they cannot decide goes to the worker
process, where math-verify does the algebra.
"""

from __future__ import annotations

import re
from typing import Literal

from .numbers import Number, Rounding, parse_quantity, same_number, without_name
from .shapes import Listing, read_clock, read_date, read_listing, read_polarity, same_clock
from .text import words_key
from .worker import same_mathematics

Comparison = Literal["equal", "different", "several_answers", "reference_unparsable", "timeout"]

_ASKS_TO_ROUND = re.compile(
    r"\bround(?:ed|ing)?\s(?:\w+\s){0,4}(?:to|off|up|down)\b|\bto (?:the )?nearest|\bapproximat"
    r"|decimal place|significant (?:figure|digit)|精确到|保留|四舍五入|近似|约(?:为|是|等于)",
    re.IGNORECASE,
)
_CHAIN = re.compile(
    r"\s*(?:=|≈|\bor approximately\b|\bapproximately\b|, or about\b|\(approximately)\s*"
)


def compare(found: str, reference: str, question: str = "") -> Comparison:
    """How the plain text found compares with the plain reference.

    Args:
        found: the answer, as plain text.
        reference: the reference answer, as plain text that is not empty.
        question: where it asks to round, rounded numbers are admitted.
    """
    if words_key(found) == words_key(reference) and words_key(found):
        return "equal"
    rounding: Rounding = "asked" if _ASKS_TO_ROUND.search(question[:20_000]) else "forms"
    return _compare(found, reference, rounding)


def _compare(found: str, reference: str, rounding: Rounding) -> Comparison:
    polarity = read_polarity(reference)
    if polarity is not None:
        return "equal" if read_polarity(found) == polarity else "different"
    date, clock = read_date(reference), read_clock(reference)
    if date is not None and (other := read_date(found)) is not None:
        return "equal" if date == other else "different"
    if clock is not None and (time := read_clock(found)) is not None:
        return "equal" if same_clock(time, clock) else "different"

    wanted = parse_quantity(reference)
    if wanted is not None:
        return _compare_with_number(found, wanted, reference, rounding)
    listing = read_listing(reference)
    if listing is not None and len(listing.items) == 1:
        return _compare(found, listing.items[0], rounding)
    if listing is not None and not _ALGEBRA.search(reference):
        outcome = _compare_listing(found, listing, rounding)
        if outcome == "equal" or all(parse_quantity(item) for item in listing.items):
            return outcome
    if _may_be_mathematics(found, reference):
        return same_mathematics(found, reference)
    return "different"


def _compare_with_number(
    found: str, wanted: Number, reference: str, rounding: Rounding
) -> Comparison:
    bare = without_name(found)
    numbers = [parse_quantity(part) for part in _CHAIN.split(bare) if part.strip(" ()")]
    if numbers and all(numbers):
        stated = [number for number in numbers if number]
        if not all(_agree(one, stated[0]) for one in stated[1:]):
            return "several_answers"
        is_equal = any(same_number(number, wanted, rounding) for number in stated)
        return "equal" if is_equal else "different"
    listing = read_listing(found)
    if listing is not None:
        values = [parse_quantity(item) for item in listing.items]
        first = values[0]
        if len(values) == 1 or all(v and first and same_number(v, first) for v in values):
            return _compare_with_number(listing.items[0], wanted, reference, rounding)
        if any(values):
            return "several_answers"
    if _may_be_mathematics(bare, reference):
        return same_mathematics(bare, reference)
    return "different"


def _agree(one: Number, other: Number) -> bool:
    """Whether two links of one chain (`2√5 ≈ 4.5`) state the same number, rounded or not."""
    return (
        same_number(one, other, "choices")
        or same_number(one, other, "asked")
        or same_number(other, one, "asked")
    )


def _compare_listing(found: str, wanted: Listing, rounding: Rounding) -> Comparison:
    """Element by element; in any order where the reference has no order."""
    listing = read_listing(found)
    if listing is None:
        return "different"
    both_bracketed = bool(listing.opening and wanted.opening)
    if both_bracketed and (listing.opening, listing.closing) != (wanted.opening, wanted.closing):
        return "different"
    if len(listing.items) != len(wanted.items):
        return "different"
    if wanted.is_ordered:
        pairs = zip(listing.items, wanted.items, strict=True)
        return "equal" if all(_is_same_item(f, w, rounding) for f, w in pairs) else "different"
    left = list(listing.items)
    for item in wanted.items:
        match = next((other for other in left if _is_same_item(other, item, rounding)), None)
        if match is None:
            return "different"
        left.remove(match)
    return "equal"


def _is_same_item(found: str, reference: str, rounding: Rounding) -> bool:
    if words_key(found) == words_key(reference):
        return True
    number, wanted = parse_quantity(found), parse_quantity(reference)
    if number and wanted:
        return same_number(number, wanted, rounding)
    if read_listing(found) and (listing := read_listing(reference)):
        return _compare_listing(found, listing, rounding) == "equal"
    return False


_FUNCTIONS = {"sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "lim", "max", "min"}
_LETTERS = re.compile(r"(?<!\\)\b[A-Za-z]{2,}\b")
_MATHEMATICAL = re.compile(r"[\d+\-*/^=<>≤≥√π∞∪(\[\\]")
_ALGEBRA = re.compile(r"[=<>≤≥∪∞]")
_NEVER_IN_FORMULAS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
"""What a policy writes that has not learned to write yet; algebra would take it to pieces first."""
_HEAVY = re.compile(
    r"\\(?:int|sum|prod|lim)(?![a-z])"
    r"|[)\]}]\s*\^\s*\{?\s*-?\d{2,}|\^\s*\{?\s*-?\d{3,}|\^\s*\{?[^{}+*/=]*\^|\d{3,}\s*!"
    r"|(?:[({]\s*){8,}"
)
"""What keeps algebra busy: sums, high powers, powers of powers, deep nesting."""
MAX_MATHEMATICS_CHARS = 300


def _may_be_mathematics(found: str, reference: str) -> bool:
    """Whether both texts are formulas, so that algebra can make them equal.

    An answer that is heavier than its reference is not evaluated: else an answer could be written
    so that its comparison times out, and escape being wrong.
    """
    is_heavy = _HEAVY.search(found) and not _HEAVY.search(reference)
    return not is_heavy and _is_formula(found) and _is_formula(reference)


def _is_formula(text: str) -> bool:
    if len(text) > MAX_MATHEMATICS_CHARS or not _MATHEMATICAL.search(text):
        return len(text) == 1 and text.isalpha()
    if _NEVER_IN_FORMULAS.search(text):
        return False
    words = [w for w in _LETTERS.findall(re.sub(r"\\[A-Za-z]+", " ", text)) if w not in _FUNCTIONS]
    return not any(len(word) > 3 or word.isupper() for word in words)
