"""Two models, or two conditions, on the same problems: each problem right or wrong under either.

The four counts of such a comparison, first before second:

|              | second right | second wrong |
|---           |---           |---           |
| first right  | both         | lost         |
| first wrong  | gained       | neither      |

Only the discordant problems, lost and gained, tell the two apart.
"""

from __future__ import annotations

import math

from scipy.stats import binom, binomtest

from .intervals import Estimate, clopper_pearson, wilson


def mcnemar_exact(lost: int, gained: int) -> float:
    """McNemar's test, exact and two-sided: its p-value; 1.0 without discordant pairs.

    Were the two equal, a discordant pair would go either way like a fair coin. The probability that
    so many coins fall at least as unevenly as these did.

    Assumes independent problems, one outcome each under either condition. Never rejects too often,
    and with few discordant pairs much too seldom: six at least are needed to reach .05.

    Source: McNemar, Psychometrika 12 (1947) 153-157; exact by the binomial distribution.
    """
    pairs = lost + gained
    return float(binomtest(lost, pairs, 0.5).pvalue) if pairs else 1.0


def mcnemar_midp(lost: int, gained: int) -> float:
    """McNemar's test with the mid-p: outcomes just as uneven as the one seen count half.

    Assumes what `mcnemar_exact` does. Closer to the nominal level, hence more powerful; may reject
    slightly too often. 1.0 without discordant pairs.

    Source: Lancaster, Journal of the American Statistical Association 56 (1961) 223-234; Fagerland,
    Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91, who recommend it.
    """
    pairs = lost + gained
    if not pairs:
        return 1.0
    as_uneven = float(sum(binom.pmf(count, pairs, 0.5) for count in {lost, gained}))
    return mcnemar_exact(lost, gained) - as_uneven / 2


def odds_ratio(lost: int, gained: int, level: float = 0.95) -> Estimate:
    """Gained to lost, with the exact conditional interval.

    Above 1 the second is better. Infinite where nothing was lost, not a number (`nan`) without
    discordant pairs, with the interval (0, inf).

    Assumes independent problems, and the same odds ratio in all of them: then this is the
    conditional maximum-likelihood estimate. The interval is Clopper and Pearson's for the share of
    gained ones among the discordant pairs, as odds; it excludes 1 where `mcnemar_exact` gives less
    than 1 − level.

    Source: Breslow and Day, Statistical Methods in Cancer Research 1 (1980), section 5.2.
    """
    share = clopper_pearson(gained, lost + gained, level)
    value = gained / lost if lost else (math.inf if gained else math.nan)
    return Estimate(value, _odds(share.low), _odds(share.high))


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


def risk_difference(
    both: int, lost: int, gained: int, neither: int, level: float = 0.95
) -> Estimate:
    """The second accuracy minus the first, on the same problems, with Newcombe's paired interval.

    As for two independent samples (`rate_difference`), but less what the two have in common: their
    correlation phi, corrected for continuity where it is positive.

    Assumes independent problems. Close to its level from about 20 problems on; with no discordant
    pair it still has a width. (nan, -1, 1) without problems.

    Source: Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10.
    """
    problems = both + lost + gained + neither
    if min(both, lost, gained, neither) < 0:
        raise ValueError(f"negative count in {(both, lost, gained, neither)}.")
    if not problems:
        return Estimate(math.nan, -1.0, 1.0)
    first, second = (both + lost) / problems, (both + gained) / problems
    first_range = wilson(both + lost, problems, level)
    second_range = wilson(both + gained, problems, level)
    phi = _newcombe_phi(both, lost, gained, neither)
    value = (gained - lost) / problems
    return Estimate(
        value,
        value - _third_side(second - second_range.low, first_range.high - first, phi),
        value + _third_side(second_range.high - second, first - first_range.low, phi),
    )


def _newcombe_phi(both: int, lost: int, gained: int, neither: int) -> float:
    """The correlation of the two outcomes; 0 where a margin is empty and it is undefined."""
    margins = math.prod((both + lost, gained + neither, both + gained, lost + neither))
    if margins == 0:
        return 0.0
    excess = both * neither - lost * gained
    if excess > 0:
        return max(excess - (both + lost + gained + neither) / 2, 0) / math.sqrt(margins)
    return excess / math.sqrt(margins)


def _third_side(a: float, b: float, cosine: float) -> float:
    """The third side of a triangle, by the law of cosines."""
    return math.sqrt(max(a * a - 2 * cosine * a * b + b * b, 0.0))
