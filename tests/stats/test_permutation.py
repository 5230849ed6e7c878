"""The sign-flip test against all flips, and its random estimate against the exact one."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pr1.stats import mcnemar_exact, sign_flip

SHARES = st.fractions(-1, 1, max_denominator=8).map(float)


def by_flipping(differences):
    seen = abs(sum(differences))
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return sum(value >= seen - 1e-9 for value in sums) / len(sums)


@given(st.lists(SHARES, max_size=9))
def test_shares_are_counted_exactly(differences):
    result = sign_flip(differences, seed=0)
    assert result.is_exact
    assert result.p_value == pytest.approx(by_flipping(differences))


@settings(max_examples=30)
@given(st.lists(st.integers(-9_999, 9_999).map(lambda n: n / 9_999), max_size=9))
def test_a_few_scores_of_any_size_are_counted_exactly(differences):
    result = sign_flip(differences, seed=0)
    assert result.is_exact
    assert result.p_value == pytest.approx(by_flipping(differences))


@pytest.mark.parametrize("lost", range(8))
def test_with_one_sample_per_problem_it_is_mcnemars_test(lost):
    for gained in range(8):
        differences = [-1.0] * lost + [1.0] * gained + [0.0] * 5
        assert sign_flip(differences, seed=0).p_value == pytest.approx(mcnemar_exact(lost, gained))


def irrational(count, shift):
    draw = random.Random(1)
    return [draw.gauss(shift, 1) for _ in range(count)]


def test_many_scores_of_any_size_are_estimated_from_random_flips():
    differences = irrational(60, 0.3)
    first, again = (sign_flip(differences, seed=7) for _ in range(2))
    assert first == again
    assert not first.is_exact
    # The same scores, rounded to a grid on which they are counted.
    exact = sign_flip([round(value, 2) for value in differences], seed=7)
    assert exact.is_exact
    assert first.p_value == pytest.approx(exact.p_value, abs=0.01)


def test_fractions_without_a_coarse_common_step_are_flipped_by_themselves():
    differences = [1 / 997, 1 / 991, -1 / 983, 500 / 977]
    result = sign_flip(differences, seed=0)
    assert result.is_exact
    assert result.p_value == by_flipping(differences)


def test_an_estimate_is_never_zero():
    assert sign_flip(irrational(60, 5), seed=0, draws=99).p_value == 1 / 100


def test_many_problems_are_counted_and_a_tiny_p_value_keeps_its_digits():
    result = sign_flip([1 / 8] * 200, seed=0)
    assert result.is_exact
    assert result.p_value == pytest.approx(2 / 2**200, rel=1e-9)


@pytest.mark.parametrize("differences", [[], [0.0], [0.0, 0.0], [0.0, 0.7], [0.12345]])
def test_no_difference_is_no_evidence(differences):
    assert sign_flip(differences, seed=0) == (1.0, True)


@given(st.lists(SHARES, max_size=12), st.integers(0, 3))
def test_neither_zeros_nor_order_nor_direction_matter(differences, zeros):
    p_value = sign_flip(differences, seed=0).p_value
    other = [-value for value in reversed(differences)] + [0.0] * zeros
    assert sign_flip(other, seed=1).p_value == pytest.approx(p_value)
    assert 0 < p_value <= 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_difference_that_is_no_number_is_a_bug_of_the_caller(value):
    with pytest.raises(ValueError, match="finite"):
        sign_flip([0.5, value], seed=0)
