r"""Numeric expressions: the value of `2√{221}`, `\frac{40}{3}`, `6√2-6`, `1.2*10^5`.

Rational arithmetic is exact; roots and π make a value a float. A letter makes a text something else
than a number. The reader is bounded: in tokens, in depth, and in the size of what it computes.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

Value = Fraction | float

MAX_TOKENS = 120
MAX_TOKEN_CHARS = 60
MAX_DEPTH = 40
MAX_POWER = 64
MAX_BITS = 256
MAX_SIZE = 10**100


class NotANumber(Exception):
    """The text is no numeric expression."""


class TooLarge(Exception):
    """The text is a numeric expression whose value is out of all proportion."""


_TOKEN = re.compile(
    r"\s*(?:((?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,4}(?![\w.]))?)"
    r"|(\\frac|√|sqrt|π|pi(?![a-z])|[-+*/^(){}\[\]]))"
)
_CLOSING = {"(": ")", "{": "}", "[": "]"}


def evaluate(text: str) -> Value:
    """The value of a numeric expression in plain text.

    Raises:
        NotANumber: it is something else.
        TooLarge: computing it would take too long.
        ZeroDivisionError: it divides by zero.
    """
    reader = _Reader(_tokens(text))
    value = reader.sum()
    if reader.next:
        raise NotANumber
    if not _size(value) < MAX_SIZE:
        raise TooLarge
    return value


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    text, at = text.rstrip(), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) == MAX_TOKENS or len(match[0]) > MAX_TOKEN_CHARS:
            raise NotANumber
        tokens.append(match[1] or match[2])
        at = match.end()
    return tokens


class _Reader:
    """Reads one expression by recursive descent, one method for each rule of its grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.next
        if not token or (expected and token != expected):
            raise NotANumber
        self.at += 1
        return token

    def sum(self) -> Value:
        value = self.product()
        while self.next in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Value:
        """Factors; where no sign stands between two, the second is no bare number (`2√3`)."""
        value = self.signed()
        while self.next and self.next not in ("+", "-", ")", "}", "]"):
            if self.next in ("*", "/"):
                value = value * self.signed() if self.take() == "*" else value / self.signed()
            elif _is_literal(self.next):
                raise NotANumber
            else:
                value = value * self.power()
        return value

    def signed(self) -> Value:
        sign = 1
        while self.next in ("+", "-"):
            sign = -sign if self.take() == "-" else sign
        return sign * self.power()

    def power(self) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooLarge
        value = self.atom()
        if self.next == "^":
            self.take()
            value = _raise(value, self.signed())
        self.depth -= 1
        return value

    def atom(self) -> Value:
        token = self.take()
        if _is_literal(token):
            return _literal(token)
        if token in ("π", "pi"):
            return math.pi
        if token in _CLOSING:
            value = self.sum()
            self.take(_CLOSING[token])
            return value
        if token == r"\frac":
            return self.argument() / self.argument()
        if token in ("√", "sqrt"):
            return self.root()
        raise NotANumber

    def argument(self) -> Value:
        r"""The next argument of a LaTeX command: a group, or a single digit (`\frac12`)."""
        token = self.next
        if token.isdigit() and len(token) > 1:
            self.tokens[self.at : self.at + 1] = [token[0], token[1:]]
        return self.atom()

    def root(self) -> Value:
        index = 2
        if self.next == "[":
            self.take()
            token = self.take()
            if not token.isdigit() or not 2 <= int(token) <= MAX_POWER:
                raise NotANumber
            index = int(token)
            self.take("]")
        return _root(self.atom(), index)


def _is_literal(token: str) -> bool:
    return token[0].isdigit() or token[0] == "."


def _literal(token: str) -> Fraction:
    _, _, exponent = token.casefold().partition("e")
    if abs(int(exponent or 0)) > MAX_POWER:
        raise TooLarge
    return Fraction(token)


def _raise(base: Value, exponent: Value) -> Value:
    if _size(exponent) > MAX_POWER or _bits(base) > MAX_BITS:
        raise TooLarge
    try:
        raised = base**exponent
    except OverflowError:
        raise TooLarge from None
    if isinstance(raised, complex):
        raise NotANumber
    return raised


def _size(value: Value) -> Value:
    return -value if value < 0 else value


def _bits(value: Value) -> int:
    if isinstance(value, float):
        return 0
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _root(radicand: Value, index: int) -> Value:
    """The root; exact where it is rational."""
    if radicand < 0:
        raise NotANumber
    if isinstance(radicand, Fraction) and _bits(radicand) <= MAX_BITS:
        above, below = (_exact_root(part, index) for part in radicand.as_integer_ratio())
        if above is not None and below is not None:
            return Fraction(above, below)
    try:
        return math.sqrt(radicand) if index == 2 else float(radicand) ** (1 / index)
    except OverflowError:
        raise TooLarge from None


def _exact_root(number: int, index: int) -> int | None:
    guess = math.isqrt(number) if index == 2 else round(float(number) ** (1 / index))
    near = (guess - 1, guess, guess + 1)
    return next((root for root in near if root >= 0 and root**index == number), None)
