"""One score of two models, computed: which test it gets, and what so many problems can show.

With one sample per problem the test is McNemar's, with several the sign-flip test on the problems'
means. Why these, and why not one McNemar test over all samples: docs/statistics.md.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from ..stats import (
    Estimate,
    avg_at_k,
    detectable_difference,
    detectable_mean,
    effective_wilson,
    mcnemar_exact,
    mcnemar_midp,
    mcnemar_problems,
    mean_difference,
    mean_problems,
    odds_ratio,
    risk_difference,
    sign_flip,
    wilson,
)
from .matching import Pair
from .records import Measure, Range, Table

POWER = 0.8
MOST_RECOMMENDED = 100_000
"""More problems than that are not worth recommending."""


def table_of(pairs: Iterable[Pair]) -> Table:
    """The 2×2 table of problems with one sample each."""
    counts = Counter((pair.a.samples[0], pair.b.samples[0]) for pair in pairs)
    lost, gained = counts[1, 0], counts[0, 1]
    return Table(
        both=counts[1, 1],
        lost=lost,
        gained=gained,
        neither=counts[0, 0],
        midp=mcnemar_midp(lost, gained),
        odds_ratio=_range(odds_ratio(lost, gained)),
    )


def accuracy_of_table(table: Table) -> Measure:
    """Accuracy with one sample per problem, of at least one problem."""
    both, lost, gained, neither = table.both, table.lost, table.gained, table.neither
    problems = both + lost + gained + neither
    return Measure(
        problems=problems,
        a=_rate(both + lost, problems),
        b=_rate(both + gained, problems),
        difference=_range(risk_difference(both, lost, gained, neither)),
        test="exact McNemar",
        p_value=mcnemar_exact(lost, gained),
        is_exact=True,
        detectable=_finite(detectable_difference(problems, (lost + gained) / problems)),
        problems_needed=_needed_by_mcnemar(problems, lost, gained),
    )


def _rate(hits: int, problems: int) -> Range:
    low, high = wilson(hits, problems)
    return Range(value=hits / problems, low=low, high=high)


def _needed_by_mcnemar(problems: int, lost: int, gained: int) -> int | None:
    rate_lost, rate_gained = lost / problems, gained / problems
    difference = rate_gained - rate_lost
    deviation = math.sqrt(rate_lost + rate_gained - difference**2)
    # The normal approximation first: the exact search takes seconds where the answer is millions.
    if not difference or mean_problems(POWER, difference, deviation) > MOST_RECOMMENDED:
        return None
    return mcnemar_problems(POWER, rate_lost, rate_gained)


def accuracy_of_samples(pairs: Sequence[Pair], seed: int) -> Measure:
    """Accuracy with several samples per problem, of at least one problem."""
    a = [pair.a.samples for pair in pairs]
    b = [pair.b.samples for pair in pairs]
    differences = [
        statistics.fmean(second) - statistics.fmean(first)
        for first, second in zip(a, b, strict=True)
    ]
    return _of_differences(avg_at_k(a), avg_at_k(b), differences, seed)


def perception_of(pairs: Sequence[Pair], seed: int) -> Measure | None:
    """Perception of the problems that have it under both models; None where none has."""
    scored = [
        (pair.a.perception, pair.b.perception)
        for pair in pairs
        if pair.a.perception is not None and pair.b.perception is not None
    ]
    if not scored:
        return None
    a, b = zip(*scored, strict=True)
    differences = [second - first for first, second in scored]
    return _of_differences(effective_wilson(a), effective_wilson(b), differences, seed)


def _of_differences(a: Estimate, b: Estimate, differences: Sequence[float], seed: int) -> Measure:
    test = sign_flip(differences, seed=seed)
    problems, mean = len(differences), statistics.fmean(differences)
    deviation = statistics.stdev(differences) if problems > 1 else 0.0
    needed = mean_problems(POWER, mean, deviation) if abs(mean) > 1e-9 and deviation else None
    return Measure(
        problems=problems,
        a=_range(a),
        b=_range(b),
        difference=_within_scale(mean_difference(differences)),
        test="sign-flip",
        p_value=test.p_value,
        is_exact=test.is_exact,
        detectable=detectable_mean(problems, deviation) if deviation else None,
        problems_needed=needed if needed and needed <= MOST_RECOMMENDED else None,
    )


def _within_scale(estimate: Estimate) -> Range:
    """Scores lie between 0 and 1, but Student's interval for two or three differences goes on."""
    low = -1.0 if estimate.low < -1 else estimate.low  # which may be nan
    high = 1.0 if estimate.high > 1 else estimate.high
    return _range(estimate._replace(low=low, high=high))


def _range(estimate: Estimate) -> Range:
    return Range(**{name: _finite(value) for name, value in estimate._asdict().items()})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
