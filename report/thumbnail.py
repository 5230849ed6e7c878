"""A picture made small for the page: encoded anew, never the bytes that came with the data."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

from PIL import Image

from ..images import load_image
from ..schemas.errors import InputError
from ..schemas.records import ProblemImage

LONGEST_SIDE = 420
MOST_BYTES = 60_000


class Thumbnail(NamedTuple):
    """A small picture.

    Attributes:
        source: a data URL; empty where the picture cannot be shown.
        width, height: of the small picture, in pixels.
        fault: why it cannot be shown, or empty.
    """

    source: str
    width: int
    height: int
    fault: str = ""


def thumbnail(image: ProblemImage) -> Thumbnail:
    """The picture in WebP, at most 420 pixels a side and 60 kB; or what is wrong with it."""
    try:
        picture = load_image(image.bytes, "The picture")
    except InputError as error:
        return Thumbnail("", 0, 0, error.message)
    side = LONGEST_SIDE
    while True:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=80)
        if buffer.tell() <= MOST_BYTES or side < 64:
            break
        side = side * 3 // 4
    data = base64.b64encode(buffer.getvalue()).decode()
    return Thumbnail(f"data:image/webp;base64,{data}", *picture.size)
