"""What words exclude of a claim: they deny it, give its subject a rival, or list what it is not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .claims import Claim, relation_in
from .statements import Reading
from .tokens import Token, content
from .vocabulary import DENIALS, EXCLUSIVE, REFUTES, RIVALS


def words_in(tokens: Sequence[Token]) -> set[str | float]:
    """The names, numbers and words that carry meaning."""
    return {token.value for token in content(tokens)}


def goes_by_words(claim: Claim) -> bool:
    """Whether names of one letter can be left out: the switch S is the switch."""
    return len(claim.words) > 1 and all(len(name) == 1 for name in claim.names)


def is_denied(tokens: Sequence[Token]) -> bool:
    """Whether a word denies; `no` alone, or before `wait`, only begins a correction."""
    for place, token in enumerate(tokens):
        if token.value == "no":
            behind = tokens[place + 1] if place + 1 < len(tokens) else None
            if behind is None or behind.kind == "cut" or behind.value == "wait":
                continue
        if token.value in DENIALS or token.value in REFUTES:
            return True
    return False


def lists_another(claim: Claim, tokens: Sequence[Token]) -> bool:
    """Whether a word that the claim needs stands in a row with what excludes it: red, blue."""
    said = [
        token.value
        for token in content(tokens)
        if token.kind != "number" and token.value not in DENIALS and token.value not in _LINKS
    ]
    pairs = [{one, other} for one, other in itertools.pairwise(said) if one != other]
    vital = claim.words | {claim.relation}
    return any(pair <= group and len(pair & vital) == 1 for group in EXCLUSIVE for pair in pairs)


_LINKS = frozenset("or either well whatever".split())


def is_rival(claim: Claim, tokens: Sequence[Token], reading: Reading) -> bool:
    """Whether words put what the claim is about in a relation that excludes the claim's."""
    about = claim.names | (claim.words - {claim.relation})
    if claim.relation not in RIVALS or not about or not about <= words_in(tokens):
        return False
    text = reading.text[tokens[0].start : tokens[-1].end]
    rivals = any(relation_in(text, rival) for rival in RIVALS[claim.relation])
    return rivals and not relation_in(text, claim.relation) and not is_denied(tokens)


def excludes(claim: Claim, tokens: Sequence[Token], is_offer: bool = False) -> bool:
    """Whether words speak of the claim's subject and give it what excludes the claim.

    Words that leave a choice (`is_offer`: "open or closed") exclude each of what they offer.
    """
    said = words_in(tokens)
    wanted = claim.words if goes_by_words(claim) else claim.names | claim.words
    for group in EXCLUSIVE:
        claimed = wanted & group
        about = wanted - claimed
        others = said & group - claimed
        if len(claimed) != 1 or not others or not about or not about <= said:
            continue
        if is_offer:
            return True
        if not claimed & said and any(_is_said_of(about, other, tokens) for other in others):
            return True
    return False


def _is_said_of(about: frozenset[str], other: str | float, tokens: Sequence[Token]) -> bool:
    """Whether a word is said of the subject: `the closed valve`, `the valve is now closed`."""
    subjects = [place for place, token in enumerate(tokens) if token.value in about]
    for place, token in enumerate(tokens):
        if token.value != other:
            continue
        if place + 1 in subjects:
            return True
        is_of_next = place + 1 < len(tokens) and bool(content(tokens[place + 1 : place + 2]))
        before = max((subject for subject in subjects if subject < place), default=None)
        if before is not None and not is_of_next and len(content(tokens[before + 1 : place])) <= 1:
            return True
    return False
