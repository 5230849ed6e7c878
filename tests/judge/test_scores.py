"""The visual score: a share of what was asked, and three states kept apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.judge.scores import visual_score
from pr1.schemas.outcomes import JudgeFailure, Judgement, Verdict
from pr1.schemas.records import TrainAnnotation

WORDS = ["reflected", "absent", "contradicted"]


def asked(*weights: float) -> list[TrainAnnotation]:
    return [
        TrainAnnotation(id=number, statement=f"A{number} = 1", kind="length", weight=weight)
        for number, weight in enumerate(weights, 1)
    ]


def said(*words: str) -> Judgement:
    verdicts = [Verdict(annotation_id=n, verdict=word) for n, word in enumerate(words, 1)]
    return Judgement(completion_id="c", verdicts=verdicts, judge="rules")


def failed(cause: str) -> Judgement:
    failure = JudgeFailure(reason="x", attempts=1, cause=cause)
    return Judgement(completion_id="c", failure=failure, judge="rules")


@pytest.mark.parametrize(
    ("judgement", "weights", "penalty", "score"),
    [
        (said("reflected", "absent"), (1, 1), 1, 0.5),
        (said("reflected"), (1, 1, 1, 1), 1, 0.25),  # the judge answered one of four
        (said("reflected", "contradicted"), (1, 1), 1, 0.0),
        (said("reflected", "contradicted"), (1, 1), 0, 0.5),  # the paper's
        (said("reflected", "reflected", "contradicted", "absent"), (1,) * 4, 0.5, 0.375),
        (said("contradicted", "contradicted"), (1, 1), 1, 0.0),
        (said("reflected", "absent"), (3, 1), 1, 0.75),
        (said("reflected", "contradicted"), (3, 1), 1, 0.5),
        (said(), (1, 1), 1, 0.0),
        (said(), (), 1, None),  # nothing was asked
        (failed("service"), (1,), 1, None),
        (failed("completion"), (1,), 1, 0.0),
        (said("reflected", "contradicted"), (1e308, 1e308), 1000, 0.0),
    ],
)
def test_the_score_is_a_share_of_what_was_asked(judgement, weights, penalty, score):
    found = visual_score(judgement, asked(*weights), penalty)
    assert found == (None if score is None else pytest.approx(score))


@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.floats(1e-300, 1e300)), min_size=1, max_size=12),
    st.floats(0, 1000),
)
def test_the_score_lies_between_0_and_1(pairs, penalty):
    words, weights = zip(*pairs, strict=True)
    score = visual_score(said(*words), asked(*weights), penalty)
    assert score is not None
    assert 0 <= score <= 1
    assert math.isfinite(score)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), st.integers(0, 11))
def test_one_more_reflected_never_costs(words, place):
    before = visual_score(said(*words), asked(*[1] * len(words)), 1.0)
    better = [*words]
    better[place % len(words)] = "reflected"
    assert visual_score(said(*better), asked(*[1] * len(words)), 1.0) >= before
