"""Several samples per problem: what a model gets right on average, and with k attempts.

Samples of one problem resemble each other, so that N problems with K samples each tell less than
N·K problems would. The problem is the unit here, as everywhere in pr1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import hypergeom, ttest_1samp

from .intervals import Estimate, Interval, two_sided_z


def avg_at_k(outcomes: Sequence[Sequence[int]], level: float = 0.95) -> Estimate:
    """The mean accuracy over problems, of each problem's mean over its samples, with an interval.

    The interval is Wilson's, with as many trials as would leave the mean as uncertain as it is
    between problems (`effective_wilson`). With one sample per problem it is `wilson` itself.

    Assumes independent problems; samples of one problem may depend on each other. The problems are
    taken for a sample of those one could ask, so that the interval tells what to expect of others
    like them.

    Args:
        outcomes: of each problem its samples, 1 right and 0 wrong; at least one each.
        level: how often such an interval covers the truth.

    Returns:
        (nan, 0, 1) without problems.

    Source: the problem as the unit: Miller, Adding Error Bars to Evals, arXiv 2411.00640 (2024).
    """
    return pass_at_k(outcomes, 1, level)


def pass_at_k(outcomes: Sequence[Sequence[int]], k: int, level: float = 0.95) -> Estimate:
    """The chance that at least one of k samples is right, without bias, with an interval.

    Per problem: of all ways to choose k of its samples, the share that holds a right one; then the
    mean over problems. The plain 1 − (1 − accuracy)^k would be too low.

    Assumes what `avg_at_k` does, and samples of one problem that are independent draws.

    Args:
        outcomes: of each problem its samples, 1 right and 0 wrong; at least k each.
        k: 1 or more.
        level: how often such an interval covers the truth.

    Returns:
        (nan, 0, 1) without problems.

    Source: Chen et al., Evaluating Large Language Models Trained on Code, arXiv 2107.03374 (2021),
    equation 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; it must be 1 or more.")
    for samples in outcomes:
        if len(samples) < k:
            raise ValueError(
                f"pass@{k} needs {k} samples of every problem; one has {len(samples)}."
            )
        if not set(samples) <= {0, 1}:
            raise ValueError(f"outcomes must be 0 or 1, not {samples!r}.")
    tried = np.array([len(samples) for samples in outcomes], dtype=np.int64)
    right = np.array([sum(samples) for samples in outcomes], dtype=np.int64)
    # Blind draws of k of the samples: the chance that more than none is right.
    chances = np.clip(hypergeom.sf(0, tried, right, k), 0.0, 1.0).tolist()
    return effective_wilson(chances, level, most_trials=int(tried.sum()) // k)


def effective_wilson(
    scores: Sequence[float], level: float = 0.95, *, most_trials: float = math.inf
) -> Estimate:
    """The mean of scores between 0 and 1, with Wilson's interval for the trials they are worth.

    That many independent trials have the variance which the mean shows between problems. Scores of
    0 and 1 alone are worth their number, others more.

    Assumes independent problems. Where all scores are equal their spread says nothing, and their
    number is taken.

    Args:
        scores: one per problem.
        level: how often such an interval covers the truth.
        most_trials: what they are worth at most, e.g. the number of samples behind them.

    Returns:
        (nan, 0, 1) without scores.

    Source: Kish, Survey Sampling (1965), section 8.2, for the effective number; Wilson 1927.
    """
    if not len(scores):
        return Estimate(math.nan, 0.0, 1.0)
    mean, variance = float(np.mean(scores)), float(np.var(scores))
    worth = mean * (1 - mean) / variance if variance > 0 else 1.0
    trials = min(max(worth, 1.0) * len(scores), max(most_trials, len(scores)))
    return Estimate(mean, *_wilson_of_rate(mean, trials, level))


def mean_difference(differences: Sequence[float], level: float = 0.95) -> Estimate:
    """The mean of paired differences, with Student's interval.

    Assumes independent problems, enough of them for a normal mean (20 or so).

    Args:
        differences: one per problem, second minus first.
        level: how often such an interval covers the truth.

    Returns:
        An interval of (nan, nan) where it cannot be told how much differences vary: there are
        fewer than two, or they are all equal.

    Source: Student, Biometrika 6 (1908) 1-25.
    """
    if not len(differences):
        return Estimate(math.nan, math.nan, math.nan)
    if max(differences) - min(differences) < 1e-9:
        return Estimate(float(differences[0]), math.nan, math.nan)
    interval = ttest_1samp(differences, 0).confidence_interval(level)
    return Estimate(float(np.mean(differences)), float(interval.low), float(interval.high))


def _wilson_of_rate(rate: float, trials: float, level: float) -> Interval:
    """As `wilson`, for a number of trials that need not be whole (scipy's must be)."""
    share = two_sided_z(level) ** 2 / trials
    half = math.sqrt(share * (rate * (1 - rate) + share / 4))
    low, high = ((rate + share / 2 + step) / (1 + share) for step in (-half, half))
    return Interval(max(0.0, low), min(1.0, high))
