from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pr1.filter.paired.buckets import decide
from pr1.filter.paired.counts import Counts, Graded, Rolled, count
from pr1.filter.paired.summary import refuse_unscored, summarise, two_by_two
from pr1.filter.paired.testing import candidates, is_tested
from pr1.filter.paired.thresholds import (
    chance,
    needs_more,
    posterior,
    schedule,
    solve_threshold,
    state_of,
)
from pr1.schemas.errors import TooManyFailures
from pr1.schemas.records import Condition

LEVEL = 0.1


def rolled(
    id_: str,
    a: tuple[int, int],
    b: tuple[int, int],
    *,
    blind: tuple[int, int] | None = None,
    fresh: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = None,
    threshold: float = 0.5,
) -> Rolled:
    """A problem by (solved, tried): under a and b, blind, and afresh under a, b and s."""
    selected: dict[Condition, Counts] = {"a": Counts(*a), "b": Counts(*b)}
    if blind is not None:
        selected["blind"] = Counts(*blind)
    again: dict[Condition, Counts] = {}
    if fresh is not None:
        again = {"a": Counts(*fresh[0]), "b": Counts(*fresh[1]), "s": Counts(*fresh[2])}
    return Rolled(id_, threshold, selected, again)


LIMITED = ((1, 16), (15, 16), (2, 16))


@pytest.mark.parametrize(
    ("problem", "bucket"),
    [
        (rolled("p", (8, 8), (8, 8)), "mastered"),
        (rolled("p", (0, 8), (0, 8)), "reasoning-limited"),
        (rolled("p", (8, 8), (0, 8)), "annotations-hurt"),
        (rolled("p", (4, 8), (8, 8)), "undetermined"),
        (rolled("p", (0, 8), (4, 8)), "undetermined"),
        (rolled("p", (0, 8), (8, 8), fresh=LIMITED), "perception-limited"),
        # not confirmed yet; not better than before; not better than any hint; no control to be had
        (rolled("p", (0, 8), (8, 8)), "undetermined"),
        (rolled("p", (0, 8), (8, 8), fresh=((8, 16), (8, 16), (1, 16))), "undetermined"),
        (rolled("p", (0, 8), (8, 8), fresh=((1, 16), (15, 16), (14, 16))), "undetermined"),
        (rolled("p", (0, 8), (8, 8), fresh=((1, 16), (15, 16), (0, 0))), "undetermined"),
        # the picture is not needed, whatever else is true
        (rolled("p", (8, 8), (8, 8), blind=(8, 8)), "blind-solved"),
        (rolled("p", (0, 8), (8, 8), blind=(8, 8), fresh=LIMITED), "blind-solved"),
        (rolled("p", (8, 8), (8, 8), blind=(2, 8)), "mastered"),
        # one rollout says nothing, and neither does none
        (rolled("p", (0, 1), (1, 1)), "undetermined"),
        (rolled("p", (0, 0), (0, 0)), "undetermined"),
        (rolled("p", (0, 0), (8, 8), fresh=LIMITED), "undetermined"),
        # what is more than guessing half the time is not more than guessing from two options
        (rolled("p", (6, 8), (6, 8)), "mastered"),
        (rolled("p", (6, 8), (6, 8), threshold=0.75), "undetermined"),
    ],
)
def test_the_bucket_of_a_problem(problem: Rolled, bucket: str) -> None:
    assert decide([problem], LEVEL)[0].bucket == bucket


def test_a_problem_that_is_one_of_many_must_differ_by_more() -> None:
    striking = rolled("p", (2, 8), (6, 8))
    nulls = [rolled(f"n{number}", (4, 8), (4, 8)) for number in range(200)]
    assert candidates([striking], LEVEL) == [striking]
    assert candidates([striking, *nulls], LEVEL) == []
    assert decide([striking, *nulls], LEVEL)[0].bucket == "undetermined"


def test_the_confirmation_is_corrected_for_the_number_of_candidates() -> None:
    weak = ((6, 16), (11, 16), (6, 16))
    alone = rolled("p", (0, 8), (8, 8), fresh=weak)
    hints = [
        rolled(f"h{number}", (0, 8), (8, 8), fresh=((1, 16), (15, 16), (15, 16)))
        for number in range(9)
    ]
    assert decide([alone], LEVEL)[0].bucket == "perception-limited"
    assert decide([alone, *hints], LEVEL)[0].bucket == "undetermined"


def test_an_outcome_carries_its_figures() -> None:
    outcome = decide([rolled("p", (0, 8), (8, 8), blind=(1, 8), fresh=LIMITED)], LEVEL)[0]
    assert outcome.solved == {"a": 0, "b": 8, "blind": 1}
    assert outcome.posterior["b"] == pytest.approx(1 - 0.5**9)
    assert outcome.p_value == pytest.approx(0.5 / 12_870)  # one of C(16, 8) tables, half of it
    assert outcome.p_value == outcome.q_value
    assert outcome.confirmation is not None
    assert outcome.confirmation.solved == {"a": 1, "b": 15, "s": 2}
    assert outcome.confirmation.is_confirmed
    # The effect is the fresh rollouts' 14/16, not the 8/8 that the problem was chosen for.
    assert outcome.effect == pytest.approx(14 / 16)
    assert outcome.effect_ci is not None
    low, high = outcome.effect_ci
    assert 0.5 < low < 14 / 16 < high < 1


