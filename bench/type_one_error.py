"""How often the test of one problem errs while rollouts are topped up: computed, not simulated.

All pairs of counts under `a` and `b`, with their probabilities, go through the stages of the
schedule; pairs at which the product would stop leave it. Rejected is at p ≤ .05 where it stops.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.stats import binom

from pr1.filter.paired.counts import Counts
from pr1.filter.paired.thresholds import needs_more, schedule
from pr1.stats import fisher_midp

NOMINAL = 0.05
RATES = np.linspace(0.01, 0.99, 99)

Grid = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def type_one_error(
    rate: float, first: int, most: int, *, threshold: float = 0.5, peek: bool = False
) -> float:
    """The probability that a problem with this rate under `a` and under `b` has p ≤ .05.

    Args:
        rate: the true solve rate, told or not.
        first: rollouts of the first stage.
        most: of the last.
        threshold: above which a problem is solved.
        peek: stop as soon as p ≤ .05, which must not be done; else by the posteriors.
    """
    stages = schedule(first, most)
    going, had, rejected = np.ones((1, 1)), 0, 0.0  # probability of (solved under a, under b)
    for total in stages:
        more = binom.pmf(np.arange(total - had + 1), total - had, rate)
        reached = _convolved(_convolved(going, more).T, more).T
        is_rejected = _is_rejected(total)
        goes_on = ~is_rejected if peek else _goes_on(total, threshold)
        if total == stages[-1]:
            goes_on = np.zeros_like(goes_on)
        rejected += float(reached[is_rejected & ~goes_on].sum())
        going, had = np.where(goes_on, reached, 0.0), total
    return rejected


def _convolved(grid: Grid, more: Grid) -> Grid:
    return np.array([np.convolve(row, more) for row in grid])


@cache
def _is_rejected(tried: int) -> Mask:
    return np.array(
        [
            [fisher_midp(a, tried, b, tried) <= NOMINAL for b in range(tried + 1)]
            for a in range(tried + 1)
        ]
    )


@cache
def _goes_on(tried: int, threshold: float) -> Mask:
    def more(a: int, b: int) -> bool:
        return needs_more({"a": Counts(a, tried), "b": Counts(b, tried)}, threshold)

    return np.array([[more(a, b) for b in range(tried + 1)] for a in range(tried + 1)])


def type_one_table() -> list[tuple[str, ...]]:
    """Rows of a table: by schedule, the error on average over all rates, at some, and at worst."""
    rows: list[tuple[str, ...]] = [
        ("rollouts", "rates from 0 to 1", "rate .2", "rate .35", "rate .5", "worst rate")
    ]
    for first, most, peek in (
        *((8, 8, False), (16, 16, False), (32, 32, False)),
        *((8, 32, False), (1, 32, False), (8, 32, True)),
    ):
        errors = [type_one_error(rate, first, most, peek=peek) for rate in RATES]
        shown = (np.mean(errors), *(errors[_at(rate)] for rate in (0.2, 0.35, 0.5)), max(errors))
        name = f"{first}" if first == most else f"{first} → {most}"
        rows.append((name + (", stopping on p" if peek else ""), *(f"{e:.3f}" for e in shown)))
    return rows


def _at(rate: float) -> int:
    return int(np.argmin(abs(RATES - rate)))
