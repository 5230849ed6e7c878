"""One annotation for each fact, with the number of trajectories that state it."""

from itertools import permutations

import pytest

from pr1.annotate.extraction.proposal import Proposal
from pr1.annotate.validation.merge import merge_facts
from pr1.annotate.validation.validate import Stated, validate
from pr1.notation import to_plain
from pr1.schemas.records import Problem, RejectedAnnotation, Trajectory

PROBLEM = Problem(id="p", question="How long is AC?", answer="77")


def stated(name: str, *statements: str, text: str | None = None) -> Stated:
    """What the trajectory `name` states: each statement stands in its text as it is."""
    text = ". ".join(statements) + "." if text is None else text
    trajectory = Trajectory(id=name, problem_id="p", text=text)
    proposals = [Proposal(one, "other", one, "openai/x", "hash") for one in statements]
    found = validate(proposals, trajectory, to_plain(text), PROBLEM)
    assert found.rejected == []
    return found


def test_nothing_stated_is_nothing_merged():
    assert merge_facts([], 1) == ([], [])
    assert merge_facts([Stated([], [])], 1) == ([], [])


def test_a_fact_in_several_trajectories_is_one_with_their_support():
    parts = [
        stated("t1", "AB = 5", "AB ∥ CD"),
        stated("t2", "side BA measures 5"),
        stated("t3", "BC = 7", "the length of AB is 5"),
    ]
    annotations, rejected = merge_facts(parts, 1)
    assert rejected == []
    assert [(a.id, a.support) for a in annotations] == [(1, 3), (2, 1), (3, 1)]
    assert [a.kind for a in annotations] == ["other"] * 3
    assert {(a.extractor, a.prompt_hash) for a in annotations} == {("openai/x", "hash")}


def test_a_fact_repeated_in_one_trajectory_has_the_support_of_one():
    (fact,), rejected = merge_facts([stated("t", "AB = 5", "AB is 5", "BA equals 5")], 1)
    assert (fact.support, rejected) == (1, [])


def test_facts_come_in_the_order_in_which_they_are_first_stated():
    parts = [stated("t1", "BC = 7", "AB = 5"), stated("t2", "CD = 9", "BC = 7")]
    annotations, _ = merge_facts(parts, 1)
    assert [a.statement for a in annotations] == ["BC = 7", "AB = 5", "CD = 9"]
    assert [a.id for a in annotations] == [1, 2, 3]


def test_too_little_support_is_a_rejection_and_leaves_no_gap_in_the_numbers():
    parts = [stated("t1", "BC = 7", "AB = 5"), stated("t2", "AB = 5"), stated("t3", "CD = 9")]
    annotations, rejected = merge_facts(parts, 2)
    assert [(a.id, a.statement, a.support) for a in annotations] == [(1, "AB = 5", 2)]
    assert [(r.statement, r.reason, r.trajectory_id) for r in rejected] == [
        ("BC = 7", "low_support", "t1"),
        ("CD = 9", "low_support", "t3"),
    ]
    assert merge_facts(parts, 4)[0] == []


def test_what_validation_rejected_is_kept_in_front():
    old = RejectedAnnotation(
        statement="x", quote="y", trajectory_id="t1", reason="deduction", extractor="rules"
    )
    part = stated("t1", "AB = 5")
    _, rejected = merge_facts([Stated(part.accepted, [old])], 2)
    assert [r.reason for r in rejected] == ["deduction", "low_support"]


def test_the_place_belongs_to_the_statement():
    text = r"We see that $\overline{AB} = 5$ here. The length of segment AB is 5."
    parts = [
        stated("t1", "AB = 5", "The length of segment AB is 5", text=text),
        stated("t2", "AB is 5 units long"),
    ]
    ((fact,), _) = merge_facts(parts, 1)
    texts = {"t1": text, "t2": "AB is 5 units long."}
    assert texts[fact.trajectory_id][fact.start : fact.end] == fact.quote
    assert to_plain(fact.quote).text.strip() == fact.statement


def test_different_facts_at_one_place_stay_apart():
    """`AB = BC = 5` states two facts with one quote."""
    trajectory = Trajectory(id="t", problem_id="p", text="AB = BC = 5.")
    proposals = [Proposal(f"{name} = 5", "length", "AB = BC = 5", "rules") for name in ("AB", "BC")]
    part = validate(proposals, trajectory, to_plain(trajectory.text), PROBLEM)
    assert [a.statement for a in merge_facts([part], 1)[0]] == ["AB = 5", "BC = 5"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_vague_fact_does_not_bring_two_precise_ones_together(order):
    facts = ["there are 3 balls", "there are 3 red balls", "there are 3 blue balls"]
    parts = [stated(f"t{n}", facts[n]) for n in order]
    statements = {a.statement for a in merge_facts(parts, 1)[0]}
    assert {"there are 3 red balls", "there are 3 blue balls"} <= statements


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_trajectories_does_not_change_what_is_known(order):
    each = [
        stated("t0", "AB = 5", "BC = 7"),
        stated("t1", "side AB is 5", "AB ∥ CD"),
        stated("t2", "AB ∥ DC", "the line for Spain is blue"),
    ]
    annotations, _ = merge_facts([each[n] for n in order], 1)
    assert sorted(a.support for a in annotations) == [1, 1, 2, 2]
