"""The worker process: compares formulas with math-verify, one JSON line in, one word out.

`worker.py` starts it as a program of its own. It imports sympy, which nothing else here does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys

MEMORY_BYTES = 4 * 1024**3
LAST_RESORT_S = 60

_LATEX = {
    "√": r"\sqrt ",
    "π": r"\pi ",
    "∞": r"\infty ",
    "∪": r"\cup ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "≠": r"\ne ",
    "±": r"\pm ",
    "∠": r"\angle ",
    "*": r" \cdot ",
    "｛": r"\{",
    "｝": r"\}",
    "°": r"^\circ ",
    "%": r"\%",
    "≈": "=",
    "＄": "",
}
_FUNCTION = re.compile(r"(?<![\\a-zA-Z])(?:sin|cos|tan|cot|sec|csc|log|ln|exp)(?![a-zA-Z])")
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)\s*°")


def to_latex(text: str) -> str:
    """Plain text as the LaTeX that math-verify reads; an angle inside a function in radians."""
    text = _FUNCTION.sub(lambda match: "\\" + match[0], text)
    if _TRIGONOMETRIC.search(text):
        text = _DEGREES.sub(r"{(\1 \\cdot \\frac{\\pi}{180})}", text)
    return "$" + "".join(_LATEX.get(character, character) for character in text) + "$"


def compare(found: str, reference: str) -> str:
    """`equal`, `different` or `reference_unparsable`, for two formulas in plain text."""
    from math_verify import LatexExtractionConfig, parse, verify

    wanted, stated = (
        parse(
            to_latex(text),
            [LatexExtractionConfig()],
            fallback_mode="no_fallback",
            parsing_timeout=0,
        )
        for text in (reference, found)
    )
    if not wanted:
        return "reference_unparsable"
    is_equal = verify(wanted, stated, timeout_seconds=0, allow_set_relation_comp=True)
    return "equal" if is_equal else "different"


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _limit_time() -> None:
    """Ends this process some time after its parent should have, in case that the parent is gone."""
    import signal

    if hasattr(signal, "alarm"):
        signal.alarm(LAST_RESORT_S)


def _end_with_the_reader() -> None:
    """Lets a write end this process, without a traceback, once nobody reads what it says."""
    import signal

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def main() -> None:
    """Answers one question a line until standard input ends."""
    logging.disable(logging.CRITICAL)
    _end_with_the_reader()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    sys.stdout = sys.stderr  # a library that prints must not answer for us
    _limit_memory()
    import math_verify  # noqa: F401

    print("ready", file=answers)
    for line in sys.stdin:
        question = json.loads(line)
        _limit_time()
        try:
            outcome = compare(question["found"], question["reference"])
        except Exception:
            outcome = "different"  # what sympy cannot handle is not shown to be equal
        print(outcome, file=answers)


if __name__ == "__main__":
    main()
