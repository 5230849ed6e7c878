"""One spelling for signs, fractions, angles, axes and tables, before a text is read."""

from __future__ import annotations

import re

from .tables import with_tables_spelt_out

_MARKS = str.maketrans(
    {**dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)), "_": ""}
    | {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
)
_DENIALS = (
    (re.compile(r"!=|<>|=/="), "≠"),
    (re.compile(r"∦|\bnparallel\b"), " not ∥ "),
    (re.compile(r"¬"), " not "),
)
_SPELLINGS = (
    ("m∠", re.compile(r"\bm(?=∠)"), ""),
    ("ngle", re.compile(r"\b[Aa]ngles? (?:at|of) (?=[A-Z]\b)"), "∠"),
    ("ngles ", re.compile(r"\b[Aa]ngles (\d) and (\d)\b"), r"∠\1 and ∠\2"),
    ("-axis", re.compile(r"\b[xX]-axis"), "horizontal axis"),
    ("-axis", re.compile(r"\b[yY]-axis"), "vertical axis"),
)
"""What a text must hold for the form to be looked for, the form, and how it is spelt."""


def in_one_spelling(plain: str) -> str:
    """The plain text as the rules know it."""
    for pattern, spelt in _DENIALS:
        plain = pattern.sub(spelt, plain)
    for mark, pattern, spelt in _SPELLINGS:
        if mark in plain:
            plain = pattern.sub(spelt, plain)
    return with_tables_spelt_out(plain.translate(_MARKS))
