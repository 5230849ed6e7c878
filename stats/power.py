"""How many problems a paired comparison needs, and what a number of problems can detect.

`rate_lost` and `rate_gained` are the shares of all problems, in truth, that the first model alone
and the second model alone gets right; their difference is the difference in accuracy.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm

from .intervals import two_sided_z

MOST_PROBLEMS = 10_000_000
NEGLIGIBLE = 1e-12

Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def mcnemar_power(
    problems: int,
    rate_lost: float,
    rate_gained: float,
    *,
    level: float = 0.05,
    is_midp: bool = False,
) -> float:
    """The chance that McNemar's test finds a difference that is there, in either direction.

    Exact: over all numbers of discordant pairs, how often they come and how often they then fall
    so unevenly that the test rejects.

    Assumes independent problems with these rates. To be asked of rates that one wants to be able to
    detect, not of those just seen: the power at those is the p-value in another guise.

    Args:
        problems: 0 or more.
        rate_lost: 0 to 1.
        rate_gained: 0 to 1; together at most 1.
        level: the test rejects at p ≤ level.
        is_midp: of `mcnemar_midp`, else of `mcnemar_exact`.

    Example:
        >>> round(mcnemar_power(50, rate_lost=0.02, rate_gained=0.10), 2)
        0.2

    Source: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91; on power
    at the rates seen: Hoenig and Heisey, The American Statistician 55 (2001) 19-24.
    """
    discordant = rate_lost + rate_gained
    if min(rate_lost, rate_gained) < 0 or discordant > 1 + NEGLIGIBLE:
        raise ValueError(f"rates {rate_lost} and {rate_gained} must be 0 or more, together ≤ 1.")
    if not discordant or not problems:
        return 0.0
    discordant = min(discordant, 1.0)
    fewest, most = binom.ppf([NEGLIGIBLE, 1 - NEGLIGIBLE], problems, discordant)
    pairs = np.arange(int(fewest), int(most) + 1)
    critical = _critical_counts(pairs, level, is_midp)
    lost_share = rate_lost / discordant
    rejected = binom.cdf(critical, pairs, lost_share)
    rejected += binom.cdf(critical, pairs, 1 - lost_share)
    return float(np.dot(binom.pmf(pairs, problems, discordant), rejected))


def _critical_counts(pairs: Counts, level: float, is_midp: bool) -> Counts:
    """Of each number of pairs, the largest rarer count at which the test rejects; −1 for none."""
    # The quantile is the first count whose tail reaches level / 2; one that passes it is too many.
    critical = binom.ppf(level / 2, pairs, 0.5)
    critical -= binom.cdf(critical, pairs, 0.5) > level / 2
    if is_midp:
        next_midp = binom.cdf(critical, pairs, 0.5) + binom.cdf(critical + 1, pairs, 0.5)
        critical += next_midp <= level
    return np.asarray(critical, dtype=np.int64)


def mcnemar_problems(
    power: float,
    rate_lost: float,
    rate_gained: float,
    *,
    level: float = 0.05,
    is_midp: bool = False,
) -> int:
    """How many problems it takes until McNemar's test finds the difference with this power.

    Found by halving, as power grows with the number of problems. (Where the two models differ on
    every problem it grows in a zigzag, and the number may be off by a few.)

    Args:
        power: between 0 and 1, e.g. .8.
        rate_lost: as for `mcnemar_power`.
        rate_gained: another than `rate_lost`.
        level: the test rejects at p ≤ level.
        is_midp: of `mcnemar_midp`, else of `mcnemar_exact`.

    Raises:
        ValueError: the rates are equal, or so close that it takes more than ten million.

    Source: by `mcnemar_power`; Connor, Biometrics 43 (1987) 207-211 has the approximation.
    """

    def suffices(problems: int) -> bool:
        return (
            mcnemar_power(problems, rate_lost, rate_gained, level=level, is_midp=is_midp) >= power
        )

    enough = 1
    while not suffices(enough):
        enough *= 2
        if enough > MOST_PROBLEMS or rate_lost == rate_gained:
            raise ValueError(f"rates {rate_lost} and {rate_gained} differ too little to be told.")
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (too_few, middle) if suffices(middle) else (middle, enough)
    return enough


def detectable_difference(
    problems: int, discordant: float, *, power: float = 0.8, level: float = 0.05
) -> float:
    """The smallest difference in accuracy that McNemar's exact test finds with this power.

    Args:
        problems: 1 or more.
        discordant: the share of problems on which the two differ, 0 to 1. Differences larger than
            that are taken to go one way only.
        power: how often it would be found.
        level: the test rejects at p ≤ level.

    Returns:
        A difference of rates between 0 and 1; infinite where not even 1 would be found.

    Source: by `mcnemar_power`, solved for the difference.
    """

    def excess(difference: float) -> float:
        lost = max(0.0, (discordant - difference) / 2)
        return mcnemar_power(problems, lost, lost + difference, level=level) - power

    return float(brentq(excess, 0.0, 1.0, xtol=1e-6)) if excess(1.0) >= 0 else math.inf


def detectable_mean(
    problems: int, deviation: float, *, power: float = 0.8, level: float = 0.05
) -> float:
    """The smallest mean difference that a paired test of scores finds with this power.

    (z of the level + z of the power) × deviation / √problems.

    Assumes enough problems for a normal mean, 20 or so.

    Args:
        problems: 1 or more.
        deviation: standard deviation of the differences between problems.
        power: how often it would be found.
        level: two-sided.

    Source: Lachin, Controlled Clinical Trials 2 (1981) 93-113.
    """
    return _distance(power, level) * deviation / math.sqrt(problems)


def mean_problems(power: float, difference: float, deviation: float, *, level: float = 0.05) -> int:
    """How many problems it takes until a paired test of scores finds a mean difference.

    The other way round of `detectable_mean`, with the same assumptions and source.

    Args:
        power: between 0 and 1, e.g. .8.
        difference: the mean difference, not 0.
        deviation: standard deviation of the differences between problems.
        level: two-sided.
    """
    return max(2, math.ceil((_distance(power, level) * deviation / difference) ** 2))


def _distance(power: float, level: float) -> float:
    """How many standard errors from zero a mean must lie in truth: 2.80 for .8 at .05."""
    return two_sided_z(1 - level) + float(norm.ppf(power))