@pytest.mark.parametrize("solved", [0, 8])
def test_all_alike_leave_nothing_to_find(solved: int) -> None:
    problems = [rolled(f"p{number}", (solved, 8), (solved, 8)) for number in range(20)]
    outcomes = decide(problems, LEVEL)
    summary = summarise(problems, outcomes, LEVEL, seed=0)
    assert {outcome.p_value for outcome in outcomes} == {0.5}
    assert summary.global_test is not None
    assert summary.global_test.p_value == 1.0
    assert summary.mean_difference == 0.0
    assert (summary.candidates, summary.confirmed) == (0, 0)


def test_no_problems_at_all() -> None:
    summary = summarise([], decide([], LEVEL), LEVEL, seed=0)
    assert summary.global_test is None
    assert summary.mean_difference is None
    assert set(summary.buckets.values()) == {0}


def test_the_summary_counts_every_problem_once() -> None:
    problems = [
        rolled("limited", (0, 8), (8, 8), fresh=LIMITED),
        rolled("hinted", (0, 8), (8, 8), fresh=((1, 16), (15, 16), (15, 16))),
        rolled("mastered", (8, 8), (8, 8)),
        rolled("hard", (0, 8), (1, 8)),
        rolled("hurt", (8, 8), (1, 8)),
        rolled("between", (4, 8), (8, 8)),
        rolled("guessed", (8, 8), (8, 8), blind=(8, 8)),
    ]
    summary = summarise(problems, decide(problems, LEVEL), LEVEL, seed=0)
    assert summary.table == two_by_two(problems) == (2, 1, 2, 1, 1)
    assert summary.buckets == {
        "mastered": 1,
        "perception-limited": 1,
        "annotations-hurt": 1,
        "reasoning-limited": 1,
        "undetermined": 2,
        "blind-solved": 1,
    }
    assert (summary.tested, summary.candidates, summary.confirmed) == (7, 2, 1)
    assert summary.rollouts["b"] == Counts(solved=42 + 30, tried=56 + 32)
    assert summary.rollouts["s"] == Counts(solved=17, tried=32)


def test_without_the_cut_rollouts_another_bucket_may_come_out() -> None:
    cut = {"a": Counts(3, 8, cut=5), "b": Counts(8, 8)}
    problem = Rolled("p", 0.5, cut)
    summary = summarise([problem], decide([problem], LEVEL), LEVEL, seed=0)
    assert summary.buckets["undetermined"] == 1  # 3 of 8 right
    assert summary.buckets_without_cut["mastered"] == 1  # 3 of 3


@pytest.mark.parametrize(
    ("rollouts", "expected"),
    [
        ([], Counts()),
        ([Graded(True), Graded(False), Graded(None)], Counts(1, 2, 0, 1)),
        ([Graded(True, is_cut=True)], Counts(0, 1, 1, 0)),
        ([Graded(None, is_cut=True)], Counts(0, 1, 1, 0)),
    ],
)
def test_counting(rollouts: list[Graded], expected: Counts) -> None:
    assert count(rollouts) == expected


@given(st.lists(st.builds(Graded, st.none() | st.booleans(), st.booleans())))
def test_counts_are_consistent(rollouts: list[Graded]) -> None:
    counts = count(rollouts)
    assert counts.asked == len(rollouts)
    assert 0 <= counts.solved <= counts.tried - counts.cut
    without = counts.without_cut()
    assert without.tried == counts.tried - counts.cut
    assert (without.rate or 0) >= (counts.rate or 0)
    half = len(rollouts) // 2
    assert count(rollouts[:half]).plus(count(rollouts[half:])) == counts


@pytest.mark.parametrize(
    ("choices", "question", "answer", "expected", "threshold"),
    [
        (None, "How long is AB?", "5", 0, 0.5),
        ([], "How long is AB?", "5", 0, 0.5),
        (["5"], "How long is AB?", "5", 0, 0.5),
        (["3", "4", "5"], "How long is AB?", "C", 1 / 3, 2 / 3),
        (["3", "4", "5", "6"], "How long is AB?", "5", 1 / 4, 5 / 8),
        (["yes", "no"], "Is AB vertical?", "yes", 1 / 2, 3 / 4),
        (None, "Is AB vertical?", "No", 1 / 2, 3 / 4),
        (None, "AB is vertical. True or false?", "True", 1 / 2, 3 / 4),
        (None, "How long? (A) 3 (B) 4 (C) 5 (D) 6 (E) 7", "B", 1 / 5, 3 / 5),
        (None, "Which of the pictures is a square?", "C", 1 / 4, 5 / 8),
    ],
)
def test_the_threshold_is_halfway_between_guessing_and_always_right(
    choices: list[str] | None, question: str, answer: str, expected: float, threshold: float
) -> None:
    assert chance(choices, question, answer) == pytest.approx(expected)
    assert solve_threshold(expected) == pytest.approx(threshold)


