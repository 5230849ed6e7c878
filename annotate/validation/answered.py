"""Whether a visual fact is the answer itself, as in reading a chart or counting."""

from __future__ import annotations

from ...schemas.records import Problem
from .facts import Fact, last_number, read_fact


def is_the_answer(statement: str, fact: Fact, problem: Problem) -> bool:
    """Whether the statement says what is asked and agrees with the reference answer.

    A number answers when it is the reference's and the question does not give it; a text when the
    statement names it and speaks of what the question speaks of.
    """
    reference = _reference_text(problem)
    wanted, question = read_fact(reference), read_fact(problem.question)
    if wanted.numbers and not wanted.words:
        shared = (fact.words & question.words, fact.names & question.names)
        is_asked = any(shared) or bool(fact.numbers & question.numbers)
        value = last_number(statement)
        return is_asked and value in wanted.numbers and value not in question.numbers
    if not wanted.words or not wanted.words <= fact.words:
        return False
    others = fact.words - wanted.words
    return not fact.numbers - question.numbers and 2 * len(others & question.words) >= len(others)


def _reference_text(problem: Problem) -> str:
    """The reference answer's text, where it is given as a choice's letter."""
    choices, answer = problem.choices or [], problem.answer.strip(" ().")
    if len(answer) == 1 and answer.isascii() and answer.isalpha() and answer not in choices:
        index = ord(answer.upper()) - ord("A")
        if index < len(choices):
            return choices[index]
    return problem.answer
