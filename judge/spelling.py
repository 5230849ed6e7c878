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
    (re.compile(r"\bm(?=∠)"), ""),
    (re.compile(r"\b[Aa]ngles? (?:at|of) (?=[A-Z]\b)"), "∠"),
    (re.compile(r"\b[Aa]ngles (\d) and (\d)\b"), r"∠\1 and ∠\2"),
    (re.compile(r"\b[xX]-axis"), "horizontal axis"),
    (re.compile(r"\b[yY]-axis"), "vertical axis"),
)


def in_one_spelling(plain: str) -> str:
    """The plain text as the rules know it."""
    for pattern, spelt in _DENIALS:
        plain = pattern.sub(spelt, plain)
    if "∠" in plain or "ngle" in plain or "-axis" in plain:
        for pattern, spelt in _SPELLINGS:
            plain = pattern.sub(spelt, plain)
    return with_tables_spelt_out(plain.translate(_MARKS))
