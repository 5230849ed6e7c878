"""Opening pictures that somebody else made: bounded, upright, and with errors that name the place.

Pictures are untrusted. Only five formats are opened (PNG, JPEG, WebP, GIF, BMP), the size that the
header states is checked before a pixel is decoded, and whatever Pillow raises becomes an
`InputError`. Pillow's *warnings* about a readable picture (a damaged EXIF block, say) are not
errors: the pixels are whole, and a good row must not be lost to its metadata.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from .schemas.errors import InputError
from .schemas.records import ProblemImage

MAX_PIXELS = 50_000_000
MAX_BYTES = 64 * 1024 * 1024

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_SENT_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_ORIENTATION_TAG = 0x0112
# What brings a picture upright, by the value of its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# `warnings.catch_warnings` changes the whole process, so one thread at a time reads a header.
_header_lock = threading.Lock()


class ImageSize(NamedTuple):
    """Width and height in pixels, as the file stores them."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


class EncodedImage(NamedTuple):
    """A picture's file and its media type, e.g. `image/png`."""

    data: bytes
    media_type: str


class _Opened(NamedTuple):
    image: Image.Image
    turn: Image.Transpose | None
    format: str


def check_image(data: bytes, where: str, *, max_pixels: int = MAX_PIXELS) -> ImageSize:
    """The picture's size as its header states it; no pixel is decoded.

    A file that is cut off behind its header passes here and fails in `load_image`.

    Args:
        data: the encoded file.
        where: the place to name in an error, e.g. `problems.jsonl:41`.
        max_pixels: the largest width times height.

    Raises:
        InputError: `unreadable_image` (not one of the five formats) or `oversized_image`.
    """
    return ImageSize(*_open(data, where, max_pixels).image.size)