@given(st.integers(0, 64), st.integers(0, 64), st.floats(0.5, 0.99))
def test_the_posterior_rises_with_each_success_and_falls_with_each_failure(
    solved: int, failed: int, threshold: float
) -> None:
    now = posterior(Counts(solved, solved + failed), threshold)
    assert 0 <= now <= 1
    assert posterior(Counts(solved + 1, solved + 1 + failed), threshold) >= now
    assert posterior(Counts(solved, solved + failed + 1), threshold) <= now
    assert posterior(Counts(solved, solved + failed), min(threshold + 0.01, 1)) <= now


@pytest.mark.parametrize(
    ("solved", "tried", "state"),
    [
        *((solved, 1, "undetermined") for solved in (0, 1)),
        (0, 3, "unsolved"),
        (3, 3, "solved"),
        (2, 8, "unsolved"),
        (3, 8, "undetermined"),
        (5, 8, "undetermined"),
        (6, 8, "solved"),
        (20, 32, "solved"),
        (0, 0, "undetermined"),
    ],
)
def test_states_at_one_half(solved: int, tried: int, state: str) -> None:
    assert state_of(Counts(solved, tried), 0.5) == state


@pytest.mark.parametrize(
    ("first", "most", "expected"),
    [
        (8, 32, [8, 16, 32]),
        (1, 32, [1, 2, 4, 8, 16, 32]),
        (6, 32, [6, 12, 24, 32]),
        (1, 1, [1]),
        (16, 8, [16]),
    ],
)
def test_the_schedule_doubles(first: int, most: int, expected: list[int]) -> None:
    assert schedule(first, most) == expected


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ({"a": Counts(0, 8), "b": Counts(8, 8)}, False),
        ({"a": Counts(0, 8), "b": Counts(4, 8)}, True),
        ({"a": Counts(4, 8), "b": Counts(8, 8)}, True),
        ({"a": Counts(0, 8), "b": Counts(8, 8), "blind": Counts(4, 8)}, False),
        ({"a": Counts(0, 1), "b": Counts(1, 1)}, True),
        ({"a": Counts(0, 0, unscored=8), "b": Counts(8, 8)}, True),
        ({}, True),
    ],
)
def test_more_rollouts_are_asked_for_by_the_posteriors(
    selected: Mapping[Condition, Counts], expected: bool
) -> None:
    assert needs_more(selected, 0.5) is expected


def test_too_many_ungraded_rollouts_forbid_a_conclusion() -> None:
    graded = [Rolled(f"p{n}", 0.5, {"a": Counts(8, 8), "b": Counts(8, 8)}) for n in range(9)]
    failed = Rolled("p", 0.5, {"a": Counts(8, 8), "b": Counts(0, 0, unscored=8)})
    refuse_unscored(graded)
    refuse_unscored([])
    # A twentieth of all rollouts, but a tenth of those with the annotations.
    with pytest.raises(TooManyFailures, match="8 of 80 rollouts under condition b"):
        refuse_unscored([*graded, failed])


trials = st.sampled_from([0, 1, 8, 16, 32]).flatmap(
    lambda tried: st.tuples(st.integers(0, tried), st.just(tried))
)
problems = st.lists(
    st.builds(
        rolled,
        st.just(""),
        trials,
        trials,
        blind=st.none() | trials,
        fresh=st.none() | st.tuples(trials, trials, trials),
    ),
    max_size=12,
).map(
    lambda listed: [
        Rolled(f"p{number}", problem.threshold, problem.selected, problem.fresh)
        for number, problem in enumerate(listed)
    ]
)


@settings(deadline=None, max_examples=40)
@given(problems, st.randoms(use_true_random=False))
def test_the_order_of_the_problems_does_not_matter(
    listed: list[Rolled], order: random.Random
) -> None:
    shuffled = list(listed)
    order.shuffle(shuffled)
    outcomes = {p.id: o for p, o in zip(listed, decide(listed, LEVEL), strict=True)}
    again = {p.id: o for p, o in zip(shuffled, decide(shuffled, LEVEL), strict=True)}
    assert outcomes == again
    assert summarise(listed, list(outcomes.values()), LEVEL, seed=1) == summarise(
        shuffled, [outcomes[problem.id] for problem in shuffled], LEVEL, seed=1
    )


@given(problems)
def test_a_perception_limited_problem_has_passed_everything(listed: list[Rolled]) -> None:
    chosen = {problem.id for problem in candidates(listed, LEVEL)}
    for problem, outcome in zip(listed, decide(listed, LEVEL), strict=True):
        assert (outcome.p_value is None) == (not is_tested(problem))
        assert (outcome.confirmation is not None) == (problem.id in chosen and bool(problem.fresh))
        if outcome.bucket == "perception-limited":
            assert outcome.posterior["a"] < 0.1 < 0.9 < outcome.posterior["b"]
            assert outcome.q_value is not None
            assert outcome.q_value <= LEVEL
            assert outcome.confirmation is not None
            assert outcome.confirmation.q_value <= LEVEL
