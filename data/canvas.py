"""The sheet that the sample's pictures are drawn on, and the geometry that drawing needs.

Coordinates are pixels of the finished picture, y downwards; angles are degrees, counter-clockwise
from the x axis, as in a textbook. Nothing depends on the machine's fonts.
"""

from __future__ import annotations

import math
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Spec = dict[str, Any]
Point = tuple[float, float]

SIZE = (400, 300)
SCALE = 3
INK = "black"
COLOURS = {
    "red": "#d62f2f",
    "blue": "#2f62c9",
    "green": "#2e9a4b",
    "yellow": "#e8b91c",
    "orange": "#ef7f1a",
    "purple": "#8445a8",
    "grey": "#8a8f98",
    "light": "#d9e4f5",
    "black": "black",
}


class Canvas:
    """A picture that is drawn three times too large and then reduced, which smooths its edges."""

    def __init__(self) -> None:
        """An empty white sheet."""
        self._image = Image.new("RGB", (SIZE[0] * SCALE, SIZE[1] * SCALE), "white")
        self._draw = ImageDraw.Draw(self._image)

    def finished(self) -> Image.Image:
        """The picture in its final size."""
        return self._image.resize(SIZE, Image.Resampling.BOX)

    def line(self, a: Point, b: Point, colour: str = INK, width: float = 1.6) -> None:
        """Draws the segment from a to b."""
        ends = [self._up(a), self._up(b)]
        self._draw.line(ends, fill=COLOURS[colour], width=round(width * SCALE))

    def dashed(self, a: Point, b: Point, colour: str = INK) -> None:
        """Draws the segment from a to b in dashes of about 9 pixels."""
        dashes = max(2, int(math.dist(a, b) // 9))
        for i in range(0, dashes, 2):
            self.line(between(a, b, i / dashes), between(a, b, min(1, (i + 1) / dashes)), colour)

    def arrow(self, a: Point, b: Point, colour: str = INK) -> None:
        """Draws an arrow from a with its head at b."""
        self.line(a, b, colour, 2)
        back = math.degrees(math.atan2(b[1] - a[1], a[0] - b[0]))
        tips = [polar(b, 9, back + turn) for turn in (-25, 25)]
        self.polygon([b, *tips], colour)

    def polygon(self, points: list[Point], fill: str, outline: str | None = INK) -> None:
        """Draws a filled polygon, outlined unless `outline` is None."""
        corners = [self._up(p) for p in points]
        self._draw.polygon(corners, fill=COLOURS[fill])
        if outline:
            closed = [*corners, corners[0], corners[1]]
            self._draw.line(closed, fill=COLOURS[outline], width=round(1.6 * SCALE), joint="curve")

    def circle(self, centre: Point, radius: float, fill: str | None = None) -> None:
        """Draws a circle."""
        (x, y), r = self._up(centre), radius * SCALE
        box = (x - r, y - r, x + r, y + r)
        paint = COLOURS[fill] if fill else None
        self._draw.ellipse(box, fill=paint, outline=INK, width=round(1.6 * SCALE))

    def arc(self, centre: Point, radius: float, start: float, end: float) -> None:
        """Draws the arc of a circle, counter-clockwise from `start` to `end` degrees."""
        (x, y), r = self._up(centre), radius * SCALE
        box = (x - r, y - r, x + r, y + r)
        self._draw.arc(box, -end, -start, fill=INK, width=round(1.2 * SCALE))

    def text(self, at: Point, words: str, size: int = 15, anchor: str = "mm") -> None:
        """Writes words at a point; `anchor` is Pillow's, by default the middle."""
        font = ImageFont.load_default(size * SCALE)
        self._draw.text(self._up(at), words, fill=INK, font=font, anchor=anchor)

    def _up(self, point: Point) -> Point:
        return point[0] * SCALE, point[1] * SCALE


def polar(centre: Point, radius: float, degrees: float) -> Point:
    """The point at that distance and direction of a centre."""
    turn = math.radians(degrees)
    return centre[0] + radius * math.cos(turn), centre[1] - radius * math.sin(turn)


def between(a: Point, b: Point, share: float) -> Point:
    """The point at that share (0..1) of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
