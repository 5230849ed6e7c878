"""How many tokens a request would take, roughly, without any model's tokenizer.

The one estimate that the pace (`--tpm`), the budget and `--dry-run` share. Tokenizers differ: the
newest models of one provider make 30% more tokens of a text than its older ones.
"""

from __future__ import annotations

import math

from ..images import check_image
from ..schemas.errors import InputError
from .chat import ChatImage, ChatRequest

CHARS_PER_TOKEN = 3.5
TOKENS_PER_FURTHER_BYTE = 0.2
TOKENS_PER_MESSAGE = 4
PIXELS_PER_TOKEN = 750
UNREADABLE_PICTURE_TOKENS = 1600
RULE = (
    f"a token for {CHARS_PER_TOKEN} characters of text, {TOKENS_PER_FURTHER_BYTE} more for each "
    f"byte above one of a character in UTF-8, {TOKENS_PER_MESSAGE} for each message, and one for "
    f"{PIXELS_PER_TOKEN} pixels of a picture as sent"
)


def estimated_tokens_in(request: ChatRequest) -> int:
    """The tokens of a request's prompt, by `RULE`; at least 1.

    It runs before every attempt, so it looks at no character of an ASCII text and decodes no
    picture.
    """
    tokens = float(TOKENS_PER_MESSAGE * len(request.messages))
    characters = further_bytes = 0
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, str):
                characters += len(part)
                if not part.isascii():
                    further_bytes += _further_bytes(part)
            else:
                tokens += _picture_tokens(part)
    tokens += characters / CHARS_PER_TOKEN + further_bytes * TOKENS_PER_FURTHER_BYTE
    return max(1, math.ceil(tokens))


def text_tokens(text: str) -> int:
    """The tokens of a text, by `RULE`.

    Example:
        >>> text_tokens("a" * 35), text_tokens("图中有三个圆")
        (10, 5)
    """
    further_bytes = _further_bytes(text)
    return math.ceil(len(text) / CHARS_PER_TOKEN + further_bytes * TOKENS_PER_FURTHER_BYTE)


def _further_bytes(text: str) -> int:
    """Tokenizers fall back to bytes, so this tells Chinese, ∠ and ° from Latin letters."""
    return len(text.encode("utf-8", "surrogatepass")) - len(text)


def _picture_tokens(image: ChatImage) -> float:
    try:
        return check_image(image.data, "a picture of the request").pixels / PIXELS_PER_TOKEN
    except InputError:  # the service is who judges a picture; an estimate stops no request
        return UNREADABLE_PICTURE_TOKENS
