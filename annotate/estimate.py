"""How many tokens a request would take, roughly and without any model's tokenizer."""

from __future__ import annotations

import math
import re

from ..images import check_image
from ..llm.chat import ChatRequest
from ..schemas.records import ProblemImage

CHARS_PER_TOKEN = 3.5
CHARS_PER_TOKEN_CJK = 1.5
PIXELS_PER_TOKEN = 750
RULE = (
    f"Estimated: a text has one token for {CHARS_PER_TOKEN} characters ({CHARS_PER_TOKEN_CJK} in "
    f"Chinese, Japanese and Korean), a picture one for {PIXELS_PER_TOKEN} pixels as sent. Models "
    "differ by a factor of two and more. Requests that are sent again are not counted."
)
_CJK = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")


def text_tokens(text: str) -> int:
    """The tokens of a text, by `RULE`.

    Example:
        >>> text_tokens("a" * 35), text_tokens("图中有三个圆")
        (10, 4)
    """
    wide = len(_CJK.findall(text))
    return math.ceil(wide / CHARS_PER_TOKEN_CJK + (len(text) - wide) / CHARS_PER_TOKEN)


def picture_tokens(image: ProblemImage, max_pixels: int) -> int:
    """The tokens of a picture that is scaled down to `max_pixels` before it is sent, by `RULE`.

    Raises:
        InputError: the picture cannot be read.
    """
    size = check_image(image.bytes, "an image of the problem")
    return math.ceil(min(size.pixels, max_pixels) / PIXELS_PER_TOKEN)


def request_text_tokens(request: ChatRequest) -> int:
    """The tokens of all texts of a request, by `RULE`."""
    texts = [part for m in request.messages for part in m.parts if isinstance(part, str)]
    return sum(map(text_tokens, texts))
