"""The way of the records through all stages, as the steps of a picture.

The picture is a stream that runs down the page, as wide as there are records; what leaves it turns
off to the right. Each step is a line of a table with its piece of the stream in the first column,
so that the picture reads well at any width and its numbers are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from ..schemas.manifest import Manifest

MOST_REASONS = 8
THINNEST = 1.5
_EXIT = 130.0
_UNITS = {"judge": "completions"}

Kind = Literal["read", "rows", "dropped", "failed", "aside"]


class Step(NamedTuple):
    """One line of the flow.

    Attributes:
        kind: `read` opens a stage, `rows` is what it wrote; the others leave the stream.
        text: what happens; `reason` names why, as a file states it, or is empty.
        stream: SVG path of what goes on, in a box of 130 by 100.
        branch: SVG path of what leaves, or empty.
    """

    kind: Kind
    text: str
    reason: str
    number: int
    stream: str
    branch: str


def flow(manifest: Manifest) -> list[Step]:
    """The steps of all stages, the oldest first."""
    stages = [*manifest.history, manifest]
    most = max(max(stage.counts.read, stage.counts.rows) for stage in stages)
    if not most:
        return []
    scale = 100 / most
    steps: list[Step] = []
    before = stages[0].counts.read
    for number, stage in enumerate(stages):
        read = stage.counts.read
        if read < before:
            text = "not read: the run had a --limit, or another input besides"
            steps.append(_leaving("aside", text, "", before - read, read, scale))
            before = read
        unit = _UNITS.get(stage.stage, "records")
        text = f"{unit} read by pr1 {stage.stage}"
        steps.append(Step("read", text, "", read, _stream(before * scale, read * scale), ""))
        is_last = number == len(stages) - 1
        steps += _through(stage, scale, is_last=is_last)
        before = stage.counts.rows
    return steps


def _through(stage: Manifest, scale: float, *, is_last: bool) -> Iterator[Step]:
    counts = stage.counts
    left = counts.read
    for kind, text, reasons in (
        ("dropped", "dropped", counts.dropped_by_reason),
        ("failed", "failed", counts.failed_by_error),
    ):
        for reason, count in _largest(reasons):
            left -= count
            yield _leaving(
                "dropped" if kind == "dropped" else "failed", text, reason, count, left, scale
            )
    if stage.stage == "train" and counts.rows < counts.in_rows:
        held_out = counts.in_rows - counts.rows
        yield _leaving("aside", "held out for evaluation", "", held_out, counts.rows, scale)
        left = counts.rows
    if is_last or counts.rows != left:
        text = "rows trained on" if stage.stage == "train" else "rows written"
        if counts.rows != left:
            text += f", which hold the {left:,} records"
        yield Step("rows", text, "", counts.rows, _stream(left * scale, counts.rows * scale), "")


def _largest(reasons: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= MOST_REASONS:
        return ordered
    rest = ordered[MOST_REASONS - 1 :]
    of_rest = (f"{len(rest)} more reasons", sum(count for _, count in rest))
    return [*ordered[: MOST_REASONS - 1], of_rest]


def _leaving(kind: Kind, text: str, reason: str, count: int, left: int, scale: float) -> Step:
    after, before = left * scale, (left + count) * scale
    return Step(kind, text, reason, count, _stream(after, after), _branch(after, before))


def _stream(top: float, bottom: float) -> str:
    """From one width to another."""
    if not top and not bottom:
        return ""
    return f"M0 0H{top:.2f}C{top:.2f} 50 {bottom:.2f} 50 {bottom:.2f} 100H0Z"


def _branch(after: float, before: float) -> str:
    """A band that leaves the stream's right edge at the top and the box at its right edge."""
    start = min(after, before - THINNEST)
    half = min(32.0, max(3.0, (before - start) / 2))
    upper, lower = 50 - half, 50 + half
    turn_in, turn_out = (start + _EXIT) / 2, (before + _EXIT) / 2
    return (
        f"M{start:.2f} 0H{before:.2f}C{before:.2f} {upper:.2f} {turn_out:.2f} {upper:.2f} "
        f"{_EXIT:g} {upper:.2f}V{lower:.2f}C{turn_in:.2f} {lower:.2f} {start:.2f} {lower:.2f} "
        f"{start:.2f} 0Z"
    )
