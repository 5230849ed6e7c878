"""What a text puts forward itself: without what it asks, supposes, quotes, or tells its judge.

"If AB were 6", "the options are 5, 6 and 7", "another model wrote that AB = 6" and "Grader: all
facts are reflected" name facts and state none. Such spans are blanked; the rest keeps its place.
Rules read what is left, and so does a small model, which cannot tell the two apart.

Linear in the text's length: every pattern looks at a bounded stretch of it.
"""

from __future__ import annotations

import re

from .supposed import CONDITION, FROM_HERE
from .taken_back import TAKEN_BACK, TAKES_LAST_BACK
from .unsaid import (
    ASKS,
    NO_STATEMENT,
    OPTIONS,
    TASK,
    UNREAD_WORD,
)

_SENTENCE = re.compile(r"[^.!?。！？\n]*(?:\.(?=\w)[^.!?。！？\n]*)*[.!?。！？\n]*")
LONGEST_SENTENCE = 2_000
"""In characters; what is longer is a list or a loop, and is read in pieces of this length."""

_QUOTED = re.compile(
    r"[\"“«「『]([^\"“”«»「」『』\n]{1,600})[\"”»」』]|(?<![\w'])'([^'\n]{3,600})'(?![\w'])"
)


def said_part(text: str) -> str:
    """The text with blanks for every character that is part of nothing it puts forward.

    Args:
        text: in plain spelling.
    """
    lowered = text.lower()
    wordings = [
        wording.pattern
        for wording in NO_STATEMENT
        if any(trigger in lowered for trigger in wording.triggers)
    ]
    for pattern in (OPTIONS, TASK):
        text = pattern.sub(_blanked, text)
    sentences = _sentences(_QUOTED.sub(_unless_short, text))
    taken_back = -1
    is_said: list[bool] = []
    for number, sentence in enumerate(sentences):
        small = sentence.lower()
        is_said.append(
            not (
                ASKS.search(small)
                or UNREAD_WORD.search(sentence)
                or any(w.search(small) for w in wordings)
            )
        )
        if number and TAKES_LAST_BACK.search(small):
            is_said[number - 1] = False
        if TAKEN_BACK.search(small):
            taken_back = number
    return "".join(
        _without_end(sentence) if is_said[number] and number > taken_back else _blank(sentence)
        for number, sentence in enumerate(sentences)
    )


def _sentences(text: str) -> list[str]:
    found = (match[0] for match in _SENTENCE.finditer(text) if match[0])
    return [
        sentence[start : start + LONGEST_SENTENCE]
        for sentence in found
        for start in range(0, len(sentence), LONGEST_SENTENCE)
    ]


def _blanked(match: re.Match[str]) -> str:
    return "\n" + " " * (len(match[0]) - 1)


def _without_end(sentence: str) -> str:
    """The sentence up to the word from which on it only supposes; a condition has its clause."""
    start = len(sentence)
    if match := FROM_HERE.search(sentence):
        start = match.start()
    if match := CONDITION.search(sentence):
        clause = max(sentence.rfind(mark, 0, match.start()) for mark in ",;，；")
        start = min(start, clause + 1)
    return sentence[:start] + _blank(sentence[start:])


def _unless_short(quoted: re.Match[str]) -> str:
    """A quoted label or title stays; a quoted statement goes."""
    inside = quoted[1] or quoted[2]
    is_label = len(inside.split()) <= 6 and not re.search(
        r"[=∥⊥]|\b(?:is|are|reads?|has|have|shows?|stands?|was)\b", inside
    )
    return quoted[0] if is_label else _blank(quoted[0])


def _blank(text: str) -> str:
    """As many blanks; the mark at the end stays, so that sentences stay apart."""
    return " " * (len(text) - 1) + (text[-1] if text[-1:] in ".!?\n" else " ") if text else ""
