"""Benjamini-Hochberg and Cohen's kappa against print and statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests

from pr1.stats import benjamini_hochberg, cohen_kappa

# Benjamini and Hochberg 1995, section 3.2: 15 tests of a trial in cardiology.
THEIR_P_VALUES = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]


def test_the_example_of_benjamini_and_hochberg():
    q_values = benjamini_hochberg(THEIR_P_VALUES)
    assert [q <= 0.05 for q in q_values] == [True] * 4 + [False] * 11
    # R: p.adjust(p, "BH")
    expected = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.063857142857, 0.063857142857, 0.0645]
    assert q_values[:8] == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_agree_with_statsmodels_and_keep_their_order(p_values):
    q_values = benjamini_hochberg(p_values)
    assert q_values == pytest.approx(list(multipletests(p_values, method="fdr_bh")[1]))
    assert all(q >= p for q, p in zip(q_values, p_values, strict=True))


def test_no_tests_no_q_values():
    assert benjamini_hochberg([]) == []


def test_kappa_of_published_examples():
    # R: vcd::Kappa of the approval ratings (its standard error there is Cohen's first one of 1960)
    assert cohen_kappa([[794, 150], [86, 570]]).value == pytest.approx(0.69959267, abs=5e-9)
    # Agresti, Categorical Data Analysis (1990), section 10.5; R: vcd::Kappa(SexualFun)
    fun = cohen_kappa([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]])
    assert round(fun.value, 4) == 0.1293
    assert round((fun.high - fun.value) / 1.959964, 4) == 0.0686


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=3, max_size=3))
def test_kappa_agrees_with_statsmodels(table):
    ours = cohen_kappa(table)
    if math.isnan(ours.value):
        return
    with np.errstate(all="ignore"):
        theirs = cohens_kappa(table)
    assert ours.value == pytest.approx(theirs.kappa, abs=1e-9)
    if theirs.var_kappa > 1e-12 and ours.low > -1 and ours.high < 1:
        assert (ours.low, ours.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp))


@pytest.mark.parametrize("table", [[[0, 0], [0, 0]], [[9, 0], [0, 0]]])
def test_kappa_is_undefined_where_nothing_could_disagree(table):
    assert all(map(math.isnan, cohen_kappa(table)))


def test_perfect_agreement():
    assert cohen_kappa([[5, 0], [0, 7]]) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("table", [[[1, 2]], [[1, -2], [3, 4]], [1, 2]])
def test_a_table_that_is_none_is_a_bug_of_the_caller(table):
    with pytest.raises(ValueError, match="square"):
        cohen_kappa(table)
