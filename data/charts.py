"""Draws bar charts, line charts, tables and dials from the sample's `drawing` entries."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from canvas import Canvas, Spec, polar


def _draw_axes(canvas: Canvas, spec: Spec) -> Callable[[float], float]:
    """The function from a value to its height, after title, axes and grid are drawn."""
    low, high, step = (float(number) for number in spec["axis"])
    top, bottom = 45, 250

    def height(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    canvas.text((210, 17), spec["title"], 15)
    if spec.get("y_label"):
        canvas.text((8, 33), spec["y_label"], 12, "lm")
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        canvas.line((52, height(value)), (390, height(value)), "grey", 0.5)
        canvas.text((46, height(value)), f"{value:g}", 12, "rm")
    canvas.line((52, top), (52, bottom))
    canvas.line((52, bottom), (390, bottom))
    return height


def _draw_legend(canvas: Canvas, names: dict[str, str]) -> None:
    for i, (name, colour) in enumerate(names.items()):
        x = 70 + i * 105
        canvas.polygon([(x, 281), (x + 12, 281), (x + 12, 293), (x, 293)], colour, None)
        canvas.text((x + 18, 287), name, 12, "lm")


def draw_bars(canvas: Canvas, spec: Spec) -> None:
    """Draws one bar for each entry of `bars`, or one for each of `series` within it."""
    height = _draw_axes(canvas, spec)
    groups: dict[str, list[Any]] = spec["bars"]
    slot = 330 / len(groups)
    series = spec.get("series", {})
    for i, (name, entry) in enumerate(groups.items()):
        middle = 58 + slot * (i + 0.5)
        values = entry if series else entry[:1]
        colours = list(series.values()) if series else entry[1:] or ["blue"]
        width = slot * 0.6 / len(values)
        for j, (value, colour) in enumerate(zip(values, colours, strict=True)):
            left = middle - slot * 0.3 + j * width
            corners = [(left, 250), (left, height(value)), (left + width, height(value))]
            canvas.polygon([*corners, (left + width, 250)], colour)
            if spec.get("written"):
                canvas.text((left + width / 2, height(value) - 9), f"{value:g}", 12)
        canvas.text((middle, 262), name, 12)
    _draw_legend(canvas, series)


def draw_lines(canvas: Canvas, spec: Spec) -> None:
    """Draws a marked line for each of `series`: name -> colour, values."""
    height = _draw_axes(canvas, spec)
    names = spec["x"]
    slot = 320 / (len(names) - 1) if spec.get("from_axis") else 330 / len(names)
    first = 52 if spec.get("from_axis") else 58 + slot / 2
    for i, name in enumerate(names):
        canvas.text((first + i * slot, 262), str(name), 12)
    for colour, values in spec["series"].values():
        places = [(first + i * slot, height(value)) for i, value in enumerate(values)]
        for a, b in pairwise(places):
            canvas.line(a, b, colour, 2.2)
        for place in places:
            canvas.circle(place, 3.5, colour)
    if len(spec["series"]) > 1:
        _draw_legend(canvas, {name: colour for name, (colour, _) in spec["series"].items()})
    elif spec.get("x_label"):
        canvas.text((220, 284), spec["x_label"], 12)


def draw_table(canvas: Canvas, spec: Spec) -> None:
    """Draws `rows` as a table whose first row is its head."""
    rows = spec["rows"]
    width, top = 360 / len(rows[0]), 52
    line = min(40, 220 / len(rows))
    canvas.text((200, 25), spec["title"], 16)
    canvas.polygon([(20, top), (380, top), (380, top + line), (20, top + line)], "light", None)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            canvas.text((20 + width * (j + 0.5), top + line * (i + 0.5)), str(cell), 14)
    for i in range(len(rows) + 1):
        canvas.line((20, top + i * line), (380, top + i * line), width=1)
    for j in range(len(rows[0]) + 1):
        canvas.line((20 + j * width, top), (20 + j * width, top + line * len(rows)), width=1)


def draw_dial(canvas: Canvas, spec: Spec) -> None:
    """Draws a dial from low to high, its needle at `value`."""
    centre = (200, 190)
    low, high, step = (float(number) for number in spec["axis"])

    def turn(value: float) -> float:
        return 210 - 240 * (value - low) / (high - low)

    canvas.text((200, 20), spec["title"], 16)
    canvas.arc(centre, 120, -30, 210)
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        canvas.line(polar(centre, 112, turn(value)), polar(centre, 124, turn(value)))
        canvas.text(polar(centre, 95, turn(value)), f"{value:g}", 13)
    canvas.arrow(centre, polar(centre, 78, turn(spec["value"])), "red")
    canvas.circle(centre, 6, "black")
    canvas.text((200, 245), spec["unit"], 15)
