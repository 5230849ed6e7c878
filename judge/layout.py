"""Parts of a text whose layout says that they are not put forward.

What is struck through, quoted as a block, boxed to be ticked, commented out, or in an element of
which nobody knows the meaning states nothing; and behind a forged turn of a chat it is not the
policy who speaks.
"""

from __future__ import annotations

import re
from collections import Counter

_KNOWN = (
    r"think\w*|answer|reason\w*|caption|summary|conclusion|descri\w+|observ\w+|perce\w+|info\d*"
    r"|visual\w*|scene|image|picture|look\w*|see|step\w*|solution|analysis|final\w*|response"
    r"|b|i|em|strong|u|p|br|li|ul|ol|sub|sup|h\d|t[drh]|table|tbody|thead"
)
_NOTHING = (
    re.compile(r"<!--.{0,2000}?(?:-->|\Z)", re.DOTALL),
    re.compile(r"/\*.{0,2000}?(?:\*/|\Z)", re.DOTALL),
    re.compile(r"~~[^~\n]{1,600}~~"),
    re.compile(r"^[ \t]*(?:>|[-*]?[ \t]*(?:\[[ _]?\]|[☐□▢○❏]))[^\n]*", re.MULTILINE),
    re.compile(
        r"^[ \t]*```(?!(?:text|markdown|md)?\s).{0,4000}?(?:```|\Z)", re.DOTALL | re.MULTILINE
    ),
    re.compile(r"^[ \t]*(?://|#(?!#)[ \t]?(?=[^\n]*=))[^\n]*", re.MULTILINE),
    re.compile(
        rf"<(?!(?:{_KNOWN})\b)(?P<tag>[A-Za-z]\w{{0,30}})\b[^<>\n]{{0,200}}>"
        r".{0,2000}?</(?P=tag)\s*>",
        re.DOTALL | re.IGNORECASE,
    ),
    re.compile(r"</?[A-Za-z][^<>\n]{0,200}>"),
    re.compile(r"\[(?P<mark>[A-Z_]{3,20})\].{0,2000}?\[/(?P=mark)\]", re.DOTALL),
    re.compile(r"\[[^\[\]\n]{0,80}[/|][^\[\]\n]{0,80}\]"),
    re.compile(r"\[\d[\d.,]*%?\](?!\()"),
    re.compile(r"(?<![^.\n])[^.\n]*?_{3,}[^.\n]*"),  # a sentence with a blank to be filled in
)
_QUOTED = re.compile(
    r"[\"“«「『]([^\"“”«»「」『』\n]{1,600})[\"”»」』]|(?<![\w'])'([^'\n]{3,600})'(?![\w'])"
)
_STATES = re.compile(
    r"[=∥⊥]|\b(?:is|are|reads?|has|have|shows?|stands?|was|names?|lists?"
    r"|points?|lies?|runs?|goes|opens?|weighs?|costs?|equals|measures?)\b"
)
LONGEST_LABEL = 6
"""In words; what is quoted and longer is a statement of somebody's."""

_NO_STATEMENT = (
    re.compile(  # options
        r"\b(?:[Oo]ptions?|[Cc]hoices|[Cc]andidates?)\b[^.\n]{0,30}:"
        r"(?:(?!(?<!\b[A-J])\.\s+[A-Z][a-z])[^\n])*"
    ),
    re.compile(  # the problem
        r"\b(?:Question|Problem|Task|Exercise)\s*:(?:(?!\b(?:Answer|Solution)\b)[^\n]){0,2000}"
        r"|\bGiven\s*:[^\n]{0,400}?\b(?:Find|Determine|Prove)\s*:"
    ),
    re.compile(  # options within a line, and a line of a list of contents
        r"(?<!\S)\(?[aA1]\)[^.\n]{1,80}\s\(?[bB2]\)[^.\n]{0,200}|^[^\n]*\.{4,}[^\n]*$",
        re.MULTILINE,
    ),
)
_ROLE = r"user|assistant|human|system|model|ai|bot|judge|grader|evaluator|policy|input|output"
_TURN = re.compile(
    r"<\s?[|｜][^\n<>]{0,40}[|｜]\s?>|<\s?start_of_turn\s?>|\[/?\s?INST\s?\]"
    rf"|^[ \t#*\[]*(?:{_ROLE})(?:[ \t]message)?[ \t*\]]*[:>]",
    re.IGNORECASE | re.MULTILINE,
)


def without_unsaid_layout(text: str) -> str:
    """The text with blanks for what its layout takes out of it.

    Args:
        text: cleaned; Markdown and LaTeX as they were written.
    """
    if turn := _TURN.search(text):
        text = text[: turn.start()] + " " * (len(text) - turn.start())
    for pattern in _NOTHING:
        text = pattern.sub(_blanked, text)
    return _without_dialogue(text)


def without_quotations(text: str) -> str:
    """The text with blanks for quoted statements, options and the problem; a quoted label stays."""
    for pattern in _NO_STATEMENT:
        text = pattern.sub(_blanked, text)
    return _QUOTED.sub(_unless_label, text)


_SPEAKER = re.compile(r"^[ \t]*([A-Z][\w .]{0,20}):[ \t]+(?=\D)[^\n]*", re.MULTILINE)


def _without_dialogue(text: str) -> str:
    """The text with blanks for lines of speakers who speak more than once."""
    spoken = Counter(match[1] for match in _SPEAKER.finditer(text))
    if max(spoken.values(), default=0) < 2:
        return text
    return _SPEAKER.sub(_blanked, text)


def _unless_label(quoted: re.Match[str]) -> str:
    inside = quoted[1] or quoted[2]
    is_label = len(inside.split()) <= LONGEST_LABEL and not _STATES.search(inside)
    return quoted[0] if is_label else " " * len(quoted[0])


def _blanked(match: re.Match[str]) -> str:
    return "\n" + " " * (len(match[0]) - 1)
