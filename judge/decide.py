"""One annotation against one completion, by rules: the verdict, and whether it is safe.

A quantity is looked for wherever the completion names its subject (`values.py`). The same value is
reflected, another one is contradicted, and so are several. What a sentence says in other words, or
of which it says only a part, is not safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..schemas.outcomes import VerdictWord
from .binding import Value
from .claims import Claim, claim_of, in_order, relation_in, words_about
from .exclusion import (
    excludes,
    goes_by_words,
    is_denied,
    is_rival,
    lists_another,
    words_in,
)
from .grounds import folded, holds_label
from .judge import JudgeTask
from .statements import Reading, read
from .tokens import Sentence, Token
from .values import is_equal, values_given
from .vocabulary import (
    CORRECTIONS,
    DENIALS,
    EXCLUSIVE,
    FILLER,
    RELATIONS,
    UNITS,
)


class Decision(NamedTuple):
    """A verdict, and whether the rules are sure of it."""

    verdict: VerdictWord
    is_safe: bool


_QUOTED = re.compile(r'"([^"\n]{1,200})"')
_RIGHT_ANGLE = r"\bright[- ](?:∠|angled?(?: mark(?:er)?)?,? (?:at|in) ){}\b"


def reading_of(task: JudgeTask) -> Reading:
    """The task's completion, read for what its annotations are about."""
    return read(
        task.completion, words_about(one.statement for one in (*task.annotations, *task.beside))
    )


def decide(statement: str, reading: Reading) -> Decision:
    """What the completion makes of the statement."""
    claim = claim_of(statement)
    decision = _decide(claim, reading)
    if decision.verdict != "reflected" or reading.asserted is None:
        return decision
    asserted = _decide(claim, reading.asserted)
    return asserted if asserted.verdict == "reflected" else Decision("absent", False)


def _decide(claim: Claim, reading: Reading) -> Decision:
    if claim.quoted is not None:
        return _decide_text(claim, claim.quoted, reading)
    if claim.value is not None and claim.relation is None:
        return _decide_value(claim, reading)
    return _decide_words(claim, reading)


def _decide_value(claim: Claim, reading: Reading) -> Decision:
    values = values_given(claim, reading)
    if not values:
        if _is_right_angle(claim, reading):
            return Decision("reflected", False)
        return Decision("absent", _is_foreign_to(claim, reading))
    firm = [value for value in values if value.is_firm]
    adjacent = [value for value in firm if value.is_adjacent]
    counted = adjacent or firm or values
    agreeing = [value for value in counted if is_equal(claim, value)]
    if len({UNITS[value.unit] for value in counted if value.unit in UNITS}) > 1 and not claim.unit:
        return Decision("contradicted", False)  # 8 inches or 8 feet
    is_safe = bool(adjacent) and all(is_equal(claim, value) == bool(agreeing) for value in firm)
    is_safe &= bool(agreeing) or all(_is_in_digits(value, reading) for value in counted)
    if len(agreeing) == len(counted):
        return Decision("reflected", is_safe)
    if not firm and (not agreeing or len({value.group for value in counted}) > 1):
        return Decision("absent", False)
    return Decision("contradicted", is_safe)


def _is_in_digits(value: Value, reading: Reading) -> bool:
    """Whether a value is no number in words, of which the rules may know only the beginning."""
    return not reading.text[value.start].isalpha()


def _is_right_angle(claim: Claim, reading: Reading) -> bool:
    """Whether the claim is that an angle has 90°, and the text says "a right angle at E"."""
    (name, *more) = claim.names or {""}
    if more or claim.value != 90.0 or not name.startswith("∠"):
        return False
    vertex = name[2] if len(name) == 4 else name[1]
    pattern = _RIGHT_ANGLE.format(re.escape(vertex))
    return re.search(pattern, reading.text, re.IGNORECASE) is not None


def _is_foreign_to(claim: Claim, reading: Reading) -> bool:
    """Whether the text speaks of nothing that the claim is about, in a language that is read."""
    about = {*claim.names, *claim.words, *claim.labels, claim.value}
    if about & reading.values or not reading.is_read:
        return False
    if isinstance(claim.value, str) and claim.unit == "clock":
        return False
    stems = {str(word)[:5] for word in reading.values}
    return not any(word[:5] in stems for word in claim.words)


