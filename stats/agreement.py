"""How well two raters agree, beyond what chance would let them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .intervals import Estimate, two_sided_z


def cohen_kappa(table: Sequence[Sequence[int]], level: float = 0.95) -> Estimate:
    """Cohen's kappa of two raters: 1 agreement throughout, 0 as much as by chance, below 0 less.

    The share of agreements above the one expected from how often each rater uses each category,
    over the largest such excess possible.

    Assumes independent items, and raters who do not know of each other. The interval is normal,
    with the large-sample standard error: from some 50 items on; it may be cut at −1 and 1. `nan`
    throughout where both raters only ever used the same one category, or there is no item.

    Args:
        table: counts (C, C); rows are rater A's categories, columns rater B's, in the same order.
        level: how often such an interval covers the truth.

    Source: Cohen, Educational and Psychological Measurement 20 (1960) 37-46; the standard error:
    Fleiss, Cohen and Everitt, Psychological Bulletin 72 (1969) 323-327.
    """
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or (counts < 0).any():
        raise ValueError(f"the table must be square and without negative counts, not {table!r}.")
    items = counts.sum()
    if not items:
        return Estimate(math.nan, math.nan, math.nan)
    shares = counts / items
    by_a, by_b = shares.sum(axis=1), shares.sum(axis=0)
    agreed, expected = float(np.trace(shares)), float(by_a @ by_b)
    if math.isclose(expected, 1.0):
        return Estimate(math.nan, math.nan, math.nan)
    kappa = (agreed - expected) / (1 - expected)
    half = two_sided_z(level) * _standard_error(shares, kappa, expected, float(items))
    return Estimate(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def _standard_error(
    shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    kappa: float,
    expected: float,
    items: float,
) -> float:
    """Equation 13 of Fleiss, Cohen and Everitt: of kappa where the raters do agree."""
    by_a, by_b = shares.sum(axis=1), shares.sum(axis=0)
    spread = (by_b[:, None] + by_a[None, :]) * (1 - kappa)
    on_diagonal = float((np.diag(shares) * (1 - np.diag(spread)) ** 2).sum())
    squared = shares * spread**2
    off_diagonal = float(squared.sum() - np.trace(squared))
    variance = on_diagonal + off_diagonal - (kappa - expected * (1 - kappa)) ** 2
    return math.sqrt(max(variance, 0.0) / items) / (1 - expected)
