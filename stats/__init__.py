"""Statistics that one can publish: paired tests, intervals, power, false-discovery control.

`paired.py` compares two models on the same problems, `permutation.py` does where a problem has
several samples, `tables.py` compares two independent samples. `intervals.py` and `samples.py` put
intervals on rates, `power.py` says how many problems it takes, `several_tests.py` corrects for
many tests, `agreement.py` compares raters. scipy computes what it has.
What is used where and why: docs/statistics.md.
"""

from .agreement import cohen_kappa
from .intervals import (
    Estimate,
    Interval,
    clopper_pearson,
    posterior_above,
    rate_difference,
    wilson,
)
from .paired import mcnemar_exact, mcnemar_midp, odds_ratio, risk_difference
from .permutation import SignFlip, sign_flip
from .power import (
    detectable_difference,
    detectable_mean,
    mcnemar_power,
    mcnemar_problems,
    mean_problems,
)
from .samples import avg_at_k, effective_wilson, mean_difference, pass_at_k
from .several_tests import benjamini_hochberg
from .tables import fisher_midp

__all__ = [
    "Estimate",
    "Interval",
    "SignFlip",
    "avg_at_k",
    "benjamini_hochberg",
    "clopper_pearson",
    "cohen_kappa",
    "detectable_difference",
    "detectable_mean",
    "effective_wilson",
    "fisher_midp",
    "mcnemar_exact",
    "mcnemar_midp",
    "mcnemar_power",
    "mcnemar_problems",
    "mean_difference",
    "mean_problems",
    "odds_ratio",
    "pass_at_k",
    "posterior_above",
    "rate_difference",
    "risk_difference",
    "sign_flip",
    "wilson",
]
