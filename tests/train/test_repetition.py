"""Repetition is TRL's, whether or not TRL is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trl.rewards import get_repetition_penalty_reward

from pr1.train import repetition
from pr1.train.repetition import MOST_REPETITION, NGRAM_TOKENS, repetition_penalty

trl_penalty = get_repetition_penalty_reward(NGRAM_TOKENS, MOST_REPETITION)

token_ids = st.lists(st.integers(0, 2**32), max_size=60)
repetitive = st.lists(st.integers(0, 1), max_size=200)
copied = st.tuples(token_ids, token_ids).map(lambda parts: parts[0] + parts[1] + parts[0])


@given(token_ids | repetitive | copied)
def test_it_is_what_trl_says(completion):
    assert repetition_penalty(completion) == pytest.approx(trl_penalty([completion])[0])


@pytest.mark.parametrize("length", [0, 1, 19, 20, 21, 8_192])
def test_trl_is_not_asked_where_no_tokens_repeat(monkeypatch, length):
    monkeypatch.setattr("trl.rewards.get_repetition_penalty_reward", None)
    assert repetition_penalty(range(length)) == 0.0


def test_equal_sums_of_different_tokens_are_no_repetition(monkeypatch):
    monkeypatch.setattr(repetition, "WEIGHTS", repetition.WEIGHTS * 0)
    assert repetition_penalty(range(100)) == 0.0
