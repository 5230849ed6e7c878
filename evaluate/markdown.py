"""The report as Markdown, to be pasted into a README or a paper's appendix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..outputs.markdown import code
from .notation import p_value, points_range, ratio_range, share_range
from .records import Comparison, Measure, Report
from .text import named_measures, what_was_compared
from .wording import conclusions, group_conclusions

HEADER = (
    "| {} | n | A | B | B − A | p | q |",
    "|---|---:|---|---|---|---:|---:|",
)


def render_markdown(reports: Sequence[Report]) -> str:
    """All reports, and what they say together; names from the data are inert code spans."""
    blocks = ["\n".join(_report(report)) for report in reports]
    if len(reports) > 1:
        overall = [report.overall for report in reports]
        blocks.append(
            "\n\n".join(["## All comparisons", *group_conclusions(overall, "comparisons")])
        )
    return "\n\n".join(blocks)


def _report(report: Report) -> Iterator[str]:
    where = f" on {code(report.overall.name)}" if report.overall.name else ""
    yield f"## A: {code(report.model_a)}, B: {code(report.model_b)}{where}"
    yield ""
    yield f"{what_was_compared(report)}. Rates in %, B − A in points, 95% intervals in brackets."
    yield ""
    yield HEADER[0].format("score")
    yield HEADER[1]
    for name, measure in named_measures(report.overall):
        yield _row(name, measure)
    yield from _table(report.overall)
    for paragraph in conclusions(report.overall):
        yield f"\n{paragraph}"
    if report.groups:
        yield ""
        yield from _groups(report.groups, report.by or "")


def _row(name: str, one: Measure) -> str:
    tests = f"{p_value(one.p_value)} | {'' if one.q_value is None else p_value(one.q_value)}"
    rates = f"{share_range(one.a)} | {share_range(one.b)} | {points_range(one.difference)}"
    return f"| {name} | {one.problems:,} | {rates} | {tests} |"


def _table(comparison: Comparison) -> Iterator[str]:
    table = comparison.table
    if table is None:
        yield "\np by sign flips over problems."
        return
    yield "\n| | B right | B wrong |\n|---|---:|---:|"
    yield f"| A right | {table.both:,} | {table.lost:,} |"
    yield f"| A wrong | {table.gained:,} | {table.neither:,} |"
    yield (
        f"\np by McNemar's exact test; with the mid-p {p_value(table.midp)}. Odds ratio "
        f"{ratio_range(table.odds_ratio)}."
    )


def _groups(groups: Sequence[Comparison], by: str) -> Iterator[str]:
    yield HEADER[0].format(code(by))
    yield HEADER[1]
    for one in groups:
        yield _row(code(one.name or ""), one.accuracy)
    if any(one.perception for one in groups):
        yield f"\n{HEADER[0].format(f'perception by {code(by)}')}\n{HEADER[1]}"
        for one in groups:
            if one.perception:
                yield _row(code(one.name or ""), one.perception)
    for paragraph in group_conclusions(groups, f"groups by {code(by)}"):
        yield f"\n{paragraph}"
