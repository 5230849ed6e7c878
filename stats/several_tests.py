"""Many tests at once: how many of those called positive are false."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import false_discovery_control


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The q-value of each test, in the order given.

    Calling all tests with q ≤ .1 positive lets at most a tenth of them be false, on average. With m
    tests in the order of their p-values, the i-th has the least of p·m/i from there on.

    Assumes tests that are independent or positively dependent.

    Args:
        p_values: of all tests that were made, those that came to nothing included.

    Example:
        >>> benjamini_hochberg([0.01, 0.5, 0.02])
        [0.03, 0.5, 0.03]

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995) 289-300.
    """
    if not p_values:
        return []
    return [float(q) for q in false_discovery_control(list(p_values), method="bh")]
