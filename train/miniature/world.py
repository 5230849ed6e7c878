"""A world that a model learns in minutes: three coloured bars, and two kinds of question.

    red plus blue?            blue is 1. red is 2. green is 9. red 2 + blue 1 = 3.      3
    taller: red or blue?      blue is 1. red is 2. green is 9. red 2 > blue 1.          red

The facts are the bars' heights, from left to right. They are written nowhere in the picture: a
model must measure each bar against a unit that it learnt while it was taught. Drawn at another
unit, the same bars are misread. That is the imperfect perception of this experiment, and it can be
mended.

Everything is drawn from the generator that is passed in: the same seed makes the same problem and
the same picture, noise included.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from ...schemas.completion_format import format_completion
from ...schemas.records import ProblemImage

COLOURS = {
    "red": (206, 48, 48),
    "blue": (48, 84, 206),
    "green": (44, 158, 72),
    "yellow": (228, 190, 44),
}
TALLEST = 9
TAUGHT_UNIT_PX = 4.0
SHIFTED_UNIT_PX = 3.6

SIDE_PX = 48
BAR_WIDTH_PX = 9
BAR_SPACING_PX = 14
JITTER_PX = 2
NOISE = 20
INK = (60, 60, 60)

Kind = Literal["sum", "taller"]


class Bars(NamedTuple):
    """Three bars from left to right.

    Attributes:
        colours: three different names of `COLOURS`.
        heights: 1 to `TALLEST` units each.
    """

    colours: tuple[str, str, str]
    heights: tuple[int, int, int]

    def height_of(self, colour: str) -> int:
        """The height of the bar of that colour, in units."""
        return self.heights[self.colours.index(colour)]

    def facts(self) -> list[str]:
        """What the picture shows, a bar a fact: `["blue is 1", "red is 2", "green is 9"]`."""
        return [
            f"{colour} is {height}"
            for colour, height in zip(self.colours, self.heights, strict=True)
        ]


class BarProblem(NamedTuple):
    """A question about two of three bars.

    Attributes:
        kind: what is asked: the `sum` of two heights, or which bar is `taller`.
        first, second: the colours asked for, in the question's order. Of different heights when
            `kind` is `taller`.
    """

    bars: Bars
    kind: Kind
    first: str
    second: str

    @property
    def question(self) -> str:
        """The question in words."""
        if self.kind == "sum":
            return f"{self.first} plus {self.second}?"
        return f"taller: {self.first} or {self.second}?"

    @property
    def answer(self) -> str:
        """The reference answer: a number, or a colour."""
        first, second = self._operands()
        if self.kind == "sum":
            return str(first + second)
        return self.first if first > second else self.second

    def reasoning(self) -> str:
        """All three facts, then the step from two of them to the answer.

        The step names each colour before its height: without that, a small model does not learn to
        look the height up among the facts.
        """
        first, second = self._operands()
        facts = "".join(f"{fact}. " for fact in self.bars.facts())
        if self.kind == "sum":
            return f"{facts}{self.first} {first} + {self.second} {second} = {first + second}."
        relation = ">" if first > second else "<"
        return f"{facts}{self.first} {first} {relation} {self.second} {second}."

    def completion(self) -> str:
        r"""The reference completion, in the format that the format reward asks for.

        Example:
            >>> bars = Bars(("blue", "red", "green"), (1, 2, 9))
            >>> print(BarProblem(bars, "sum", "red", "blue").completion())
            <think>
            blue is 1. red is 2. green is 9. red 2 + blue 1 = 3.
            </think>
            <answer>
            \boxed{3}
            </answer>
        """
        return format_completion(self.reasoning(), rf"\boxed{{{self.answer}}}")

    def _operands(self) -> tuple[int, int]:
        return self.bars.height_of(self.first), self.bars.height_of(self.second)


def draw_problem(rng: np.random.Generator) -> BarProblem:
    """A problem at random: every arrangement of colours, heights and questions is as likely."""
    colours = tuple(str(colour) for colour in rng.permutation(list(COLOURS))[:3])
    first, second = (str(colour) for colour in rng.permutation(colours)[:2])
    kind: Kind = "sum" if rng.random() < 0.5 else "taller"
    while True:
        bars = Bars(colours, draw_heights(rng))  # type: ignore[arg-type]
        problem = BarProblem(bars, kind, first, second)
        if kind == "sum" or len(set(problem._operands())) == 2:
            return problem


def draw_heights(rng: np.random.Generator) -> tuple[int, int, int]:
    """The heights of three bars at random, 1 to `TALLEST` each."""
    first, second, third = (int(height) for height in rng.integers(1, TALLEST + 1, 3))
    return first, second, third


def paint(bars: Bars, unit_px: float, rng: np.random.Generator) -> Image.Image:
    """The picture of the bars: 48 by 48 pixels, on noisy grey, up to 2 pixels off the middle.

    Args:
        bars: what is painted.
        rng: of the place, the ground and the noise.
        unit_px: pixels to a unit of height; a bar's top lies at the nearest whole pixel.
    """
    pixels = np.full((SIDE_PX, SIDE_PX, 3), rng.integers(225, 246), dtype=np.int16)
    shift_x, shift_y = (int(shift) for shift in rng.integers(-JITTER_PX, JITTER_PX + 1, 2))
    width = 2 * BAR_SPACING_PX + BAR_WIDTH_PX
    left, ground = (SIDE_PX - width) // 2 + shift_x, SIDE_PX - 5 + shift_y
    for place, (colour, height) in enumerate(zip(bars.colours, bars.heights, strict=True)):
        start = left + place * BAR_SPACING_PX
        top = ground - round(height * unit_px)
        pixels[top:ground, start : start + BAR_WIDTH_PX] = COLOURS[colour]
    pixels[ground, left - 2 : left + width + 2] = INK
    pixels += rng.integers(-NOISE, NOISE + 1, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image) -> ProblemImage:
    """The picture as PNG, as a row of a dataset holds it."""
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return ProblemImage(bytes=buffer.getvalue())
