"""The report as a picture: both rates of each group with their intervals, and the difference."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..schemas.errors import MissingExtra, UsageError
from .records import Comparison, Measure, Range, Report
from .wording import LEVEL
from .written import p_value, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette: told apart by colour-blind eyes, and in grey by the markers.
COLOUR_A, COLOUR_B, INK, FAINT, GRID = "#0072B2", "#D55E00", "#222222", "#BBBBBB", "#EEEEEE"
MOST_ROWS = 60
NAME_LENGTH = 44
APART = 0.14


class FigureRow(NamedTuple):
    """One line of the figure; a heading has no measure."""

    name: str
    measure: Measure | None


def check_figure(path: Path) -> None:
    """Refuse a figure that could not be written, before anything is computed.

    Raises:
        MissingExtra: matplotlib is not installed.
        UsageError: the path is no `.png` in a folder that exists.
    """
    if path.suffix != ".png" or not path.parent.is_dir() or path.is_dir():
        raise UsageError(f"--figure {path}: name a .png file in a folder that exists.")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "pr1 compare --figure needs matplotlib. Install it: pip install 'pr1[figures]'"
        ) from error


def draw_figure(reports: Sequence[Report], path: Path) -> None:
    """Write the figure as PNG: rows for accuracy, then rows for perception where there is any.

    Raises:
        UsageError: there are more than 60 rows, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = _rows(reports)
    if len(rows) > MOST_ROWS:
        raise UsageError(
            f"--figure: {len(rows)} rows do not fit one figure ({MOST_ROWS} do). Leave --by out, "
            "or group by a column with fewer values."
        )
    figure = Figure(figsize=(9.6, 1.4 + 0.44 * len(rows)), dpi=160, layout="constrained")
    rates, differences = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    for place, (_, measure) in enumerate(rows):
        if measure:
            _draw_rates(rates, place, measure)
            _draw_difference(differences, place, measure)
    _finish_rates(rates, rows, reports)
    _finish_differences(differences, rows)
    # A name may be in a script that the font lacks: boxes in its place are no reason to fail.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        try:
            figure.savefig(path, format="png", facecolor="white")
        except OSError as error:
            raise UsageError(f"--figure {path}: cannot be written ({error.strerror}).") from error


def _rows(reports: Sequence[Report]) -> list[FigureRow]:
    """The whole and its groups, of each report; under headings where there is perception, too."""
    named = [pair for report in reports for pair in _named(report, len(reports) > 1)]
    accuracy = [FigureRow(name, one.accuracy) for name, one in named]
    perception = [FigureRow(name, one.perception) for name, one in named if one.perception]
    if not perception:
        return accuracy
    return [FigureRow("accuracy", None), *accuracy, FigureRow("perception", None), *perception]


def _named(report: Report, is_one_of_several: bool) -> Iterator[tuple[str, Comparison]]:
    name = plain(report.overall.name or "all problems", NAME_LENGTH)
    if is_one_of_several:
        half = NAME_LENGTH // 2 + 2
        name += f"\n{plain(report.model_a, half)} → {plain(report.model_b, half)}"
    yield name, report.overall
    for group in report.groups:
        yield plain(group.name or "", NAME_LENGTH), group


def _draw_rates(axes: Axes, place: int, measure: Measure) -> None:
    a, b = measure.a, measure.b
    if a.value is not None and b.value is not None:
        ends = [100 * a.value, 100 * b.value]
        axes.plot(ends, [place - APART, place + APART], color=FAINT, linewidth=1, zorder=1)
    _draw_range(axes, place - APART, a, COLOUR_A, "o")
    _draw_range(axes, place + APART, b, COLOUR_B, "s")


def _draw_difference(axes: Axes, place: int, measure: Measure) -> None:
    decisive = measure.p_value if measure.q_value is None else measure.q_value
    face = INK if decisive <= LEVEL else "white"
    _draw_range(axes, place, measure.difference, INK, "D", face)


def _draw_range(
    axes: Axes, place: float, one: Range, colour: str, marker: str, face: str | None = None
) -> None:
    if one.value is None:
        return
    if one.low is not None and one.high is not None:
        ends = [100 * one.low, 100 * one.high]
        axes.plot(ends, [place, place], color=colour, linewidth=1.8, zorder=2)
    value = [100 * one.value]
    axes.plot(
        value, [place], marker, color=colour, markerfacecolor=face or colour, ms=5.5, zorder=3
    )


def _finish_rates(axes: Axes, rows: Sequence[FigureRow], reports: Sequence[Report]) -> None:
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    for row, label in zip(rows, axes.get_yticklabels(), strict=True):
        if row.measure is None:
            label.set_fontweight("bold")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("%, 95% intervals")
    label_a, label_b = "A", "B"
    if len(reports) == 1:
        label_a = f"A: {plain(reports[0].model_a, 30)}"
        label_b = f"B: {plain(reports[0].model_b, 30)}"
    axes.plot([], [], "o", color=COLOUR_A, label=_literal(label_a))
    axes.plot([], [], "s", color=COLOUR_B, label=_literal(label_b))
    _tidy(axes)


def _label(row: FigureRow) -> str:
    return _literal(f"{row.name}  (n = {row.measure.problems:,})" if row.measure else row.name)


def _finish_differences(axes: Axes, rows: Sequence[FigureRow]) -> None:
    axes.axvline(0, color=INK, linewidth=0.8, zorder=0)
    axes.set_xlabel("B − A, points, 95% intervals")
    axes.plot([], [], "D", color=INK, label=f"found at {LEVEL}")
    axes.plot([], [], "D", color=INK, markerfacecolor="white", label="not shown")
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(rows)), [_test(row.measure) for row in rows], fontsize=8)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    _tidy(axes)


def _test(measure: Measure | None) -> str:
    if measure is None:
        return ""
    if measure.q_value is None:
        return f"p = {p_value(measure.p_value)}"
    return f"q = {p_value(measure.q_value)}"


def _tidy(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)


def _literal(text: str) -> str:
    """Text without meaning: matplotlib would read what stands between dollar signs as formulas."""
    return text.replace("$", r"\$")
