"""Intervals of one rate and of two independent ones against print, statsmodels and counting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from pr1.stats import clopper_pearson, posterior_above, rate_difference, wilson

HITS_OF = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: methods 3 and 5.
NEWCOMBE_SINGLE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("hits", "tried", "score", "exact"), NEWCOMBE_SINGLE)
def test_newcombes_single_proportions(hits, tried, score, exact):
    assert tuple(round(x, 4) for x in wilson(hits, tried)) == score
    assert tuple(round(x, 4) for x in clopper_pearson(hits, tried)) == exact


# Newcombe, Statistics in Medicine 17 (1998) 873-890, table II: method 10, first minus second.
NEWCOMBE_DIFFERENCES = [
    (56, 70, 48, 80, (0.0524, 0.3339)),
    (9, 10, 3, 10, (0.1705, 0.8090)),
    (6, 7, 2, 7, (0.0582, 0.8062)),
    (5, 56, 0, 29, (-0.0381, 0.1926)),
    (0, 10, 0, 20, (-0.1611, 0.2775)),
    (0, 10, 0, 10, (-0.2775, 0.2775)),
    (10, 10, 0, 20, (0.6791, 1.0)),
    (10, 10, 0, 10, (0.6075, 1.0)),
]


@pytest.mark.parametrize(("hits_1", "tried_1", "hits_2", "tried_2", "ends"), NEWCOMBE_DIFFERENCES)
def test_newcombes_differences(hits_1, tried_1, hits_2, tried_2, ends):
    difference = rate_difference(hits_2, tried_2, hits_1, tried_1)
    assert difference.value == pytest.approx(hits_1 / tried_1 - hits_2 / tried_2)
    assert (round(difference.low, 4), round(difference.high, 4)) == ends


@given(HITS_OF, st.sampled_from([0.8, 0.95, 0.99]))
def test_intervals_agree_with_statsmodels(hits_of, level):
    hits, tried = hits_of
    for ours, method in [(wilson, "wilson"), (clopper_pearson, "beta")]:
        low, high = proportion_confint(hits, tried, alpha=1 - level, method=method)
        # statsmodels leaves the open end of the exact interval to rounding (and to nan)
        expected = (low if hits else 0.0, high if hits < tried else 1.0)
        assert tuple(ours(hits, tried, level)) == pytest.approx(expected, abs=1e-9)


@given(HITS_OF, HITS_OF)
def test_the_difference_agrees_with_statsmodels(first, second):
    theirs = confint_proportions_2indep(*second, *first, method="newcomb", compare="diff")
    ours = rate_difference(*first, *second)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-9)


@given(HITS_OF)
def test_an_interval_holds_its_rate_and_turns_round_with_right_and_wrong(hits_of):
    hits, tried = hits_of
    for interval in (wilson, clopper_pearson):
        low, high = interval(hits, tried)
        assert -1e-12 <= low <= hits / tried <= high <= 1 + 1e-12
        flipped = interval(tried - hits, tried)
        assert (1 - flipped.high, 1 - flipped.low) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("tried", [1, 2, 5, 12])
def test_the_exact_interval_never_covers_less_than_it_says(tried):
    intervals = [clopper_pearson(hits, tried) for hits in range(tried + 1)]
    for rate in [step / 200 for step in range(1, 200)]:
        covered = sum(
            binom.pmf(hits, tried, rate)
            for hits, (low, high) in enumerate(intervals)
            if low <= rate <= high
        )
        assert covered >= 0.95 - 1e-9


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == clopper_pearson(0, 0) == (0.0, 1.0)
    assert posterior_above(0, 0, 0.3) == pytest.approx(0.7)
    nothing = rate_difference(0, 0, 0, 0)
    assert nothing.value == 0
    assert nothing.low <= -0.5
    assert nothing.high >= 0.5


@pytest.mark.parametrize(("hits", "tried"), [(3, 2), (-1, 2), (1, 0)])
def test_more_hits_than_trials_are_a_bug_of_the_caller(hits, tried):
    for function in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="hits"):
            function(hits, tried)
    with pytest.raises(ValueError, match="hits"):
        posterior_above(hits, tried, 0.5)


@given(HITS_OF, st.floats(0.01, 0.99))
def test_the_posterior_is_a_binomial_tail(hits_of, threshold):
    # P(Beta(1 + h, 1 + n − h) > t) = P(Binomial(n + 1, t) ≤ h), counted here.
    hits, tried = hits_of
    tail = sum(
        math.exp(
            math.lgamma(tried + 2)
            - math.lgamma(k + 1)
            - math.lgamma(tried + 2 - k)
            + k * math.log(threshold)
            + (tried + 1 - k) * math.log1p(-threshold)
        )
        for k in range(hits + 1)
    )
    assert posterior_above(hits, tried, threshold) == pytest.approx(tail, abs=1e-9)
