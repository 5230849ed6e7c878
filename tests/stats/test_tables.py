"""Fisher's mid-p against all ways to deal the hits out."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from pr1.stats import fisher_midp

SIZES = [(n_1, n_2) for n_1 in range(6) for n_2 in range(6)]


def by_dealing(hits_1, tried_1, hits_2, tried_2):
    """Deal the hits to all trials in every way; count those that give the second more, or as many.

    The first `tried_1` places are the first sample's.
    """
    deals = list(itertools.combinations(range(tried_1 + tried_2), hits_1 + hits_2))
    on_second = [sum(place >= tried_1 for place in deal) for deal in deals]
    more = sum(hits > hits_2 for hits in on_second)
    same = sum(hits == hits_2 for hits in on_second)
    return Fraction(2 * more + same, 2 * len(deals))


@pytest.mark.parametrize(("tried_1", "tried_2"), SIZES)
def test_all_small_tables_by_dealing(tried_1, tried_2):
    for hits_1, hits_2 in itertools.product(range(tried_1 + 1), range(tried_2 + 1)):
        table = (hits_1, tried_1, hits_2, tried_2)
        assert fisher_midp(*table) == pytest.approx(float(by_dealing(*table)), rel=1e-12)


COUNTS = st.integers(0, 40)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_between_fishers_two_one_sided_tests(hits_1, misses_1, hits_2, misses_2):
    tried_1, tried_2 = hits_1 + misses_1, hits_2 + misses_2
    greater = fisher_exact([[hits_2, misses_2], [hits_1, misses_1]], alternative="greater").pvalue
    less = fisher_exact([[hits_2, misses_2], [hits_1, misses_1]], alternative="less").pvalue
    midp = fisher_midp(hits_1, tried_1, hits_2, tried_2)
    assert midp == pytest.approx((greater + 1 - less) / 2, abs=1e-9)
    assert midp + fisher_midp(hits_2, tried_2, hits_1, tried_1) == pytest.approx(1)


def test_equal_rates_are_rejected_as_often_as_the_docstring_says():
    chances = [1, 8, 28, 56, 70, 56, 28, 8, 1]
    rejected = sum(
        chances[a] * chances[b]
        for a, b in itertools.product(range(9), repeat=2)
        if fisher_midp(a, 8, b, 8) <= 0.05
    )
    assert round(rejected / 4**8, 3) == 0.039


@pytest.mark.parametrize("table", [(3, 2, 0, 1), (0, 1, 2, 1), (-1, 2, 0, 1)])
def test_more_hits_than_trials_are_a_bug_of_the_caller(table):
    with pytest.raises(ValueError, match="hits"):
        fisher_midp(*table)
