"""Two independent samples of right and wrong: rollouts of one problem under two conditions."""

from __future__ import annotations

from functools import lru_cache

from scipy.stats import hypergeom


@lru_cache(maxsize=65_536)  # a pass over thousands of problems asks about the same few tables
def fisher_midp(hits_1: int, tried_1: int, hits_2: int, tried_2: int) -> float:
    """Fisher's exact test with the mid-p, one-sided: the second rate is greater.

    Were the two rates equal, the hits would fall on the second sample as if drawn blindly: the
    hypergeometric distribution. The probability of more hits there than were seen, plus half of
    that of as many.

    Assumes two independent samples of independent trials. Without the half it would never reject
    too often; with it, it is closer to the nominal level and may pass it slightly (Fisher's own
    test at 8 against 8 trials rejects equal rates of .5 at .05 in 1.3% of cases, this one in 3.9%).

    Args:
        hits_1: 0 to `tried_1`.
        tried_1: 0 or more; with nothing tried on a side the p-value is .5.
        hits_2: 0 to `tried_2`.
        tried_2: 0 or more.

    Example:
        >>> round(fisher_midp(1, 8, 6, 8), 4)
        0.0105

    Source: Fisher, Statistical Methods for Research Workers (5th ed., 1934), section 21.02; the
    mid-p: Lancaster, Journal of the American Statistical Association 56 (1961) 223-234.
    """
    if not (0 <= hits_1 <= tried_1 and 0 <= hits_2 <= tried_2):
        raise ValueError(f"{hits_1}/{tried_1} and {hits_2}/{tried_2}: hits exceed trials.")
    if tried_1 == tried_2 == 0:
        return 0.5
    on_second = hypergeom(tried_1 + tried_2, hits_1 + hits_2, tried_2)
    return float(on_second.sf(hits_2) + on_second.pmf(hits_2) / 2)
