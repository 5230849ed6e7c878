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

from scipy.optimize import brentq
from scipy.stats import binom, binomtest

from .intervals import Estimate, clopper_pearson, two_sided_z


def mcnemar_exact(lost: int, gained: int) -> float:
    """McNemar's test, exact and two-sided: its p-value; 1.0 without discordant pairs.

    Were the two equal, a discordant pair would go either way like a fair coin. The probability that
    so many coins fall at least as unevenly as these did.

    Assumes independent problems, one outcome each under either condition. Never rejects too often,
    and with few discordant pairs much too seldom: six at least are needed to reach .05.

    Example:
        >>> round(mcnemar_exact(lost=2, gained=10), 3)
        0.039

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
    """The second accuracy minus the first, on the same problems, with Tango's score interval.

    All differences that a normal test would not reject, with the standard error *under that
    difference*; of no difference this test is McNemar's large-sample one.

    Assumes independent problems. Close to its level from about 20 problems on, also where few pairs
    are discordant or all go one way. The exact test is stricter: it may not reject where this
    interval excludes 0.

    Returns:
        (nan, -1, 1) without problems.

    Source: Tango, Statistics in Medicine 17 (1998) 891-908; recommended among others by Fagerland,
    Lydersen and Laake, Statistics in Medicine 33 (2014) 2850-2875.
    """
    if min(both, lost, gained, neither) < 0:
        raise ValueError(f"negative count in {(both, lost, gained, neither)}.")
    problems = both + lost + gained + neither
    if not problems:
        return Estimate(math.nan, -1.0, 1.0)
    value = (gained - lost) / problems
    high = _score_end(lost, gained, problems, level)
    low = -_score_end(gained, lost, problems, level)
    return Estimate(value, low, high)


def _score_end(lost: int, gained: int, problems: int, level: float) -> float:
    """The upper end: the largest difference from which the counts are no more than z errors off."""
    if gained == problems:
        return 1.0
    z = two_sided_z(level)

    def room(difference: float) -> float:
        seen = gained - lost - problems * difference
        return seen + z * _standard_error(lost, gained, problems, difference)

    return float(brentq(room, (gained - lost) / problems + 1e-12, 1.0))


def _standard_error(lost: int, gained: int, problems: int, difference: float) -> float:
    """Of gained − lost, with the shares that are likeliest if the true difference is this one."""
    # The likeliest share of lost pairs is the larger root of a q² + b q + c.
    a = 2 * problems
    b = (2 * problems + lost - gained) * difference - lost - gained
    c = -lost * difference * (1 - difference)
    share_lost = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = problems * (2 * share_lost + difference * (1 - difference))
    return math.sqrt(max(variance, 0.0))
