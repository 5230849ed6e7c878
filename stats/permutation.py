"""A paired test for scores that are more than right or wrong: the signs of the differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.stats import permutation_test

FINEST_STEP = 1_000
MOST_STEPS = 5_000_000
"""Some 100 MB."""
MOST_ADDITIONS = 20_000_000_000
"""Some ten seconds, for 100,000 problems: random flips of so many take longer."""


class SignFlip(NamedTuple):
    """The outcome of a sign-flip test.

    Attributes:
        p_value: two-sided.
        is_exact: whether all flips were counted; else it is an estimate from random ones.
    """

    p_value: float
    is_exact: bool


def sign_flip(differences: Sequence[float], *, seed: int, draws: int = 9_999) -> SignFlip:
    """The sign-flip permutation test: is the mean of paired differences zero? Two-sided.

    Were the two conditions equal, each problem's difference could as well have had the other sign.
    The share of all 2^n flips of signs that make a sum at least as far from zero as the one seen.

    All flips are counted where the differences are multiples of one step (as shares of right
    samples are) or few; else `draws` random ones are drawn, and the seen one is counted among
    them: (1 + hits) / (1 + draws).

    Assumes independent problems and, if the conditions are equal, a difference that is as likely
    as its opposite, problem by problem. It does not matter how many samples are behind a
    difference, nor how much differences vary from problem to problem: that is what pooling all
    samples into one McNemar test gets wrong (docs/statistics.md). With differences of −1, 0 and 1
    only, it *is* `mcnemar_exact`.

    Args:
        differences: one per problem, second minus first; zeros change nothing.
        seed: of the random flips.
        draws: how many random flips; the p-value is at least 1 / (1 + draws) then.

    Returns:
        p = 1.0, exact, where at most one difference is other than zero.

    Example:
        >>> sign_flip([0.5, 0.25, -0.25, 0.5], seed=0)
        SignFlip(p_value=0.375, is_exact=True)

    Source: Fisher, The Design of Experiments (1935), section 21; counting by sums: Streitberg and
    Röhmel, Statistical Software Newsletter 12 (1986) 10-17; (1 + hits) / (1 + draws): Phipson and
    Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010) 39.
    """
    moved = [difference for difference in differences if difference]
    if not all(map(math.isfinite, moved)):
        raise ValueError("a difference is not a finite number.")
    if len(moved) < 2:  # the two flips of a single difference are equally far from zero
        return SignFlip(1.0, is_exact=True)
    steps = _whole_steps(moved)
    if steps is not None:
        return SignFlip(_count_flips(steps), is_exact=True)
    result = permutation_test(
        (np.array(moved),),
        lambda sample, axis: np.abs(sample.sum(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=draws,
        batch=max(1, 10_000_000 // len(moved)),
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return SignFlip(float(result.pvalue), is_exact=2 ** len(moved) <= draws)


def _whole_steps(differences: Sequence[float]) -> list[int] | None:
    """The differences in whole steps of one size; None where no such step is coarse enough."""
    fractions = [Fraction(value).limit_denominator(FINEST_STEP) for value in differences]
    if any(abs(value - near) > 1e-9 for value, near in zip(differences, fractions, strict=True)):
        return None
    step = math.lcm(*(fraction.denominator for fraction in fractions))
    steps = [int(fraction * step) for fraction in fractions]
    total = sum(map(abs, steps))
    is_feasible = total <= MOST_STEPS and len(steps) * total <= MOST_ADDITIONS
    return steps if is_feasible else None


def _count_flips(steps: Sequence[int]) -> float:
    """The share of flips with a sum at least as far from zero as the one seen.

    `shares[s]` is the share of flips in which the differences that come out positive sum to s; one
    difference after the other is let in, as positive in half of the flips.
    """
    sizes = [abs(step) for step in steps]
    total, seen = sum(sizes), abs(sum(steps))
    shares = np.zeros(total + 1)
    shares[0] = 1.0
    largest = 0
    for size in sizes:
        so_far = shares[: largest + 1] / 2
        largest += size
        shares[: largest + 1] /= 2
        shares[size : largest + 1] += so_far
    sums = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(shares[sums >= seen].sum()))
