"""The report as Markdown, to be pasted into a README or a paper's appendix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..outputs.markdown import code, table
from .records import Comparison, Measure, Report
from .wording import (
    conclusions,
    flips,
    group_conclusions,
    named_measures,
    what_was_compared,
)
from .written import p_value, points_range, ratio_range, share_range


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
    yield _measures("score", named_measures(report.overall))
    yield from _table(report.overall)
    for paragraph in conclusions(report.overall):
        yield f"\n{paragraph}"
    if report.groups:
        yield ""
        yield from _groups(report.groups, report.by or "")


def _measures(title: str, measures: Sequence[tuple[str, Measure]]) -> str:
    return table(
        (title, "n", "A", "B", "B − A", "p", "q"), [_cells(name, one) for name, one in measures]
    )


def _cells(name: str, one: Measure) -> tuple[object, ...]:
    rates = share_range(one.a), share_range(one.b), points_range(one.difference)
    q_value = "" if one.q_value is None else p_value(one.q_value)
    return (name, one.problems, *rates, p_value(one.p_value), q_value)


def _table(comparison: Comparison) -> Iterator[str]:
    seen = comparison.perception
    by_flips = f" p of perception by sign flips over problems ({flips(seen)})." if seen else ""
    counts = comparison.table
    if counts is None:
        how = flips(comparison.accuracy)
        yield f"\np of accuracy by sign flips over problems ({how}).{by_flips}"
        return
    right = ("A right", counts.both, counts.lost)
    wrong = ("A wrong", counts.gained, counts.neither)
    yield "\n" + table(("", "B right", "B wrong"), [right, wrong])
    yield (
        f"\np of accuracy by McNemar's exact test; with the mid-p {p_value(counts.midp)}. "
        f"Odds ratio {ratio_range(counts.odds_ratio)}.{by_flips}"
    )


def _groups(groups: Sequence[Comparison], by: str) -> Iterator[str]:
    yield _measures(code(by), [(code(one.name or ""), one.accuracy) for one in groups])
    seen = [(code(one.name or ""), one.perception) for one in groups if one.perception]
    if seen:
        yield "\n" + _measures(f"perception by {code(by)}", seen)
    for paragraph in group_conclusions(groups, f"groups by {code(by)}"):
        yield f"\n{paragraph}"
