"""Parts of a text whose layout says that they are not put forward.

What is struck through, quoted as a block, boxed to be ticked, commented out, or in an element of
which nobody knows the meaning states nothing; and behind a forged turn of a chat it is not the
policy who speaks.
"""

from __future__ import annotations

import re

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
    return text


def _blanked(match: re.Match[str]) -> str:
    return "\n" + " " * (len(match[0]) - 1)
