"""What a text must hold for any wording of a statement to be in it.

A model may hear a fact in words that the rules do not know. It cannot hear a value that is not
there.
"""

from __future__ import annotations

import re

from .claims import claim_of
from .statements import Reading
from .vocabulary import EXCLUSIVE

_PUTS = "headed|titled|labell?ed|called|named|says|reads|is|marked|word|title|heading"


SHORT_LABEL = 5
"""In characters; a shorter label must be put as one, such as `t (s)`: anything might hold it."""


def is_grounded(statement: str, reading: Reading) -> bool:
    """Whether the text holds what no wording of the statement can do without.

    That is its value, or its quoted text, or the word that sets it apart from what excludes it (the
    colour, the shape, the direction), or else any of its words. In letters that the vocabulary does
    not know only the value is looked for.
    """
    claim = claim_of(statement)
    if claim.quoted is not None:
        return holds_label(claim.quoted, reading.text)
    words = {*claim.names, *claim.words}
    if reading.is_read and len(words & reading.values) * 2 < len(words):
        return False
    if claim.value is not None and not isinstance(claim.value, str):
        return bool(_spellings(claim.value) & reading.values) or _has_numeral(claim.value, reading)
    if not reading.is_read:
        return True
    vital = {word for group in EXCLUSIVE for word in words & group}
    if claim.relation is not None:
        vital |= claim.names
    return vital <= reading.values


def holds_label(label: str, text: str) -> bool:
    """Whether a text holds a label; one of a single word must be put as one, for words are many."""
    if len(label.split()) > 1 and len(label) > SHORT_LABEL:
        return folded(label) in folded(text)
    put = rf"""(?:["':=]|\b(?:{_PUTS}))\s*["']?{re.escape(label)}["']?\s*(?:["'.,;:)\n]|$)"""
    return re.search(put, text, re.IGNORECASE) is not None


def _spellings(value: float) -> set[str | float]:
    """The value, and what it is in units a hundred or a thousand times as large or small."""
    return {value, *(round(value * factor, 9) for factor in (0.001, 0.01, 10, 100, 1000))}


def _has_numeral(value: float, reading: Reading) -> bool:
    return value in range(11) and "零一二三四五六七八九十"[int(value)] in reading.text


def folded(text: str) -> str:
    """The words of a text in small letters, with a blank around each."""
    return f" {' '.join(''.join(c if c.isalnum() else ' ' for c in text.lower()).split())} "