def _decide_text(claim: Claim, quoted: str, reading: Reading) -> Decision:
    wanted = folded(quoted)
    is_found = is_other = False
    is_long = len(wanted.split()) > 1
    for sentence in reading.sentences:
        words = words_in(sentence.tokens)
        text = reading.text[sentence.tokens[0].start : sentence.tokens[-1].end + 1]
        is_about = claim.words <= words and not is_denied(sentence.tokens)
        others = {folded(one) for one in _QUOTED.findall(text)} - {wanted}
        is_there = holds_label(quoted, text)
        if is_there and (is_about or (is_long and not excludes(claim, sentence.tokens))):
            is_found = True
            is_other |= len(others) > 1 or (bool(others) and _offers(sentence))
        elif is_about and others:
            is_other = True
    if is_other:
        return Decision("contradicted", False)
    return Decision("reflected" if is_found else "absent", False)


def _offers(sentence: Sentence) -> bool:
    """Whether the sentence leaves a choice."""
    return not sentence.values.isdisjoint(("or", "either"))


def _decide_words(claim: Claim, reading: Reading) -> Decision:
    wanted = _wanted(claim)
    if not wanted:
        return Decision("absent", False)
    found: list[VerdictWord] = []
    for sentence in reading.sentences:
        here = _found_in(sentence, claim, wanted, reading)
        if here and not CORRECTIONS.isdisjoint(sentence.values):
            found.clear()  # the last word counts
        found += here
    if "contradicted" in found:
        return Decision("contradicted", False)
    if found:
        return Decision("reflected", False)
    return Decision("absent", _is_foreign_to(claim, reading))


def _wanted(claim: Claim) -> set[str | float]:
    """What a sentence must hold to state the claim, its relation apart."""
    wanted: set[str | float] = {*claim.words, *claim.labels} - {claim.relation}
    if claim.value is not None:
        wanted.add(claim.value)
    return wanted if goes_by_words(claim) else wanted | claim.names


def _found_in(
    sentence: Sentence, claim: Claim, wanted: set[str | float], reading: Reading
) -> list[VerdictWord]:
    """What a sentence says for and against the claim."""
    words = words_in(sentence.tokens)
    if not (claim.names | claim.words) & words:
        return []
    found: list[VerdictWord] = []
    if _covers(words, wanted) and _states(sentence) and _has_relation(claim, sentence, reading):
        closest = [part for part in sentence.segments() if _covers(words_in(part), wanted)]
        if not closest and claim.relation in _OF_ONE and _names_others(claim, sentence.tokens):
            return found
        is_refused = any(map(is_denied, closest or [sentence.tokens]))
        is_refused = is_refused != bool(claim.words & DENIALS)
        is_open = _offers_another(claim, sentence, reading) or lists_another(claim, sentence.tokens)
        found.append("contradicted" if is_refused or is_open else "reflected")
    is_offer = _offers(sentence)
    parts = [sentence.tokens] if is_offer else sentence.segments()
    if any(excludes(claim, part, is_offer) or is_rival(claim, part, reading) for part in parts):
        found.append("contradicted")
    return found


def _states(sentence: Sentence) -> bool:
    """Whether there is more to the sentence than names and values in a row."""
    return any(token.value in FILLER or token.kind == "sign" for token in sentence.tokens)


def _offers_another(claim: Claim, sentence: Sentence, reading: Reading) -> bool:
    """Whether the sentence leaves a choice between the relation and another: ∥ or ⊥."""
    if claim.relation is None or not _offers(sentence):
        return False
    text = reading.text[sentence.tokens[0].start : sentence.tokens[-1].end]
    return any(relation_in(text, name) for name, _ in RELATIONS if name != claim.relation)


_OF_ONE = frozenset({"midpoint", "tangent", "bisect", "diameter"})
"""Relations of one thing to another: both must stand in one part of the sentence."""


def _names_others(claim: Claim, tokens: Sequence[Token]) -> bool:
    return any(token.kind == "name" and token.value not in claim.names for token in tokens)


def _covers(words: set[str | float], wanted: set[str | float]) -> bool:
    """Whether the words are all there: of four or more, one may go by another name."""
    missing = wanted - words
    if not missing:
        return True
    is_vital = any(missing & group for group in EXCLUSIVE)
    is_word = all(isinstance(word, str) and word.islower() for word in missing)
    return len(missing) == 1 and len(wanted) >= 4 and is_word and not is_vital


def _has_relation(claim: Claim, sentence: Sentence, reading: Reading) -> bool:
    if claim.order:
        there = [word for word in in_order(sentence.tokens) if word in claim.order]
        if there != [word for word in claim.order if word in there]:
            return False
    if claim.relation is None:
        return True
    text = reading.text[sentence.tokens[0].start : sentence.tokens[-1].end]
    return relation_in(text, claim.relation)
