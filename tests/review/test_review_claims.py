"""Contradictions: few, and each of them one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reviewed_sets import annotated_set, problem, visual

from pr1.review.claims import claim_of, contradictions
from pr1.review.marks import equals_answer, is_in_question
from pr1.review.need import find
from pr1.review.rows import ReviewSet
from pr1.schemas.records import Problem

CONTRADICTORY = [
    ("AB = 5", "AB = 7"),
    ("AB = 5", "$BA = 7$"),
    (r"$\overline{AB} = 5$ cm", "AB is 7 long"),
    (r"$\angle ABC = 40^\circ$", "∠CBA = 50°"),
    ("m∠ABC = 40 degrees", "∠ABC is 41°"),
    ("There are 3 red balls", "There are five red balls"),
    ("The bar for Oslo is 40", "the bar for Oslo is 45"),
    ("Oslo, 2021: 40", "Oslo, 2021: 45"),
    ("Tea costs 2.50", "Tea costs 3"),
    ("The population is 1,200", "The population is 1,300"),
    ("The temperature is -3", "The temperature is 3"),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICTORY)
def test_these_contradict_each_other(one, other):
    assert contradictions([(one, "t1"), (other, "t2")]) == [(one, other)]
    assert contradictions([(one, None), (other, None)]) == [(one, other)]
    assert contradictions([(one, "t1"), (other, "t1")]) == []
    assert contradictions([(one, "t1"), (one, "t2")]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AB = 5", "BA = 5.0"),
        ("AB = 5", "AC = 7"),
        ("AB = 5 cm", "AB = 50 mm"),
        ("AB = 5", "AB = x + 2"),
        ("AB = 5", "AB = 2 CD"),
        ("∠ABC = 40°", "∠ACB = 50°"),
        ("y = 3", "y = -3"),
        ("a side is 3", "a side is 4"),
        ("one angle is 30°", "one angle is 60°"),
        ("the angle is 30°", "the angle is 60°"),
        ("the length is 3", "the length is 4"),
        ("There are 3 balls in box A", "There are 5 balls in box B"),
        ("Oslo, 2021: 40", "Oslo, 2022: 45"),
        ("AB ⊥ CD", "AB ∥ CD"),
        ("this is 3", "this is 4"),
        ("A(1, 2)", "A(3, 4)"),
    ],
)
def test_these_do_not(one, other):
    assert contradictions([(one, "t1"), (other, "t2")]) == []


def test_the_queue_finds_all_of_them(tmp_path):
    rows = [
        problem(number, annotations=[visual(1, one, "CD", "t1"), visual(2, other, "CD", "t2")])
        for number, (one, other) in enumerate(CONTRADICTORY)
    ]
    found = find(ReviewSet(annotated_set(tmp_path / "set", *rows))).contradictory
    assert found == {number: [pair] for number, pair in enumerate(CONTRADICTORY)}


def test_only_those_who_disagree_are_named():
    stated = [("AB = 5", "t1"), ("AB = 7", "t1"), ("CD = 2", "t2"), ("AB = 8", "t2")]
    assert contradictions(stated) == [("AB = 5", "AB = 7", "AB = 8")]


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    claim = claim_of(text)
    assert claim is None or claim.what


def test_a_long_text_is_no_claim():
    assert claim_of("A" * 10_000 + " = 5") is None


def asked(**changes) -> Problem:
    values = {"id": "p", "question": "In △ABC, $AC = 4$. How long is AB?", "answer": "5"}
    return Problem(**values | changes)


def test_marks_of_a_persons_words():
    assert is_in_question("AC = 4", asked())
    assert not is_in_question("AB = 4", asked())
    assert equals_answer("BA = 5", asked(question="How long is AB? And BA?"))
    assert equals_answer("AB = 5.0", asked())
    assert equals_answer("AB = 5", asked(answer="B", choices=["4", "5"]))
    assert not equals_answer("AB = 5", asked(answer="A", choices=["4", "5"]))
    assert not equals_answer("DE = 5", asked())
    assert not equals_answer("AB = 5", asked(answer="unknown"))
    assert not equals_answer("AB is red", asked())
