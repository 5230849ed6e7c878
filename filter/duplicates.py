"""Near-duplicate problems: the same question about the same picture, asked again.

Two problems are duplicates when **all** of this agrees:

- the question with its choices: either its words are equal, or at least 0.8 of their five-character
  runs are shared and its numbers, names and negations are equal;
- the pictures, in order: hashes within 4 of 64 bits;
- the reference answer, unless the words and the pictures' bytes are equal.

The picture's hash does not see that one digit of a diagram differs, but then the answer does. One
picture file with one question and two answers is a labelling error, of which one row is enough.
Different questions about one picture are different problems: "there is a square" and "there is no
square" have most of their characters in common.
"""

from __future__ import annotations

import hashlib
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..schemas.records import Problem
from .pictures import are_near, pieces
from .texts import Hashes, band_keys, jaccard, particulars, shingles, words

LEAST_JACCARD = 0.8
# Thousands of similar questions about one picture file would otherwise be compared in pairs. Equal
# questions have a key of their own, so that no number of similar ones hides them.
MOST_PER_KEY = 100


@dataclass(frozen=True)
class ProblemSignature:
    """What two problems are compared by.

    Attributes:
        text: hash of the words of the question and its choices.
        files: hash of the pictures' bytes.
        pictures: perceptual hashes.
    """

    id: str
    text: bytes
    runs: Hashes
    particulars: tuple[str, ...]
    answer: str
    files: bytes
    pictures: tuple[int, ...]


class DuplicateIndex:
    """Problems kept so far. Only candidates that share text and picture keys are compared."""

    def __init__(self) -> None:
        self._by_key: defaultdict[int, list[ProblemSignature]] = defaultdict(list)

    def add(self, problem: ProblemSignature) -> None:
        """Remember a problem that is kept."""
        for key in _keys(problem):
            if len(self._by_key[key]) < MOST_PER_KEY:
                self._by_key[key].append(problem)

    def find(self, problem: ProblemSignature) -> ProblemSignature | None:
        """A problem added before that this one repeats, or None."""
        seen = set()
        for key in _keys(problem):
            for other in self._by_key.get(key, ()):
                if other.id not in seen and _is_duplicate(problem, other):
                    return other
                seen.add(other.id)
        return None


def problem_signature(problem: Problem, pictures: Sequence[int]) -> ProblemSignature:
    """The problem's signature.

    Args:
        problem: with its pictures.
        pictures: their perceptual hashes.
    """
    text = "\n".join([problem.question, *(problem.choices or [])])
    text_words = words(text)
    files = hashlib.sha256()
    for image in problem.images:
        files.update(hashlib.sha256(image.bytes).digest())
    return ProblemSignature(
        id=problem.id,
        text=hashlib.sha256(" ".join(text_words).encode("utf-8", "surrogatepass")).digest(),
        runs=shingles(text_words),
        particulars=particulars(text),
        answer=_answer(problem),
        files=files.digest(),
        pictures=tuple(pictures),
    )


def _answer(problem: Problem) -> str:
    """The reference answer, a choice's letter replaced by its text, without blanks and dollars."""
    answer = problem.answer.strip().strip("().").upper()
    letter = string.ascii_uppercase.find(answer) if len(answer) == 1 else -1
    choices = problem.choices or []
    text = choices[letter] if 0 <= letter < len(choices) else problem.answer
    return "".join(text.casefold().replace("$", "").split())


def _keys(problem: ProblemSignature) -> list[int]:
    """Keys of which two duplicates share one, the surest first.

    They hold all that must be equal, so that templates (one question with other numbers, one
    picture with many questions) do not fill a bucket with problems that are no duplicates.
    """
    looks = pieces(problem.pictures[0]) if problem.pictures else [0]
    likeness = [(problem.text,), *((band, problem.particulars) for band in band_keys(problem.runs))]
    alike = [hash((problem.answer, look, text)) for look in looks for text in likeness]
    # Not a set, whose order, and so the row that a duplicate is told to repeat, changes by the run.
    return list(dict.fromkeys([hash((problem.files, problem.text)), *alike]))


def _is_duplicate(first: ProblemSignature, second: ProblemSignature) -> bool:
    if len(first.pictures) != len(second.pictures):
        return False
    if not all(are_near(a, b) for a, b in zip(first.pictures, second.pictures, strict=True)):
        return False
    if first.text == second.text:
        return first.answer == second.answer or first.files == second.files
    return (
        first.answer == second.answer
        and first.particulars == second.particulars
        and jaccard(first.runs, second.runs) >= LEAST_JACCARD
    )
