"""Pictures in the size in which the policy sees them.

The trainer counts a picture's tokens by its own processor, and vLLM by another copy of it, with
settings of its own. A picture that is on the processor's grid already, and within its bounds, is
changed by neither, so their counts agree.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from ..images import load_image
from ..schemas.errors import InputError, UsageError
from ..schemas.records import ProblemImage
from ..schemas.training import PixelBounds

if TYPE_CHECKING:
    from transformers import ProcessorMixin

QUICK = 1  # of PNG's compression levels: nine would take longer than the training step


class PictureGrid(NamedTuple):
    """How a processor cuts pictures.

    Attributes:
        factor: sides are multiples of it (Qwen-VL: 28); 1 where the processor has no such grid.
        least, most: its own bounds of width times height; None where it has none.
    """

    factor: int
    least: int | None
    most: int | None


def picture_grid(processor: ProcessorMixin) -> PictureGrid:
    """The grid of this processor: that of the Qwen-VL family, or none."""
    image_processor = processor.image_processor
    merge, patch = (getattr(image_processor, name, None) for name in ("merge_size", "patch_size"))
    if not isinstance(merge, int) or not isinstance(patch, int):
        return PictureGrid(1, None, None)
    size = image_processor.size
    return PictureGrid(patch * merge, size["shortest_edge"], size["longest_edge"])


def check_bounds(bounds: PixelBounds, grid: PictureGrid) -> None:
    """Raises where the recipe's bounds reach over the processor's own.

    Raises:
        UsageError: the processor would scale a second time, and vLLM's copy of it differently.
    """
    if grid.most is not None and bounds.max > grid.most:
        raise UsageError(
            f"pixels.max {bounds.max:,} is over the processor's own {grid.most:,}. Lower it."
        )
    if grid.least is not None and bounds.min < grid.least:
        raise UsageError(
            f"pixels.min {bounds.min:,} is under the processor's own {grid.least:,}. Raise it."
        )


def sized_picture(
    image: ProblemImage, bounds: PixelBounds, grid: PictureGrid, where: str
) -> ProblemImage:
    """The picture, upright and RGB, in the size in which the policy sees it, as PNG.

    Raises:
        InputError: `unreadable_image`, `oversized_image`, or `elongated_image`.
    """
    picture = load_image(image.bytes, where)
    size = sized(picture.size, bounds, grid, where)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=QUICK)
    return ProblemImage(bytes=buffer.getvalue(), path=image.path)


def sized(
    size: tuple[int, int], bounds: PixelBounds, grid: PictureGrid, where: str
) -> tuple[int, int]:
    """Width and height within the bounds and on the grid, as near to the proportions as may be.

    Raises:
        InputError: `elongated_image`: one side is more than 200 times the other.
    """
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    width, height = size
    if grid.factor == 1 and bounds.min <= width * height <= bounds.max:
        return size
    try:
        height, width = smart_resize(height, width, grid.factor, bounds.min, bounds.max)
    except ValueError as error:
        raise InputError("elongated_image", f"{where}: {error}. Crop the picture.") from error
    return width, height


def picture_tokens(processor: ProcessorMixin, size: tuple[int, int]) -> int | None:
    """How many tokens the processor makes of a picture of this size; None where it does not tell.

    Raises:
        UsageError: on a grid, and the processor would scale the picture once more.
    """
    count = getattr(processor, "_get_num_multimodal_tokens", None)
    if count is None:
        return None
    width, height = size
    (tokens,) = count(image_sizes=[(height, width)]).num_image_tokens
    factor = picture_grid(processor).factor
    if factor > 1 and tokens != (width // factor) * (height // factor):
        raise UsageError(
            f"the processor makes {tokens} tokens of a picture of {width} x {height}, and its grid "
            f"has {(width // factor) * (height // factor)}. Set pixels to the processor's bounds."
        )
    return int(tokens)
