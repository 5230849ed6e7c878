"""Does a response's answer equal the reference? One answer for every stage.

`find.py`, `prose.py` and `conclusion.py` find the answer; `choices.py` and `compare.py` compare it;
`numbers.py` states what counts as the same number; `worker.py` keeps the processes in which
math-verify compares formulas. The rules in plain words: docs/answers.md.
"""

from .check import AnswerCheck, AnswerItem, Reason, check_answer, check_answers, find_answer
from .worker import close_workers

__all__ = [
    "AnswerCheck",
    "AnswerItem",
    "Reason",
    "check_answer",
    "check_answers",
    "close_workers",
    "find_answer",
]
