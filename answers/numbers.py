r"""Numbers as people write them: `2 \sqrt { 221 }`, `3 1/2`, `1,234`, `12%`, `5 cm`, `三`.

What counts as the same number is stated at `same_number`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from .expressions import NotANumber, TooLarge, Value, evaluate
from .units import Unit, split_unit

Rounding = Literal["forms", "asked", "choices"]

MAX_NUMBER_CHARS = 300
_CLOSE = Fraction(1, 10**12)


@dataclass(frozen=True)
class Number:
    """A number as somebody wrote it.

    Attributes:
        value: exact, unless roots or π occur in it; infinite where it is too large to compute,
            and then the same as no other number.
        decimals: digits behind the point when it is written as a decimal, else None.
        digits: significant digits when it is written as a decimal, else None.
        unit: the known unit that is written with it.
        is_percent: a percent sign or word is written with it; `value` is the figure before it.
    """

    value: Value
    decimals: int | None = None
    digits: int | None = None
    unit: Unit | None = None
    is_percent: bool = False


_HEDGE = re.compile(
    r"(?:(?:is|are|equal to|equals|be|approximately|approx\.?|about|around|roughly|nearly|exactly"
    r"|only|also|just|a total of|大约|约为|约|共|≈|=)\s*)+(?=[-+\d.(√π\\＄€£¥a-z一-鿿])",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\s*(?:%|percent|per cent|percentage points?|pct)\Z", re.IGNORECASE)
_WORDS_BEHIND = re.compile(
    r"(?<=[\d)}])(?:\s+(?!(?:times|the|and|more|less|than|out|from)\b)[a-zA-Z][a-zA-Z-]{2,}){1,3}\Z"
    r"|(?<=\d)\s*[一-鿿]{1,3}\Z"
)


@lru_cache(maxsize=16_384)
def parse_number(text: str) -> Number | None:
    """The number that the plain text consists of, or None when it is anything else.

    A known unit, a percent sign, up to three further words behind it (`5 red balls`) and hedges
    before it (`approximately 5`) are read; a word that is a number is one (`twelve`, `十二`).
    """
    text = _HEDGE.sub("", text.strip(), count=1) if _HEDGE.match(text.strip()) else text.strip()
    if not text or len(text) > MAX_NUMBER_CHARS:
        return None
    if text.startswith("百分之"):
        text = text.removeprefix("百分之") + "%"
    if match := _PERCENT.search(text):
        number = _parse_amount(text[: match.start()])
        return number and replace(number, is_percent=True)
    if number := _parse_amount(text):
        return number
    amount, unit = split_unit(text)
    if unit and (number := _parse_amount(amount)):
        return replace(number, unit=unit)
    shorter = _WORDS_BEHIND.sub("", text)
    return _parse_amount(shorter) if shorter != text else None


_NAME = re.compile(
    r"\s*(?:m\s*)?(?:∠|△|⊙|\\[a-zA-Z]+\s*|length of |measure of )?"
    r"[A-Za-zα-ω][\w'′]{0,5}(?:_\{?\w{1,4}\}?)?(?:\([A-Za-z]\))?\s*=\s*(?=[^=])"
)


def without_name(text: str) -> str:
    """The plain text without the name of a quantity and the equals sign before it (`AB = `)."""
    match = _NAME.match(text)
    return text[match.end() :] if match else text


def parse_quantity(text: str) -> Number | None:
    """The number that the plain text consists of, with or without its name (`AB = 5 cm`)."""
    return parse_number(text) or parse_number(without_name(text))


_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "万": 4, "亿": 8}
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_DECIMAL = re.compile(r"[-+]?\s*(\d*)\.(\d+)\Z")
_MIXED = re.compile(
    r"([-+]?)\s*(\d+)(?:\s+(\d+)\s*/\s*(\d+)|\s*\\frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\})\Z"
)
_RATIO = re.compile(r"(\d+(?:\.\d+)?)\s*(?::|to|比)\s*(\d+(?:\.\d+)?)\Z")
_CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d\Z")


def _parse_amount(text: str) -> Number | None:
    """The number that a text without unit consists of."""
    text = text.strip()
    for read in (_from_words, _mixed, _ratio):
        if (value := read(text)) is not None:
            return Number(value)
    folded = text.casefold()
    for word, power in _SCALES.items():
        if folded.endswith(word) and (number := _parse_plain(text[: -len(word)])):
            return Number(number.value * 10**power)
    return _parse_plain(text)


def _parse_plain(text: str) -> Number | None:
    text = _GROUPED.sub(lambda match: match[0].replace(",", ""), text.strip())
    try:
        value = evaluate(text)
    except TooLarge:
        return Number(math.inf)
    except (NotANumber, ZeroDivisionError):
        return None
    if match := _DECIMAL.match(text):
        digits = (match[1] + match[2]).lstrip("0")
        return Number(value, decimals=len(match[2]), digits=len(digits))
    return Number(value)


def _mixed(text: str) -> Fraction | None:
    match = _MIXED.match(text)
    if match is None or len(text) > 60:
        return None
    sign, whole, *parts = match.groups()
    above, below = (int(part) for part in parts if part is not None)
    if not 0 < above < below:
        return None
    value = int(whole) + Fraction(above, below)
    return -value if sign == "-" else value


def _ratio(text: str) -> Fraction | None:
    match = _RATIO.match(text)
    if match is None or _CLOCK.match(text) or len(text) > 60 or not Fraction(match[2]):
        return None
    return Fraction(match[1]) / Fraction(match[2])


_ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_TEENS = "sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: value for value, word in enumerate(f"zero {_ONES} {_TEENS}".split())}
_NUMBER_WORDS |= {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
_ZH_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_ZH_TENS = re.compile(r"([一二三四五六七八九])?十([一二三四五六七八九])?\Z")


def _from_words(text: str) -> Fraction | None:
    words = text.casefold().replace("-", " ").split()
    if text in _ZH_DIGITS:
        return Fraction(_ZH_DIGITS[text])
    if match := _ZH_TENS.match(text):
        return Fraction(10 * _ZH_DIGITS.get(match[1], 1) + _ZH_DIGITS.get(match[2], 0))
    if not words or len(words) > 2 or not all(word in _NUMBER_WORDS for word in words):
        return None
    values = [_NUMBER_WORDS[word] for word in words]
    if len(values) == 2 and not (values[0] >= 20 and 0 < values[1] < 10):
        return None
    return Fraction(sum(values))


def same_number(found: Number, reference: Number, rounding: Rounding = "forms") -> bool:
    """Whether the number found is the reference number.

    Equal values are. Beyond that, a number may be rounded:

    - `forms`: what no decimal can state (a root, π, 40/3) to a decimal with a digit behind the
      point and three significant ones, on either side;
    - `asked`, for a question that asks to round: also a finer decimal, or any form, found for a
      reference that is a coarser decimal or an integer;
    - `choices`, where a fixed list tells the candidates apart: also a finer decimal and a coarser
      one with a digit behind the point, on either side.

    So 4√22 = 18.76... is never 18.79; 18.8 is 18.79, and 2.54 is 2.5, among choices only.
    """
    if math.inf in (found.value, reference.value):
        return False
    if found.unit and reference.unit and found.unit != reference.unit:
        is_same_kind = found.unit.dimension == reference.unit.dimension
        return is_same_kind and _is_close(_in_base_units(found), _in_base_units(reference))
    if found.is_percent != reference.is_percent:
        bare, percent = (reference, found) if found.is_percent else (found, reference)
        return _is_close(bare.value, percent.value) or _is_close(bare.value * 100, percent.value)
    if _is_close(found.value, reference.value):
        return True
    if _rounds_to(found, reference, "forms") or _rounds_to(reference, found, "forms"):
        return True
    if rounding == "choices":
        return _rounds_to(found, reference, rounding) or _rounds_to(reference, found, rounding)
    return rounding == "asked" and _rounds_to(found, reference, rounding)


def _in_base_units(number: Number) -> Value:
    factor = number.unit.factor if number.unit else Fraction(1)
    return number.value * (factor if isinstance(number.value, Fraction) else float(factor))


def _is_close(left: Value, right: Value) -> bool:
    """Whether two values are equal, but for the noise of floating point arithmetic."""
    left, right = Fraction(left), Fraction(right)
    return abs(left - right) <= max(abs(left), abs(right)) * _CLOSE


def _rounds_to(fine: Number, coarse: Number, rounding: Rounding) -> bool:
    """Whether rounding the fine number to the decimals of the coarse one gives the coarse one."""
    decimals = coarse.decimals
    if decimals is None:
        is_integer = isinstance(coarse.value, Fraction) and coarse.value.denominator == 1
        if not is_integer or rounding != "asked":
            return False
        decimals = 0
    if fine.decimals is not None and fine.decimals <= decimals:
        return False
    if rounding == "forms" and (_is_decimal(fine.value) or (coarse.digits or 0) < 3):
        return False
    half = Fraction(1, 2 * 10**decimals)
    return abs(Fraction(fine.value) - Fraction(coarse.value)) <= half


def _is_decimal(value: Value) -> bool:
    """Whether a finite decimal states the value exactly."""
    if isinstance(value, float):
        return False
    below = value.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1
