"""McNemar's tests, the odds ratio and the risk difference against counting, R, and print."""

import csv
import itertools
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar

from pr1.stats import clopper_pearson, mcnemar_exact, mcnemar_midp, odds_ratio, risk_difference

SMALL = range(13)
COUNTS = st.integers(0, 400)
REAL_SUMMARY = Path(__file__).parents[3] / "shared/real/paired_summary.csv"


def tails_by_counting(lost, gained):
    """Shares of all coin sequences that fall more unevenly than (lost, gained), and as unevenly."""
    pairs = lost + gained
    ways = {heads: math.comb(pairs, heads) for heads in range(pairs + 1)}
    seen = abs(lost - gained)
    more = sum(n for heads, n in ways.items() if abs(2 * heads - pairs) > seen)
    same = sum(n for heads, n in ways.items() if abs(2 * heads - pairs) == seen)
    return Fraction(more, 2**pairs), Fraction(same, 2**pairs)


@pytest.mark.parametrize("lost", SMALL)
def test_mcnemar_is_the_share_of_coin_sequences_at_least_as_uneven(lost):
    for gained in SMALL:
        more, same = tails_by_counting(lost, gained)
        assert mcnemar_exact(lost, gained) == pytest.approx(float(more + same), rel=1e-12)
        if lost + gained:
            assert mcnemar_midp(lost, gained) == pytest.approx(float(more + same / 2), rel=1e-12)


def test_no_discordant_pair_is_no_evidence():
    assert mcnemar_exact(0, 0) == mcnemar_midp(0, 0) == 1.0


@pytest.mark.parametrize(
    ("lost", "gained", "exact", "midp"),
    [  # the three tests of the paper (arXiv 2506.07218, table of perception accuracies)
        (1, 5, 0.219, 0.125),
        (2, 4, 0.688, 0.453),
        (2, 10, 0.039, 0.022),
    ],
)
def test_the_papers_three_tests(lost, gained, exact, midp):
    assert round(mcnemar_exact(lost, gained), 3) == exact
    assert round(mcnemar_midp(lost, gained), 3) == midp


@pytest.mark.parametrize(
    ("lost", "gained", "exact", "midp"),
    [
        # Cavo et al. 2012; R package contingencytables 3, tests/testthat/test-ch8.R
        (6, 16, 0.052479, 0.034690),
        # Bentur et al. 2009, in Fagerland, Lydersen and Laake 2013
        (1, 7, 0.0703, 0.0391),
    ],
)
def test_published_p_values(lost, gained, exact, midp):
    digits = len(str(exact)) - 2
    assert round(mcnemar_exact(lost, gained), digits) == exact
    assert round(mcnemar_midp(lost, gained), digits) == midp


@given(COUNTS, COUNTS)
def test_mcnemar_agrees_with_statsmodels(lost, gained):
    if lost + gained == 0:
        return
    theirs = mcnemar([[5, lost], [gained, 7]], exact=True).pvalue
    assert mcnemar_exact(lost, gained) == pytest.approx(theirs, rel=1e-9)


@given(COUNTS, COUNTS)
def test_which_model_comes_first_changes_no_p_value(lost, gained):
    assert mcnemar_exact(lost, gained) == pytest.approx(mcnemar_exact(gained, lost))
    assert mcnemar_midp(lost, gained) == pytest.approx(mcnemar_midp(gained, lost))
    assert 0 <= mcnemar_midp(lost, gained) <= mcnemar_exact(lost, gained) <= 1


