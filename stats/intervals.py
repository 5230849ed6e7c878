"""Intervals for one rate and for a difference of rates.

Rates lie between 0 and 1, and so do the intervals of the methods chosen here: near 0 and 1, and for
few trials, the textbook interval (estimate ± 1.96 standard errors) covers the truth far less often
than it says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.stats import beta, binomtest, norm


class Interval(NamedTuple):
    """From where to where."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A value with its interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, tried: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a rate; (0, 1) where nothing was tried.

    All rates that a normal test with the standard error *under that rate* would not reject.

    Assumes independent trials with one rate. Covers the truth `level` of the time on average over
    rates, now and then less; `clopper_pearson` never covers it less often.

    Args:
        hits: 0 to `tried`.
        tried: 0 or more.
        level: how often such an interval covers the truth, between 0 and 1.

    Source: Wilson, Journal of the American Statistical Association 22 (1927) 209-212.
    """
    return _proportion_interval(hits, tried, level, "wilson")


def clopper_pearson(hits: int, tried: int, level: float = 0.95) -> Interval:
    """The exact interval for a rate; (0, 1) where nothing was tried.

    All rates that neither one-sided exact binomial test at (1 − level)/2 would reject.

    Assumes independent trials with one rate. Covers the truth at least `level` of the time whatever
    the rate, usually more often: it is wider than Wilson's.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413.
    """
    return _proportion_interval(hits, tried, level, "exact")


def _proportion_interval(hits: int, tried: int, level: float, method: str) -> Interval:
    _check_counts(hits, tried)
    if not tried:
        return Interval(0.0, 1.0)
    interval = binomtest(hits, tried).proportion_ci(level, method=method)
    return Interval(float(interval.low), float(interval.high))


def rate_difference(
    hits_1: int, tried_1: int, hits_2: int, tried_2: int, level: float = 0.95
) -> Estimate:
    """Second rate minus first, of two independent samples, with Newcombe's interval.

    The distances from each rate to the ends of its Wilson interval, squared and added.

    Assumes two independent samples (for two models on the same problems: `risk_difference`), each
    of independent trials with one rate. With nothing tried on a side its interval is (0, 1), and
    its rate is taken for .5.

    Source: Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    first, second = wilson(hits_1, tried_1, level), wilson(hits_2, tried_2, level)
    rate_1 = hits_1 / tried_1 if tried_1 else 0.5
    rate_2 = hits_2 / tried_2 if tried_2 else 0.5
    value = rate_2 - rate_1
    return Estimate(
        value,
        value - math.hypot(rate_2 - second.low, first.high - rate_1),
        value + math.hypot(second.high - rate_2, rate_1 - first.low),
    )


def posterior_above(hits: int, tried: int, threshold: float) -> float:
    """The probability that a rate is above a threshold, having seen `hits` in `tried`.

    The upper tail of Beta(1 + hits, 1 + misses), the posterior under a uniform prior.

    Assumes independent trials with one rate, and that before them every rate was as likely as any
    other. A statement about this one rate, not an error rate over many.

    Source: Bayes 1763; Gelman et al., Bayesian Data Analysis (3rd ed., 2013), section 2.4.
    """
    _check_counts(hits, tried)
    return float(beta.sf(threshold, 1 + hits, 1 + tried - hits))


def two_sided_z(level: float) -> float:
    """How many standard errors an interval of this level extends to either side: 1.96 at .95."""
    return float(norm.isf((1 - level) / 2))


def _check_counts(hits: int, tried: int) -> None:
    if not 0 <= hits <= tried:
        raise ValueError(f"{hits} hits in {tried} trials: hits must be from 0 to the trials.")