def load_image(data: bytes, where: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The decoded picture: RGB, upright, on white where it is transparent, its first frame.

    Args:
        data: the encoded file.
        where: the place to name in an error.
        max_pixels: the largest width times height; larger ones are refused, not scaled.

    Raises:
        InputError: `unreadable_image` or `oversized_image`. Remedy: replace or convert the picture.
    """
    return _decode(_open(data, where, max_pixels), where)


def encode_for_model(
    image: ProblemImage, max_pixels: int, where: str = "an image of the problem"
) -> EncodedImage:
    """The picture as it is sent to a model: at most `max_pixels`, PNG, JPEG or WebP.

    A plain picture within the limit is sent byte for byte. Anything else (too large, rotated by
    EXIF, transparent, animated, 16 bits deep, CMYK, GIF, BMP) is decoded, scaled down with its
    proportions kept, and encoded anew: as JPEG where it was a photograph's format, else as PNG.

    Raises:
        InputError: `unreadable_image` or `oversized_image` (beyond what is decoded at all).
    """
    opened = _open(image.bytes, where, MAX_PIXELS)
    width, height = opened.image.size
    is_too_large = width * height > max_pixels
    if not is_too_large and _is_plain(opened):
        return EncodedImage(image.bytes, _SENT_AS_THEY_ARE[opened.format])
    picture = _decode(opened, where)
    if is_too_large:
        picture = picture.resize(_scaled(picture.size, max_pixels), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if opened.format in {"JPEG", "WEBP"}:
        picture.save(buffer, "JPEG", quality=95)
        return EncodedImage(buffer.getvalue(), "image/jpeg")
    picture.save(buffer, "PNG")
    return EncodedImage(buffer.getvalue(), "image/png")


def read_image_file(path_text: str, folder: Path, where: str) -> ProblemImage:
    """The picture file that a record names, unchecked: pass its bytes on to `check_image`.

    Args:
        path_text: the path as the record gives it, relative to `folder` or absolute inside it.
        folder: the input's folder, which no path may leave, not even through a link.
        where: the place to name in an error.

    Raises:
        InputError: `image_outside_folder`, `image_not_found` or `oversized_image`.
    """
    shown = repr(path_text if len(path_text) <= 200 else path_text[:200] + "…")
    if "\0" in path_text:
        raise InputError(
            "image_outside_folder",
            f"{where}: the image path {shown} holds a NUL byte. Correct the path.",
        )
    root = folder.resolve()
    try:
        path = (root / path_text).resolve()
        is_file = path.is_relative_to(root) and path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a surrogate
        raise InputError(
            "image_not_found",
            f"{where}: the image path {shown} cannot be followed. Correct the path.",
        ) from error
    if not path.is_relative_to(root):
        raise InputError(
            "image_outside_folder",
            f"{where}: the image path {shown} leaves the input's folder. "
            "Move the picture into that folder and name it relative to it.",
        )
    if not is_file:
        raise InputError(
            "image_not_found",
            f"{where}: there is no image file {shown} in the input's folder. Correct the path.",
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                "oversized_image",
                f"{where}: the image file {shown} has {size:,} bytes, more than the "
                f"{MAX_BYTES:,} that are read. Scale the picture down.",
            )
        return ProblemImage(bytes=path.read_bytes(), path=path.name)
    except OSError as error:
        raise InputError(
            "image_not_found",
            f"{where}: the image file {shown} cannot be read ({error.strerror}).",
        ) from error


def perceptual_hash(image: Image.Image) -> int:
    """64 bits that stay nearly the same when a picture is scaled, compressed or re-encoded.

    The signs, against their median, of the 8 by 8 lowest frequencies of the 32 by 32 grey picture
    (pHash). Two hashes' Hamming distance is about 32 for unrelated pictures, and at most 4 for
    copies. It sees composition, not small print: two diagrams that differ in one digit agree. A
    picture of one colour has the hash 0.

    Args:
        image: a decoded picture of any mode, as `load_image` returns it.
    """
    import numpy as np

    grey = image.convert("L").resize((32, 32), Image.Resampling.BOX)
    pixels = np.asarray(grey, dtype=np.float64)
    cosines = np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(32)[None, :] + 1) / 64)
    frequencies = cosines @ pixels @ cosines.T
    frequencies[0, 0] = 0.0  # the mean brightness says nothing about what is shown
    # Rounded, so that noise of the arithmetic does not decide the sign of what is really zero.
    values = np.round(frequencies, 3).ravel()
    bits = values > np.median(values)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _open(data: bytes, where: str, max_pixels: int) -> _Opened:
    if len(data) > MAX_BYTES:
        raise InputError(
            "oversized_image",
            f"{where}: the picture has {len(data):,} bytes, more than the {MAX_BYTES:,} that are "
            "read. Scale it down.",
        )
    try:
        with _header_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            turn = _TURNS.get(_orientation(image))
    except Image.DecompressionBombError as error:
        raise _oversized(where, "far more pixels", max_pixels) from error
    except Exception as error:  # a hostile file can make Pillow raise anything
        raise _unreadable(where, error) from error
    width, height = image.size
    if width * height > max_pixels:
        raise _oversized(where, f"{width} x {height} pixels", max_pixels)
    format_name = "JPEG" if image.format == "MPO" else str(image.format)
    return _Opened(image, turn, format_name)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # a damaged EXIF block: the picture is taken as it is stored
        return 1


def _decode(opened: _Opened, where: str) -> Image.Image:
    image = opened.image
    try:
        image.load()
        upright = _as_rgb(image)
        return upright if opened.turn is None else upright.transpose(opened.turn)
    except Exception as error:  # as above
        raise _unreadable(where, error) from error


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel; `convert` would clip all above 255 to white
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def _is_plain(opened: _Opened) -> bool:
    image = opened.image
    return (
        opened.format in _SENT_AS_THEY_ARE
        and opened.turn is None
        and image.mode in {"1", "L", "P", "RGB"}
        and "transparency" not in image.info
        and getattr(image, "n_frames", 1) == 1
    )


def _scaled(size: tuple[int, int], max_pixels: int) -> tuple[int, int]:
    width, height = size
    factor = math.sqrt(max_pixels / (width * height))
    # A very long, thin picture keeps one pixel on its short side; the long side then gives way.
    short = max(1, math.floor(min(size) * factor))
    long = max(1, min(math.floor(max(size) * factor), max_pixels // short))
    return (long, short) if width >= height else (short, long)


def _unreadable(where: str, error: Exception) -> InputError:
    return InputError(
        "unreadable_image",
        f"{where}: the picture cannot be read ({_reason(error)}). "
        "Replace it with a whole PNG, JPEG, WebP, GIF or BMP file.",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not a picture in one of the formats that are opened"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _oversized(where: str, found: str, max_pixels: int) -> InputError:
    return InputError(
        "oversized_image",
        f"{where}: the picture has {found}, more than the {max_pixels:,} that are decoded. "
        "Scale it down.",
    )