@pytest.mark.skipif(not REAL_SUMMARY.exists(), reason="the shared real data is not here")
def test_every_real_pair_to_six_digits():
    rows = list(csv.DictReader(REAL_SUMMARY.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 9
    for row in rows:
        p_value = mcnemar_exact(int(row["a_only"]), int(row["b_only"]))
        assert f"{p_value:.6g}" == f"{float(row['mcnemar_exact_two_sided_p']):.6g}"


def test_odds_ratio_of_a_published_example():
    # Armitage and Berry 1994, p. 127: two media for tubercle bacilli, 12 against 2 of 50; the
    # figures are those of the StatsDirect manual (Liddell's exact interval).
    ratio = odds_ratio(lost=2, gained=12)
    assert ratio.value == 6
    assert ratio.low == pytest.approx(1.335744, abs=5e-7)
    assert ratio.high == pytest.approx(55.197091, abs=5e-6)
    assert round(mcnemar_exact(2, 12), 4) == 0.0129


@pytest.mark.parametrize(
    ("lost", "gained", "value", "low", "high"),
    [(0, 5, math.inf, 0.91, math.inf), (5, 0, 0.0, 0.0, 1.09), (0, 0, math.nan, 0.0, math.inf)],
)
def test_odds_ratio_with_an_empty_cell(lost, gained, value, low, high):
    ratio = odds_ratio(lost, gained)
    assert ratio.value == pytest.approx(value, nan_ok=True)
    assert ratio.low == pytest.approx(low, abs=0.01)
    assert ratio.high == pytest.approx(high, abs=0.01)


@pytest.mark.parametrize("lost", SMALL)
def test_the_odds_ratio_excludes_one_exactly_when_the_test_rejects(lost):
    for gained in SMALL:
        ratio = odds_ratio(lost, gained)
        excludes_one = not ratio.low <= 1 <= ratio.high
        assert excludes_one == (mcnemar_exact(lost, gained) <= 0.05)


def test_risk_difference_of_published_examples():
    # Cavo et al. 2012; R package contingencytables 3, tests/testthat/test-ch8.R: first − second
    cavo = risk_difference(59, 6, 16, 80)
    assert [round(-x, 4) for x in cavo] == [-0.0621, -0.0054, -0.1240]
    # Bentur et al. 2009; Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014)
    bentur = risk_difference(1, 1, 7, 12)
    assert [round(-x, 3) for x in bentur] == [-0.286, -0.026, -0.517]


def test_the_approval_ratings():
    # Agresti, Categorical Data Analysis (1990), p. 350, and R's ?mcnemar.test: 1,600 people asked
    # twice. 794 approved both times, 150 the first time only, 86 the second time only. Agresti
    # gives a change of −.04, and its large-sample interval as (−.06, −.02).
    change = risk_difference(both=794, lost=150, gained=86, neither=570)
    assert [round(x, 2) for x in change] == [-0.04, -0.06, -0.02]
    # R: mcnemar.test(Performance, correct = FALSE) gives X-squared = 17.3559, p = 3.099e-05;
    # the exact p-value is near it.
    assert mcnemar_exact(150, 86) == pytest.approx(3.716e-05, rel=1e-3)


@pytest.mark.parametrize("both", range(4))
def test_risk_difference_lies_inside_its_interval_and_turns_round_with_the_models(both):
    for lost, gained, neither in itertools.product(range(4), repeat=3):
        if both + lost + gained + neither == 0:
            continue
        there = risk_difference(both, lost, gained, neither)
        back = risk_difference(both, gained, lost, neither)
        assert -1 <= there.low <= there.value <= there.high <= 1
        assert there.low < there.high
        assert back == pytest.approx((-there.value, -there.high, -there.low))


def test_no_problems_say_nothing():
    assert risk_difference(0, 0, 0, 0) == pytest.approx((math.nan, -1, 1), nan_ok=True)


def squared_errors_off(lost, gained, problems, difference):
    """How many standard errors the counts are from a difference, squared, by a numerical search.

    The likeliest share of lost pairs under that difference is looked for on its log-likelihood.
    """

    def unlikely(share):
        chances = (share, share + difference, 1 - 2 * share - difference)
        counts = (lost, gained, problems - lost - gained)
        return -sum(n * math.log(p) for n, p in zip(counts, chances, strict=True) if n)

    bounds = (max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12)
    share = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    variance = 2 * share + difference - difference**2
    return (gained - lost - problems * difference) ** 2 / (problems * variance)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 30), st.sampled_from([0.9, 0.95]))
def test_the_ends_of_the_risk_difference_are_just_not_rejected(lost, gained, same, level):
    _, low, high = risk_difference(same, lost, gained, 1, level)
    for end in (low, high):
        off = squared_errors_off(lost, gained, same + lost + gained + 1, end)
        assert off == pytest.approx(norm.isf((1 - level) / 2) ** 2, rel=1e-4)


def coverage(problems, rate_lost, rate_gained):
    """How often the interval holds the true difference, over all outcomes of so many problems."""
    truth, covered = rate_gained - rate_lost, 0.0
    for lost, gained in itertools.product(range(problems + 1), repeat=2):
        same = problems - lost - gained
        if same < 0:
            continue
        ways = math.comb(problems, lost) * math.comb(problems - lost, gained)
        rest = 1 - rate_lost - rate_gained
        chance = ways * rate_lost**lost * rate_gained**gained * rest**same
        if chance > 1e-9:
            _, low, high = risk_difference(same, lost, gained, 0)
            covered += chance * (low - 1e-9 <= truth <= high + 1e-9)
    return covered


@pytest.mark.parametrize("problems", [20, 50])
@pytest.mark.parametrize(
    ("rate_lost", "rate_gained"),
    [(0.0, 0.02), (0.01, 0.03), (0.02, 0.1), (0.05, 0.05), (0.0, 0.1), (0.1, 0.2), (0.2, 0.2)],
)
def test_risk_difference_covers_the_truth_as_often_as_it_says(problems, rate_lost, rate_gained):
    assert coverage(problems, rate_lost, rate_gained) >= 0.94


@pytest.mark.parametrize("lost", SMALL)
def test_risk_difference_excludes_zero_exactly_when_the_large_sample_test_rejects(lost):
    for gained in SMALL:
        _, low, high = risk_difference(9, lost, gained, 9)
        rejects = lost + gained > 0 and (gained - lost) ** 2 / (lost + gained) > 1.959964**2
        assert (not low <= 0 <= high) == rejects


def test_no_discordant_pair_still_leaves_a_width():
    # The score interval's ends are then ± z² / (n + z²).
    assert risk_difference(25, 0, 0, 25).high == pytest.approx(3.8415 / 53.8415, abs=1e-5)


@pytest.mark.parametrize("table", [(-1, 1, 1, 1), (1, 1, 1, -1)])
def test_a_negative_count_is_a_bug_of_the_caller(table):
    with pytest.raises(ValueError, match="negative"):
        risk_difference(*table)


def test_a_higher_level_is_a_wider_interval():
    narrow, wide = risk_difference(5, 1, 7, 12, 0.9), risk_difference(5, 1, 7, 12, 0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert clopper_pearson(3, 9, 0.99).low < clopper_pearson(3, 9, 0.9).low
