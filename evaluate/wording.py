"""What a comparison lets one say, and what it does not, in sentences.

Not significant is not the same as equal: what could not be shown is said with the difference that
would have been found. There is no power at the difference seen: that is the p-value in another
guise (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from .measures import MOST_RECOMMENDED
from .records import Comparison, Measure, Report, Table
from .written import p_value, points, share

LEVEL = 0.05
AVERAGED = "mean accuracy"
FEW = 20
REASONS = {"only_a": "only in A", "only_b": "only in B", "not_scored": "not scored in both"}


def what_was_compared(report: Report) -> str:
    """One line: how many problems, how many samples, who is left out."""
    least, most = report.overall.samples
    samples = f"{most}" if least == most else f"{least} to {most}"
    of_each = f", {samples} samples of each" if most > 1 else ""
    left_out = [f"{n:,} {REASONS[why]}" for why, n in report.left_out.items() if n]
    rest = f"; left out: {', '.join(left_out)}" if left_out else ""
    return f"{report.overall.accuracy.problems:,} problems in both{of_each}{rest}"


def named_measures(comparison: Comparison) -> list[tuple[str, Measure]]:
    """Accuracy, and perception where there is one, with their names."""
    name = "accuracy" if comparison.table else AVERAGED
    measures = [(name, comparison.accuracy)]
    return [*measures, ("perception", comparison.perception)] if comparison.perception else measures


def flips(measure: Measure) -> str:
    """How a sign-flip test was made."""
    return "all flips counted" if measure.is_exact else "random flips"


def conclusions(comparison: Comparison) -> list[str]:
    """A paragraph on accuracy, and one on perception where both models have it."""
    (score, accuracy), *_ = named_measures(comparison)
    paragraphs = [_paragraph(accuracy, score, comparison.table)]
    if comparison.perception:
        paragraphs.append(_paragraph(comparison.perception, "perception", None))
        paragraphs += _both(comparison.accuracy, comparison.perception)
    if comparison.has_unequal_samples:
        paragraphs.append(
            "Some problems have more samples of one model than of the other: take p for an "
            "approximation."
        )
    return paragraphs


def _paragraph(measure: Measure, score: str, table: Table | None) -> str:
    if measure.difference.value is None:
        return ""
    if measure.p_value <= LEVEL:
        return " ".join(_shown(measure, score))
    return " ".join(_not_shown(measure, score, table))


def _shown(measure: Measure, score: str) -> list[str]:
    better, worse = ("B", "A") if _better(measure) == "B" else ("A", "B")
    sentences = [
        f"The {score} of {better} is higher than that of {worse} ({_test(measure)}): B − A is "
        f"{points(measure.difference.value)} points{_between(measure)}."
    ]
    if measure.q_value is not None and measure.q_value > LEVEL:
        sentences.append(
            f"But among the tests of this report that is no discovery (q = "
            f"{p_value(measure.q_value)}): of so many tests some come out like this by chance."
        )
    if measure.test == "sign-flip" and measure.problems < FEW:
        sentences.append(f"With {measure.problems} problems that interval is rough.")
    return sentences


def _not_shown(measure: Measure, score: str, table: Table | None) -> list[str]:
    difference = measure.difference
    sentences = [f"That A and B differ in {score} is not shown ({_test(measure)})."]
    if table and not table.lost + table.gained:
        sentences = [f"A and B agree on every problem: nothing tells their {score} apart."]
    if difference.low is not None and difference.high is not None:
        ends = f"{points(difference.low)} to {points(difference.high)} points"
        sentences.append(
            f"The interval of B − A, {ends}, leaves 0 out; the exact test, which decides here, "
            "does not reject."
            if _leaves_zero_out(measure)
            else "Nor is it shown that they are equal: these outcomes agree with a B − A from "
            f"{ends}."
        )
    if table and _is_borderline(measure, table):
        sentences.append(
            "It is a borderline case: the exact test errs on the side of showing nothing; the "
            f"mid-p test gives p = {p_value(table.midp)}."
        )
    return [*sentences, *_reach(measure, table)]


def _is_borderline(measure: Measure, table: Table) -> bool:
    return table.midp <= LEVEL or _leaves_zero_out(measure)


def _leaves_zero_out(measure: Measure) -> bool:
    low, high = measure.difference.low or 0.0, measure.difference.high or 0.0
    return low > 0 or high < 0


def _reach(measure: Measure, table: Table | None) -> list[str]:
    """What so many problems could have shown, and how many it would take."""
    if measure.detectable is None and table:
        return ["So few problems cannot show any: McNemar's test needs six on which they differ."]
    if measure.detectable is None or (table and not table.lost + table.gained):
        return []
    sentences = [
        f"A comparison on {measure.problems:,} problems like these misses a difference below "
        f"{share(measure.detectable)} points more than one time in five."
    ]
    if measure.problems_needed is not None:
        sentences.append(
            f"Were the difference the one seen ({points(measure.difference.value)}), it would take "
            f"{measure.problems_needed:,} problems to find it four times out of five."
        )
    elif measure.difference.value:
        sentences.append(
            "To find a difference as small as the one seen takes over "
            f"{MOST_RECOMMENDED:,} problems."
        )
    return sentences


def _test(measure: Measure) -> str:
    how = measure.test if measure.is_exact else f"{measure.test}, random flips"
    return f"{how} p = {p_value(measure.p_value)}"


def _between(measure: Measure) -> str:
    low, high = measure.difference.low, measure.difference.high
    if low is None or high is None:
        return ""
    return f", 95% interval {points(low)} to {points(high)}"


def _both(accuracy: Measure, perception: Measure) -> list[str]:
    """Which of the two answers better, and which sees better; nothing where neither is shown."""
    answers, sees = _better(accuracy), _better(perception)
    if answers and sees:
        if answers == sees:
            return [f"{answers} answers better, and sees better."]
        return [f"{answers} answers better, but {sees} sees better."]
    if answers:
        return [f"{answers} answers better; that it sees better is not shown."]
    if sees:
        return [f"{sees} sees better; that it answers better is not shown."]
    return []


def _better(measure: Measure) -> str | None:
    if measure.p_value > LEVEL:
        return None
    return "B" if (measure.difference.value or 0.0) > 0 else "A"


def group_conclusions(comparisons: Sequence[Comparison], what: str) -> list[str]:
    """What may be said of several groups, or comparisons, together."""
    perception = [one.perception for one in comparisons if one.perception]
    sentences = [_found([one.accuracy for one in comparisons], "accuracy", what)]
    return [*sentences, _found(perception, "perception", what)] if perception else sentences


def _found(measures: Sequence[Measure], score: str, what: str) -> str:
    found = sum(one.q_value is not None and one.q_value <= LEVEL for one in measures)
    count = f"{found} of {len(measures)}" if found else f"none of {len(measures)}"
    sentence = (
        f"In {count} {what} a difference in {score} is shown, at a false-discovery rate of "
        f"{LEVEL:.0%} (q ≤ {LEVEL}, Benjamini-Hochberg)."
    )
    if found == len(measures):
        return sentence
    if not found:
        return f"{sentence} Nor is it shown of any that A and B are equal there."
    return (
        f"{sentence} Of the others nothing is shown either way; nor does a difference here and "
        "none there show that here and there differ."
    )


def as_plain_data(reports: Sequence[Report]) -> dict[str, object]:
    """The reports for programs: numbers as JSON has them, and the same sentences."""
    return {
        "reports": [
            report.model_dump(mode="json") | {"conclusions": conclusions(report.overall)}
            for report in reports
        ]
    }
