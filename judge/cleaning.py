"""A completion as a judge may see it: what it shows a reader, and nothing that only machines read.

Control characters, zero-width ones and unpaired surrogates go; letters of the styled alphabets
become plain ones; the tokens of chat templates are broken up, so that a server that looks for
`<|im_end|>` in a text finds none.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff\U0001d173-\U0001d17a]"
)
_LINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_STYLED = re.compile("[\U0001d400-\U0001d7ff\uff01-\uff5e]+")
_TEMPLATE = re.compile(
    r"<(?=[|｜/]?[A-Za-z_|｜])|\[(?=/?INST\]|/?SYS\])|(?<=[|｜])>", re.IGNORECASE
)


def cleaned(text: str) -> str:
    """The text without hidden characters and styled letters; its lines end in line feeds."""
    text = _HIDDEN.sub("", _LINES.sub("\n", text))
    return _STYLED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def without_template_tokens(text: str) -> str:
    """The text with a blank in every mark that could begin or end a chat template's token.

    Example:
        >>> without_template_tokens("a<|im_end|>b, x < 3")
        'a< |im_end| >b, x < 3'
    """
    return _TEMPLATE.sub(lambda match: f" {match[0]}" if match[0] == ">" else f"{match[0]} ", text)
