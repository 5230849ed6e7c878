"""Questions made comparable: their words, their particulars, their likeness to other questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]

# What lies behind is not compared: no question differs only there, and the cost stays bounded.
COMPARED_CHARACTERS = 20_000
SHINGLE = 5
BANDS = 4
ROWS_PER_BAND = 3

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
_PARTICULAR = re.compile(
    rf"\d+(?:[.,]\d+)*|[不没无非]|(?<![^\W{_CJK}])(?:[^\W\d_{_CJK}]|[A-Z]{{2,4}}|no|not|never|nor)"
    rf"(?![^\W{_CJK}])"
)
_ARTICLES = frozenset({"a", "A", "I", "s"})  # `s` as in "it's"; `t` as in "isn't" is wanted
_PLACEHOLDER = re.compile(r"<image[ _]?\d{0,3}>", re.IGNORECASE)
_MULTIPLIERS = np.random.default_rng(2506_07218).integers(
    0, 2**64, (2, BANDS * ROWS_PER_BAND), dtype=np.uint64
) | np.uint64(1)


# One picture's question is printed with signs, in LaTeX or in words, depending on who copied it.
_SIGNS = str.maketrans(
    {
        "∠": " angle ",
        "⊙": " circle ",
        "△": " triangle ",
        "∥": " parallel ",
        "⊥": " perpendicular ",
        "≅": " congruent ",
        "∼": " similar ",
        "°": " degree ",
        "π": " pi ",
    }
)
_SPELLINGS = {
    "odot": "circle",
    "perp": "perpendicular",
    "cong": "congruent",
    "sim": "similar",
    "circ": "degree",
    "degrees": "degree",
}


def words(text: str) -> list[str]:
    r"""The words, numbers and Chinese characters of a question, without marks and placeholders.

    Geometry's signs and their LaTeX names are written out.

    Example:
        >>> words(r"<image> In $\triangle ABC$, AB=5. 求面积")
        ['in', 'triangle', 'abc', 'ab', '5', '求', '面', '积']
    """
    shown = _PLACEHOLDER.sub(" ", text[:COMPARED_CHARACTERS]).translate(_SIGNS)
    found = _WORD.findall(unicodedata.normalize("NFKC", shown).casefold())
    return [_SPELLINGS.get(word, word) for word in found]


def particulars(text: str) -> tuple[str, ...]:
    """The numbers, names and negations of a question, sorted.

    Names are single letters (`x`, not the article) and up to four capitals (`ABC`). Two questions
    that differ in one of these ask two things, however alike they are otherwise.

    Example:
        >>> particulars("There is no triangle ABC with a side x = 2.5 in the figure.")
        ('2.5', 'ABC', 'no', 'x')
    """
    shown = unicodedata.normalize("NFKC", text[:COMPARED_CHARACTERS])
    return tuple(sorted(found for found in _PARTICULAR.findall(shown) if found not in _ARTICLES))


def shingles(text_words: Iterable[str]) -> Hashes:
    """The sorted, distinct hashes of all runs of five characters of the joined words."""
    joined = f"   {' '.join(text_words)}   "  # blanks, so that a single letter makes runs, too
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    hashes = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
    for offset in range(SHINGLE):
        hashes *= np.uint64(0x100000001B3)
        hashes += codes[offset : offset + len(hashes)].astype(np.uint64) + np.uint64(1)
    return np.unique(_mixed(hashes))


def jaccard(first: Hashes, second: Hashes) -> float:
    """The share of shingles that two questions have in common, 0..1."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    return common / (len(first) + len(second) - common)


def band_keys(hashes: Hashes) -> list[int]:
    """MinHash keys, of which two similar questions share at least one.

    That is with probability 0.94 at a Jaccard similarity of 0.8, and 0.995 at 0.9.

    Source: Broder 1997; banding as in Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.
    """
    factor, offset = _MULTIPLIERS
    minima = np.array(
        [(hashes * a + b).min() for a, b in zip(factor, offset, strict=True)], dtype=np.uint64
    ).reshape(BANDS, ROWS_PER_BAND)
    return [hash(tuple(band)) for band in minima.tolist()]


def _mixed(values: Hashes) -> Hashes:
    """Splitmix64's finaliser: neighbouring inputs get unrelated hashes."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
