"""Pooling all samples into one McNemar test raises false alarms, and sign flips do not.

A short version of `bench/pooled_mcnemar.py`, whose full tables are in docs/statistics.md.
"""

import pytest
from pooled_mcnemar import false_alarms

REPEATS = 300


@pytest.mark.parametrize(("effect", "is_sticky"), [(0.4, False), (0.0, True)])
def test_pooled_mcnemar_rejects_equal_models_and_sign_flips_keep_their_level(effect, is_sticky):
    alarms = false_alarms(50, 8, effect, is_sticky=is_sticky, repeats=REPEATS, seed=0)
    assert alarms.pooled > 0.15
    assert alarms.sign_flip < 0.09
    assert alarms.single < 0.09


def test_pooling_is_right_only_where_all_problems_are_alike():
    alarms = false_alarms(50, 8, 0.0, is_sticky=False, repeats=REPEATS, seed=0)
    assert alarms.pooled < 0.09
