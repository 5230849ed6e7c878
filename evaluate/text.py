"""The report for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import set_cell_size

from .records import Comparison, Measure, Report, Table
from .wording import (
    conclusions,
    flips,
    group_conclusions,
    named_measures,
    what_was_compared,
)
from .written import (
    p_value,
    plain,
    points_range,
    ratio_range,
    share,
    share_range,
)

WIDTH = 80


def render_text(reports: Sequence[Report]) -> str:
    """All reports one after the other, and what they say together."""
    if len(reports) == 1:
        return "\n".join(_report(reports[0]))
    blocks = [
        "\n".join([f"comparison {number}", *_report(report)])
        for number, report in enumerate(reports, 1)
    ]
    blocks.append("\n".join(_summary([report.overall for report in reports])))
    return f"\n\n{'─' * WIDTH}\n\n".join(blocks)


def _report(report: Report) -> Iterator[str]:
    yield from _head(report)
    yield ""
    yield from _measures(report.overall)
    if report.overall.table:
        yield ""
        yield from _table(report.overall.table, report.overall.accuracy)
    yield from _paragraphs(conclusions(report.overall))
    if report.groups:
        yield ""
        yield from _groups(report.groups, plain(report.by or "", 20))


def _head(report: Report) -> Iterator[str]:
    if report.overall.name is not None:
        yield plain(report.overall.name, WIDTH)
    yield f"A  {plain(report.model_a, WIDTH - 3)}"
    yield f"B  {plain(report.model_b, WIDTH - 3)}"
    yield from _wrapped(what_was_compared(report))


def _measures(comparison: Comparison) -> Iterator[str]:
    yield f"{'%, 95% intervals':18}{'A':20}{'B':20}B − A, points"
    for name, measure in named_measures(comparison):
        columns = f"{share_range(measure.a):20}{share_range(measure.b):20}"
        yield f"{name:18}{columns}{points_range(measure.difference)}"
    for name, measure in named_measures(comparison):
        if not comparison.table or name == "perception":
            on = f"{measure.problems:,} problems, " if name == "perception" else ""
            yield f"sign-flip test of {name}: p = {p_value(measure.p_value)} ({on}{flips(measure)})"


def _table(table: Table, accuracy: Measure) -> Iterator[str]:
    facts = [
        "",
        f"McNemar, exact  p = {p_value(accuracy.p_value)}",
        f"McNemar, mid-p  p = {p_value(table.midp)}",
        f"odds ratio      {ratio_range(table.odds_ratio)}",
    ]
    counts = [
        f"{'':18}{'B right':>9}{'B wrong':>9}",
        f"{'A right':18}{table.both:9,}{table.lost:9,}",
        f"{'A wrong':18}{table.gained:9,}{table.neither:9,}",
        "",
    ]
    for left, right in zip(counts, facts, strict=True):
        yield f"{left:41}{right}".rstrip()


def _groups(groups: Sequence[Comparison], title: str) -> Iterator[str]:
    yield from _group_table([(one.name or "", one.accuracy) for one in groups], title)
    perception = [(one.name or "", one.perception) for one in groups if one.perception]
    if perception:
        yield ""
        yield from _group_table(perception, f"perception: {title}")
    yield from _paragraphs(group_conclusions(groups, f"groups by {title}"))


def _summary(comparisons: Sequence[Comparison]) -> Iterator[str]:
    rows = [
        (f"{number}. {one.name or ''}", one.accuracy) for number, one in enumerate(comparisons, 1)
    ]
    yield from _group_table(rows, "all comparisons")
    yield from _paragraphs(group_conclusions(comparisons, "comparisons"))


def _paragraphs(paragraphs: Sequence[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield ""
        yield from _wrapped(paragraph)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False)


def _group_table(rows: Sequence[tuple[str, Measure]], title: str) -> Iterator[str]:
    name = set_cell_size(plain(title, 20), 21)
    yield f"{name}{'n':>6}{'A':>6}{'B':>6}  {'B − A, points':22}{'p':>8}{'q':>9}"
    for name, one in rows:
        rates = f"{share(one.a.value):>6}{share(one.b.value):>6}"
        tests = f"{p_value(one.p_value):>8}{_q_value(one):>9}"
        difference = f"{points_range(one.difference):22}"
        yield f"{set_cell_size(plain(name, 20), 21)}{one.problems:6,}{rates}  {difference}{tests}"


def _q_value(measure: Measure) -> str:
    return "" if measure.q_value is None else p_value(measure.q_value)
