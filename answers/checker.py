r"""The program that checks answers apart: a JSON line of items in, lines of their outcomes out.

`pr1 train` runs it beside the trainer (`train/answer_process.py`): to find and compare answers is
plain Python, and in a thread it would take the interpreter from the judge's event loop. It imports
nothing heavy; formulas go on to a worker of `worker.py`, under its hard time limit.

    [{"response": "So \boxed{12}.", "reference": "12", ...}, ...]  ->  [[true, "equal"], ...]
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

from ..schemas.errors import Pr1Error
from .check import check_answer

LEAVE_TOGETHER = 8
"""Outcomes in one line: each line wakes the reader, whose event loop has other work."""

POLITE = 10
"""Added to its niceness: answers are soon checked, and the judge's requests must not wait."""

FIRST_FORMULA = (r"\boxed{x+1}", "1+x")
"""Compared before anything is asked: the worker starts, and imports for most of a second."""


def main() -> None:
    """Answers one line of items after another until standard input ends."""
    # Ctrl-C goes to the whole group of processes, and the step under way still needs its answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(POLITE)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # a library that prints must not answer for us
    with suppress(Pr1Error):  # said when a formula is asked
        check_answer(*FIRST_FORMULA)
    with suppress(BrokenPipeError):  # who asked is gone
        for line in sys.stdin:
            _answer(json.loads(line), answers)


def _answer(items: list[dict[str, Any]], answers: TextIO) -> None:
    try:
        for at in range(0, len(items), LEAVE_TOGETHER):
            checks = [check_answer(**item) for item in items[at : at + LEAVE_TOGETHER]]
            said = [(check.is_correct, check.reason) for check in checks]
            print(json.dumps(said), file=answers, flush=True)
    except Pr1Error as error:
        print(json.dumps(str(error)), file=answers, flush=True)


if __name__ == "__main__":
    main()
