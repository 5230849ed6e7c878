"""Which values a text gives to what a claim is about, sentence by sentence.

A subject may be named before a colon ("Wins: Hawks 14, Owls 9") or go on behind a comma ("the
height, the dashed line, is 6"). A value that is taken back later ("wait, no") is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .binding import Value, bound_values
from .claims import Claim
from .statements import Reading
from .tokens import Sentence, Token
from .vocabulary import (
    CONTINUES,
    CORRECTIONS,
    EXCLUSIVE,
    FILLER,
    OTHER_UNITS,
    TOGETHER,
    UNITS,
    WEAK,
)


def values_given(claim: Claim, reading: Reading) -> list[Value]:
    """The values that the text gives to the claim's subject, in order, without those taken back."""
    subject = _subject(claim)
    if not subject & reading.values:
        return []
    found = [
        value
        for sentence in reading.sentences
        if not subject.isdisjoint(sentence.values)
        for value in _in_sentence(claim, sentence)
    ]
    return _without_corrected([value for value in found if _is_alike(claim, value)], reading)


def _subject(claim: Claim) -> frozenset[str]:
    """What must be named: `OA` alone in `the radius OA`, but all of `Class B has 22 boys`."""
    if all(len(name) == 1 for name in claim.names):
        return claim.names | claim.words
    return claim.names


def _is_of_another(claim: Claim, tokens: Sequence[Token]) -> bool:
    """Whether the words speak of another thing of the kind: the left mass, not the right one."""
    values = {token.value for token in tokens}
    return any(claim.words & group and values & group - claim.words for group in EXCLUSIVE)


def _is_alike(claim: Claim, value: Value) -> bool:
    """Whether the value can be one of the same quantity: a slope's angle is not its length."""
    if claim.unit in UNITS and value.unit in UNITS:
        return UNITS[claim.unit][0] == UNITS[value.unit][0]
    return not (claim.is_count and value.unit in UNITS)


def is_equal(claim: Claim, value: Value) -> bool:
    """Whether a value is the one claimed; a unit that is not named fits any."""
    if value.is_denied or (value.unit in OTHER_UNITS and value.unit != claim.unit):
        return False
    if not (isinstance(claim.value, float) and isinstance(value.value, float)):
        return claim.value == value.value
    wanted, given = claim.value, value.value
    if claim.unit in UNITS and value.unit in UNITS:
        wanted, given = wanted * UNITS[claim.unit][1], given * UNITS[value.unit][1]
    return abs(wanted - given) <= 1e-9 * max(1.0, abs(wanted))


def _in_sentence(claim: Claim, sentence: Sentence) -> Iterator[Value]:
    context: tuple[Token, ...] = ()
    segments = list(sentence.segments())
    for place, segment in enumerate(segments):
        heading, rest = _heading(segment)
        context = tuple(t for t in heading if t.kind != "number") or context
        before = segments[place - 1] if place else ()
        if any(t.value in TOGETHER and t.value not in claim.words for t in (*before, *segment)):
            continue
        values = _in_segment(claim, segment)
        if context and (not values or heading):
            values = _in_segment(claim, context + rest) or values
        if not values:
            values = _in_segment(claim, _continued(segments, place))
        if len(values) == 1 and _is_beside(claim, values[0], segment):
            values = [values[0]._replace(is_adjacent=False)]
        yield from values


def _is_beside(claim: Claim, value: Value, segment: Sequence[Token]) -> bool:
    """Whether the value claimed stands beside another that was taken: `1 cm stands for 5 km`."""
    return any(token.value == claim.value and token.start != value.start for token in segment)


def _continued(segments: Sequence[tuple[Token, ...]], place: int) -> tuple[Token, ...]:
    """The segment with what goes on about it behind one comma or two: `the height, ..., is 8`."""
    for far in (1, 2):
        if place + far < len(segments) and segments[place + far][0].value in CONTINUES:
            return tuple(token for part in segments[place : place + far + 1] for token in part)
    return ()


def _heading(segment: tuple[Token, ...]) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """What stands before a colon, and is said of all that follows in the sentence; and the rest."""
    for place, token in enumerate(segment[:12]):
        if token.value == ":":
            return segment[:place], segment[place + 1 :]
    return (), segment


def _in_segment(claim: Claim, tokens: Sequence[Token]) -> list[Value]:
    subject = _subject(claim)
    places = [n for n, token in enumerate(tokens) if token.value in subject | claim.labels]
    if not places:
        return []
    named = {tokens[n].value for n in places}
    is_firm = subject | claim.labels <= named
    is_half = claim.labels <= named and len(named & subject) * 2 >= len(subject)
    if not is_firm and (not claim.words or not is_half or _is_of_another(claim, tokens)):
        return []
    if not is_firm and (_names_another(claim, tokens) or _counts_another(claim, tokens)):
        return []
    if len(subject) == 1 and not claim.labels and len(places) > 1:
        ends = [*places[1:], len(tokens)]  # AB = 8 or AB = 9
        starts = [0, *places[1:]]
        parts = (tokens[start:end] for start, end in zip(starts, ends, strict=True))
        return [value for part in parts for value in _in_segment(claim, part)]
    return bound_values(claim, tokens, places[0], places[-1], is_firm)


def _counts_another(claim: Claim, tokens: Sequence[Token]) -> bool:
    """Whether what is counted goes by another word: four windows, not four doors."""
    known = FILLER | WEAK | claim.words
    return not claim.unit and any(
        number.kind == "number" and token.kind == "word" and token.value not in known
        for number, token in pairwise(tokens)
    )


def _names_another(claim: Claim, tokens: Sequence[Token]) -> bool:
    """Whether another word may stand in the place of what is missing: the share of food."""
    known = FILLER | WEAK | claim.words
    spoken = [token for token in tokens if token.value not in ("the", "a", "an", "its")]
    return any(
        token.kind == "word"
        and token.value not in known
        and (before.value in ("of", "for") or behind.value in _IS_OR_HAS)
        for before, token, behind in zip(
            [*spoken[:1], *spoken], spoken, [*spoken[1:], *spoken[-1:]], strict=False
        )
    )


_IS_OR_HAS = frozenset({"is", "are", "has", "have"})


def _without_corrected(values: list[Value], reading: Reading) -> list[Value]:
    """The values behind the last correction that is followed by one; all where there is none."""
    if len({value.value for value in values}) < 2 or not CORRECTIONS & reading.values:
        return values
    for sentence in reversed(reading.sentences):
        for token in reversed(sentence.tokens):
            if token.value in CORRECTIONS:
                behind = [value for value in values if value.start > token.start]
                if behind:
                    return behind
    return values
