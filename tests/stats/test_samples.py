"""avg@K and pass@k against all draws, and their intervals against Wilson's and simulation."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from pr1.stats import avg_at_k, effective_wilson, mean_difference, pass_at_k, wilson

OUTCOMES = st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=6), min_size=1, max_size=8)


def by_drawing(samples, k):
    draws = list(itertools.combinations(samples, k))
    return sum(any(draw) for draw in draws) / len(draws)


@given(OUTCOMES, st.integers(1, 3))
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(outcomes, k):
    expected = sum(by_drawing(samples, k) for samples in outcomes) / len(outcomes)
    estimate = pass_at_k(outcomes, k)
    assert estimate.value == pytest.approx(expected)
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1


@pytest.mark.parametrize(("right", "tried", "k"), [(3, 10, 5), (0, 10, 5), (10, 10, 1), (6, 10, 5)])
def test_pass_at_k_is_the_formula_of_its_paper(right, tried, k):
    # Chen et al. 2021, figure 3: 1 − ∏ (1 − k / i) over i from n − c + 1 to n
    product = math.prod(1 - k / i for i in range(tried - right + 1, tried + 1))
    expected = 1.0 if tried - right < k else 1 - product
    outcomes = [[1] * right + [0] * (tried - right)]
    assert pass_at_k(outcomes, k).value == pytest.approx(expected)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=60))
def test_one_sample_per_problem_is_wilsons_interval(right):
    estimate = avg_at_k([[value] for value in right])
    assert estimate == pytest.approx((sum(right) / len(right), *wilson(sum(right), len(right))))


@given(OUTCOMES)
def test_avg_at_k_is_the_mean_of_the_problems_means(outcomes):
    means = [sum(samples) / len(samples) for samples in outcomes]
    assert avg_at_k(outcomes).value == pytest.approx(sum(means) / len(means))


def test_copies_of_a_sample_tell_nothing_new():
    once = avg_at_k([[1], [0], [1], [1]])
    assert avg_at_k([[1] * 8, [0] * 8, [1] * 8, [1] * 8]) == pytest.approx(once)


def test_problems_that_do_not_vary_count_once_each():
    assert avg_at_k([[1, 0]] * 30) == pytest.approx((0.5, *wilson(15, 30)))


def test_samples_are_worth_their_number_at_most():
    outcomes = [[1, 0, 1, 0]] * 20 + [[1, 1, 1, 0]]
    estimate = avg_at_k(outcomes)
    low, high = wilson(43, 84)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize("value", [0, 1])
def test_all_right_or_all_wrong_counts_the_problems(value):
    assert avg_at_k([[value] * 8] * 10) == pytest.approx((value, *wilson(10 * value, 10)))


def test_no_problems_say_nothing():
    value, low, high = avg_at_k([])
    assert math.isnan(value)
    assert (low, high) == (0, 1)


def test_the_interval_covers_the_mean_of_problems_of_unequal_difficulty():
    draw = random.Random(3)
    covered = 0
    for _ in range(400):
        rates = [draw.choice((0.1, 0.5, 0.95)) for _ in range(60)]
        outcomes = [[int(draw.random() < rate) for _ in range(8)] for rate in rates]
        _, low, high = avg_at_k(outcomes)
        covered += low <= (0.1 + 0.5 + 0.95) / 3 <= high
    assert covered >= 0.92 * 400


@pytest.mark.parametrize(
    ("outcomes", "k", "message"),
    [([[1, 0]], 3, "needs 3"), ([[1, 0]], 0, "1 or more"), ([[1, 2]], 1, "0 or 1"), ([[]], 1, "1")],
)
def test_what_cannot_be_counted_is_a_bug_of_the_caller(outcomes, k, message):
    with pytest.raises(ValueError, match=message):
        pass_at_k(outcomes, k)


def test_scores_between_zero_and_one_have_an_interval_too():
    estimate = effective_wilson([0.2, 0.4, 0.4, 0.6])
    assert estimate.value == pytest.approx(0.4)
    # A mean of .4 with the variance that 48 trials would give it: .4 · .6 / (.02 / 4).
    assert (estimate.low, estimate.high) == pytest.approx((0.2735, 0.5415), abs=1e-3)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40))
def test_the_mean_difference_agrees_with_statsmodels(differences):
    estimate = mean_difference(differences)
    if max(differences) - min(differences) < 1e-9:
        return
    assert estimate.value == pytest.approx(np.mean(differences))
    theirs = DescrStatsW(differences).tconfint_mean()
    assert (estimate.low, estimate.high) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("differences", "value"), [([], math.nan), ([0.5], 0.5), ([0, 0], 0)])
def test_differences_that_do_not_vary_have_no_interval(differences, value):
    estimate = mean_difference(differences)
    assert estimate == pytest.approx((value, math.nan, math.nan), nan_ok=True)
