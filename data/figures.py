"""Draws geometry, physics sketches and loose shapes from the sample's `drawing` entries."""

from __future__ import annotations

import math
from typing import Any

from canvas import Canvas, Point, Spec, between, polar


def _direction(a: Point, b: Point) -> float:
    return math.degrees(math.atan2(a[1] - b[1], b[0] - a[0]))


def _foot(p: Point, a: Point, b: Point) -> Point:
    along = (b[0] - a[0], b[1] - a[1])
    dot = (p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]
    return between(a, b, dot / (along[0] ** 2 + along[1] ** 2))


def _place(entries: dict[str, list[Any]]) -> dict[str, Point]:
    """The points of a figure; each may be defined by those before it.

    `[x, y]`; `[O, r, degrees]` from O; `[at, A, B, share]` of the way from A to B;
    `[foot, P, A, B]` of the perpendicular from P to AB.
    """
    points: dict[str, Point] = {}
    for name, entry in entries.items():
        match entry:
            case ["at", a, b, share]:
                points[name] = between(points[a], points[b], share)
            case ["foot", p, a, b]:
                points[name] = _foot(points[p], points[a], points[b])
            case [str(centre), radius, degrees]:
                points[name] = polar(points[centre], radius, degrees)
            case [x, y]:
                points[name] = (x, y)
            case _:
                raise ValueError(f"point {name}: {entry} is none of the forms of `_place`")
    return points


def draw_figure(canvas: Canvas, spec: Spec) -> None:
    """Draws points with their names, what joins them, and marks, sizes and loose extras."""
    points = _place(spec.get("points", {}))
    middle = _middle(list(points.values()) or [(200, 150)])
    for name, radius in spec.get("circles", []):
        canvas.circle(points[name], radius)
    for a, b in spec.get("segments", []):
        canvas.line(points[a], points[b])
    for a, b in spec.get("dashed", []):
        canvas.dashed(points[a], points[b])
    for (a, b), count in spec.get("ticks", {}).items():
        _draw_ticks(canvas, points[a], points[b], count)
    for a, b, c in spec.get("right", []):
        _draw_right_angle(canvas, points[a], points[b], points[c])
    for (a, b, c), words in spec.get("angles", {}).items():
        _draw_angle(canvas, points[a], points[b], points[c], words)
    for (a, b), words in spec.get("lengths", {}).items():
        _draw_length(canvas, points[a], points[b], words, middle)
    nudges = spec.get("labels", {})
    for name, point in points.items():
        if name in spec.get("dots", []):
            canvas.circle(point, 2, "black")
        if name not in spec.get("unnamed", []):
            away = nudges.get(name) or _away(middle, point)
            canvas.text((point[0] + away[0], point[1] + away[1]), name)
    _draw_extras(canvas, spec)


def _draw_extras(canvas: Canvas, spec: Spec) -> None:
    for corners, colour in spec.get("polygons", []):
        canvas.polygon([(x, y) for x, y in corners], colour)
    for x, y, radius, colour in spec.get("discs", []):
        canvas.circle((x, y), radius, colour)
    for x1, y1, x2, y2, *width in spec.get("strokes", []):
        canvas.line((x1, y1), (x2, y2), width=width[0] if width else 1.6)
    for x1, y1, x2, y2, colour in spec.get("arrows", []):
        canvas.arrow((x1, y1), (x2, y2), colour)
    for x, y, words in spec.get("texts", []):
        canvas.text((x, y), words)


def _middle(points: list[Point]) -> Point:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def _away(middle: Point, point: Point) -> Point:
    distance = math.dist(middle, point) or 1
    return 14 * (point[0] - middle[0]) / distance, 14 * (point[1] - middle[1]) / distance


def _draw_ticks(canvas: Canvas, a: Point, b: Point, count: int) -> None:
    across = _direction(a, b) + 90
    for i in range(count):
        at = between(a, b, 0.5 + (i - (count - 1) / 2) * 5 / math.dist(a, b))
        canvas.line(polar(at, 6, across), polar(at, 6, across + 180))


def _draw_right_angle(canvas: Canvas, a: Point, vertex: Point, c: Point) -> None:
    one, other = polar(vertex, 13, _direction(vertex, a)), polar(vertex, 13, _direction(vertex, c))
    corner = (one[0] + other[0] - vertex[0], one[1] + other[1] - vertex[1])
    canvas.line(one, corner, width=1.2)
    canvas.line(other, corner, width=1.2)


def _draw_angle(canvas: Canvas, a: Point, vertex: Point, c: Point, words: str) -> None:
    start, end = _direction(vertex, a), _direction(vertex, c)
    if (end - start) % 360 > 180:
        start, end = end, start
    end = start + (end - start) % 360
    canvas.arc(vertex, 22, start, end)
    canvas.text(polar(vertex, 41 if end - start > 25 else 60, (start + end) / 2), words, 13)


def _draw_length(canvas: Canvas, a: Point, b: Point, words: str, middle: Point) -> None:
    at, along = between(a, b, 0.5), _direction(a, b)
    distance = 13 + 3 * len(words) * abs(math.sin(math.radians(along)))
    sides = [polar(at, distance, along + turn) for turn in (90, -90)]
    canvas.text(max(sides, key=lambda side: math.dist(side, middle)), words, 14)


def draw_shapes(canvas: Canvas, spec: Spec) -> None:
    """Draws `shapes`: kind, colour, x, y and half the size of each."""
    starts = {"square": (4, 45), "triangle": (3, 90), "diamond": (4, 90)}
    for shape, colour, x, y, size in spec["shapes"]:
        if shape == "circle":
            canvas.circle((x, y), size, colour)
        elif shape == "star":
            spokes = [polar((x, y), size * (1 - 0.58 * (i % 2)), 90 + 36 * i) for i in range(10)]
            canvas.polygon(spokes, colour)
        else:
            corners, start = starts[shape]
            turns = [start + 360 * i / corners for i in range(corners)]
            canvas.polygon([polar((x, y), size * 1.15, turn) for turn in turns], colour)
