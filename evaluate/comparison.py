"""Two models on the same problems: a report on the whole, and on each group of problems."""

from __future__ import annotations

from collections.abc import Sequence

from ..stats import benjamini_hochberg
from .matching import Matched, Pair, group_by
from .measures import accuracy_of_samples, accuracy_of_table, perception_of, table_of
from .records import Comparison, Measure, Report


def compare(matched: Sequence[Matched], by: str | None, seed: int) -> list[Report]:
    """A report on each pair of models, with q-values over all tests of one kind.

    Args:
        matched: at least one.
        by: the column to group by.
        seed: of random sign flips.

    Raises:
        UsageError: there is no such column.
    """
    reports = [_report(one, by, seed) for one in matched]
    overall = [report.overall for report in reports]
    if len(overall) > 1:
        overall = _with_q_values(overall)
    groups = iter(_with_q_values([group for report in reports for group in report.groups]))
    return [
        report.model_copy(
            update={"overall": whole, "groups": [next(groups) for _ in report.groups]}
        )
        for report, whole in zip(reports, overall, strict=True)
    ]


def _report(matched: Matched, by: str | None, seed: int) -> Report:
    groups = group_by(matched.pairs, by) if by is not None else {}
    return Report(
        model_a=matched.model_a,
        model_b=matched.model_b,
        left_out=matched.left_out._asdict(),
        overall=compare_pairs(matched.pairs, matched.benchmark, seed),
        by=by,
        groups=[compare_pairs(pairs, name, seed) for name, pairs in groups.items()],
    )


def compare_pairs(pairs: Sequence[Pair], name: str | None, seed: int) -> Comparison:
    """Compare two models on one set of problems; at least one.

    Args:
        pairs: each with a scored sample under either model.
        name: of the benchmark or the group.
        seed: of random sign flips.
    """
    sizes = [len(outcome.samples) for pair in pairs for outcome in (pair.a, pair.b)]
    table = table_of(pairs) if max(sizes) == 1 else None
    return Comparison(
        name=name,
        samples=(min(sizes), max(sizes)),
        has_unequal_samples=any(len(pair.a.samples) != len(pair.b.samples) for pair in pairs),
        accuracy=accuracy_of_table(table) if table else accuracy_of_samples(pairs, seed),
        table=table,
        perception=perception_of(pairs, seed),
    )


def _with_q_values(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same, each test with its q-value among all of them; accuracy and perception apart."""
    accuracy = _q_values([one.accuracy for one in comparisons])
    perception = _q_values([one.perception for one in comparisons])
    return [
        one.model_copy(update={"accuracy": first, "perception": second})
        for one, first, second in zip(comparisons, accuracy, perception, strict=True)
    ]


def _q_values(measures: Sequence[Measure | None]) -> list[Measure | None]:
    q_values = iter(benjamini_hochberg([one.p_value for one in measures if one is not None]))
    return [one and one.model_copy(update={"q_value": next(q_values)}) for one in measures]
