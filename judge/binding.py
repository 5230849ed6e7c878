"""Which value a run of tokens binds to a subject among them.

The value stands behind the subject ("AB = 5", "the bar for May is at 80"), between its words
("sales were 120 units in 2018"), or before it ("7 red apples", "a 12 V battery"). Alternatives
("5, 6 or 7") are all values; a range, a comparison and an unfinished sum are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .claims import Claim
from .tokens import ONE, SPELT, Token
from .vocabulary import DENIALS, FILLER, REFUTES, WEAK

_BINDS = frozenset("= : → ≈".split())
_STATES = _BINDS | {"is", "are", "number", "was", "were"}
_OPERATES = frozenset("+ - * / · × ÷".split())
_ALTERNATES = frozenset(
    "or either possibly probably perhaps maybe even ( & , o u ou oder или 或".split()
)
_RANGES = frozenset("between from than least most under over within exceed".split())
_COMPARES = frozenset(
    "more fewer less extra further lower higher greater smaller larger shorter longer time".split()
)
_EXCEPTS = frozenset("neither nor than except besides but without".split())
_BESIDE = frozenset("near beside below above before after behind under opposite to".split())
_THINGS = frozenset("bar line row column point one slice".split())
_HEDGES = frozenset("probably perhaps maybe possibly something like either nearly almost".split())
FARTHEST = 5
"""Other words that may stand between a subject and its value."""


class Value(NamedTuple):
    """A value that a text gives to a claim's subject.

    Attributes:
        start: in the text.
        group: the same for alternatives: `5 or 6`.
        is_adjacent: nothing but a copula stands between subject and value.
        is_firm: the whole subject is named, not a part of it.
    """

    value: str | float
    unit: str
    start: int
    group: int
    is_adjacent: bool
    is_firm: bool
    is_denied: bool


def bound_values(
    claim: Claim, tokens: Sequence[Token], first: int, last: int, is_firm: bool
) -> list[Value]:
    """The values of the subject whose words stand at the places from `first` to `last`."""
    if first and tokens[first - 1].value in _EXCEPTS:
        return []
    if _is_beside(claim, tokens, first):
        return []
    inside = _numbers(claim, tokens[first:last])
    if len(inside) == 1:
        return [_value(inside[0], True, is_firm, tokens[first:last])]
    behind = _behind(claim, tokens, last, is_firm)
    before = _before(claim, tokens, first, is_firm)
    if before and before[0].is_adjacent and not (behind and behind[0].is_adjacent):
        return before
    return behind or before


def _is_beside(claim: Claim, tokens: Sequence[Token], first: int) -> bool:
    """Whether another thing is told by the subject: the bar next to May, the other line for it."""
    before = [token.value for token in tokens[max(0, first - 3) : first]]
    if "other" in before and not _BINDS & {*before} and "other" not in claim.words:
        return True
    things = [word for word in before if word != "next"]
    return len(things) > 1 and things[-1] in _BESIDE and things[-2] in _THINGS


def _behind(claim: Claim, tokens: Sequence[Token], last: int, is_firm: bool) -> list[Value]:
    """The value behind the subject, with its alternatives."""
    if _is_operand(tokens, last):
        return []
    others = 0
    for place in range(last + 1, len(tokens)):
        token = tokens[place]
        if _counts(claim, token):
            passed = tokens[last + 1 : place]
            if claim.is_count and (others or not any(one.value in _STATES for one in passed[:2])):
                return []
            chained = _chained(tokens, place)
            if chained is None or any(one.value in _RANGES for one in passed[-2:]):
                return []
            if any(one.value in _COMPARES for one in tokens[place + 1 : place + 2]):
                return []  # 5 more than CD
            passed = (*tokens[:last], *passed, *tokens[place + 1 : place + 4])
            values = [_value(chained, not others, is_firm, passed)]
            values += [_value(t, not others, is_firm, passed) for t in _alternatives(tokens, place)]
            return [value._replace(group=token.start) for value in values]
        if token.kind == "name" or token.value in _OPERATES:
            break
        if token.value == "(" and tokens[place - 1].value in _BINDS:
            continue
        if not _links(token) and token.value not in claim.words:
            others += 1
            if others > FARTHEST:
                break
    return []


def _is_operand(tokens: Sequence[Token], place: int) -> bool:
    """Whether what equals something is not the subject alone: `2·DE = 10`, `AD : DB = 2 : 3`."""
    if place + 1 >= len(tokens) or tokens[place + 1].kind == "number" or not place:
        return False
    before = tokens[place - 1].value
    return before in _OPERATES or (before == ":" and place > 1 and tokens[place - 2].kind == "name")


def _chained(tokens: Sequence[Token], place: int) -> Token | None:
    """The value at the end of `24/2 = 12`; None for a sum whose value is not said."""
    behind = tokens[place + 1].value if place + 1 < len(tokens) else ""
    is_with_number = place + 2 < len(tokens) and tokens[place + 2].kind == "number"
    if behind in ("to", "±") and is_with_number:
        return None
    if behind not in _OPERATES or not is_with_number:  # `blue 7 + red 2 = 9` is no sum of blue's
        return tokens[place]
    for number in range(place + 1, len(tokens) - 1):
        if tokens[number].value == "=":
            return tokens[number + 1] if tokens[number + 1].kind == "number" else None
        if tokens[number].kind == "word":
            return None
    return None


def _alternatives(tokens: Sequence[Token], place: int) -> Iterator[Token]:
    for token in tokens[place + 1 :]:
        if token.kind == "number":
            yield token
        elif token.value not in _ALTERNATES:
            return


def _before(claim: Claim, tokens: Sequence[Token], first: int, is_firm: bool) -> list[Value]:
    """The value before the subject: `7 red apples`, `24 for the whole base DF`."""
    others = 0
    for place in range(first - 1, -1, -1):
        token = tokens[place]
        if _counts(claim, token):
            if place and tokens[place - 1].value in _RANGES:
                return []
            if any(one.value in _COMPARES for one in tokens[place + 1 : first]):
                return []  # 5 more green balloons
            return [_value(token, not others, is_firm, tokens[:first])]
        if token.kind == "name" or token.value in _BINDS or token.value in _OPERATES:
            return []
        if not _links(token):
            others += 1
            if others > FARTHEST:
                return []
    return []


def _numbers(claim: Claim, tokens: Sequence[Token]) -> list[Token]:
    """The numbers that may be the subject's; `5 more` is none."""
    return [
        token
        for place, token in enumerate(tokens)
        if _counts(claim, token)
        and not any(behind.value in _COMPARES for behind in tokens[place + 1 : place + 2])
    ]


def _counts(claim: Claim, token: Token) -> bool:
    """Whether the token is a number that may be the subject's."""
    if token.kind != "number" or token.value in claim.labels:
        return False
    return token.unit != ONE or claim.value == 1.0


def _value(token: Token, is_adjacent: bool, is_firm: bool, passed: Sequence[Token]) -> Value:
    is_denied = any(one.value in DENIALS or one.value in REFUTES for one in passed)
    is_plain = is_adjacent and is_firm and token.unit not in (SPELT, ONE)
    start = token.start
    return Value(token.value, token.unit, start, start, is_plain, is_firm, is_denied)


def _links(token: Token) -> bool:
    if token.kind == "word":
        return any(token.value in words for words in (FILLER, WEAK, _HEDGES, DENIALS))
    return token.value in _BINDS or token.value == '"'
