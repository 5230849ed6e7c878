"""Does an annotation in a person's words say what the question or the answer says already?

What `pr1 annotate` marks by reading phrases is marked here by spelling alone: a fact that stands in
the question as it is written, and a value that is the answer of a thing that the question names.
"""

from __future__ import annotations

from ..notation import to_plain
from ..schemas.records import Problem
from .claims import claim_of


def is_in_question(statement: str, problem: Problem) -> bool:
    """Whether the question holds the statement, blanks and case aside."""
    return _folded(statement) in _folded(problem.question)


def equals_answer(statement: str, problem: Problem) -> bool:
    """Whether it gives a thing that the question names the value that is the answer."""
    claim = claim_of(statement)
    if claim is None:
        return False
    answer = to_plain(_reference(problem)).text.strip(" .°")
    try:
        is_answer = float(answer.replace(",", "")) == claim.value
    except ValueError:
        return False
    return is_answer and _folded(claim.what) in _folded(problem.question)


def _folded(text: str) -> str:
    return "".join(to_plain(text).text.lower().split()).removesuffix(".")


def _reference(problem: Problem) -> str:
    """The reference answer, or the text of the choice whose letter it is."""
    choices, letter = problem.choices or [], problem.answer.strip(" ().")
    if len(letter) == 1 and letter not in choices:
        place = ord(letter.upper()) - ord("A")
        if 0 <= place < len(choices):
            return choices[place]
    return problem.answer
