"""What two wordings of one fact have in common, and what keeps two facts apart."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.annotate.validation.checks import facts_of
from pr1.annotate.validation.facts import Fact, is_same, is_within, last_number, read_fact


@pytest.mark.parametrize(
    "wordings",
    [
        [
            "AB = 5",
            r"$\overline{AB}$ is 5 units long",
            "side BA measures 5",
            "the length of AB is 5",
            "AB equals 5.0",
            "segment AB is five units",
            "**AB** = 5",
            "AB is labelled 5",
            "线段AB=5",
        ],
        [
            "angle ABC = 40 degrees",
            r"$m\angle ABC = 40^\circ$",
            "∠CBA is 40°",
            "the angle ABC measures forty degrees",
            "Angle ABC is 40 degrees",
        ],
        [
            "AB is parallel to CD",
            "AB ∥ CD",
            r"\overline{AB} \parallel \overline{CD}",
            "DC // AB",
            "AB and CD are parallel",
            "AB平行于CD",
        ],
        ["AB ⊥ CD", "CD is perpendicular to BA", r"AB \perp CD", "AB垂直CD"],
        ["AC is a diameter of circle O", "in circle O, AC is the diameter"],
        ["D is the midpoint of BC", "BC has midpoint D", "D是BC的中点"],
        ["there are 3 red balls", "there are three red balls", "3 red balls"],
        ["the bar for 2004 is at 2.2", "2004: 2.2", "in 2004 the value is 2.2"],
        ["Japan's bar is at 40", "the bar for Japan reads 40", "Japan: 40"],
        ["the population is 1,200", "the population is 1200"],
        ["the line for Spain is blue", "Spain's line is blue"],
        ["there is no segment from E to D", "no segment joins E and D"],
    ],
    ids=lambda wordings: wordings[0],
)
def test_wordings_of_one_fact_are_the_same(wordings):
    facts = {wording: read_fact(wording) for wording in wordings}
    differing = [(a, b) for a, b in combinations(wordings, 2) if not is_same(facts[a], facts[b])]
    assert differing == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("angle ABC = 40 degrees", "角ABC=40度"),
        ("angle ABC is a right angle", "∠ABC = 90°"),
        ("BC = 3/4", "BC = 0.75"),
    ],
)
def test_other_wordings_of_one_fact(one, other):
    assert is_same(read_fact(one), read_fact(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AB = 5", "AB = 6"),
        ("AB = 5", "AC = 5"),
        ("AB = 5", "AB = 5.5"),
        ("AB ∥ CD", "AB ⊥ CD"),
        ("AB = CD", "AB ∥ CD"),
        ("AB = CD", "AB ⊥ CD"),
        ("AB is parallel to CD", "AB is not parallel to CD"),
        ("angle ABC = 40°", "angle ACB = 40°"),
        ("∠1 = 40°", "∠2 = 40°"),
        ("no segment joins E and D", "a segment joins E and D"),
        ("there is no red ball", "there is a red ball"),
        ("Apple is at 12", "Pear is at 12"),
        ("Oslo in 2021 is at 40", "Oslo in 2022 is at 40"),
        ("the bar for Japan is at 40", "the bar for Spain is at 40"),
        ("the line for Spain is blue", "the line for Spain is red"),
        ("the line for Spain is blue", "the line for France is blue"),
        ("there are 3 red balls", "there are 3 blue balls"),
        ("there are 3 red balls", "there are 4 red balls"),
        ("the bus is on the left", "the bus is on the right"),
        ("the x-axis shows years", "the y-axis shows years"),
        ("D is the midpoint of BC", "D lies on BC"),
        ("AB is tangent to circle O", "AB is a radius of circle O"),
        ("ABC is an isosceles triangle", "ABC is an equilateral triangle"),
        ("the curve rises", "the curve falls"),
        ("the title is Exports", "the title is Imports"),
        ("AB = x", "AB = 5"),
        ("x = 5", "y = 5"),
    ],
)
def test_different_facts_stay_apart(one, other):
    assert not is_same(read_fact(one), read_fact(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("the temperature is 5", "the temperature is -5"),
        ("AB = 2", "AB = √2"),
        ("AB = 2", "AB = 2x"),
        ("AB = 3/4", "AB = 4/3"),
        pytest.param("AB > CD", "AB < CD"),
        ("AB is longer than CD", "CD is longer than AB"),
        ("the red bar is taller than the blue bar", "the blue bar is taller than the red bar"),
        ("D lies on BC", "D lies outside BC"),
        ("a = 5", "b = 5"),
        ("A is at (3, 4)", "A is at (4, 3)"),
        ("AB is 5 cm", "AB is 5 m"),
        ("AB = 1/2 CD", "CD = 1/2 AB"),
    ],
)
def test_other_different_facts_stay_apart(one, other):
    assert not is_same(read_fact(one), read_fact(other))


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("AB = 5", 5),
        ("the bar for 2004 is at 2.2", 2.2),
        ("the population is 1,200", 1200),
        (r"\angle ABC = 40^\circ", 40),
        ("AB ∥ CD", None),
        ("", None),
        ("the share is .5", 0.5),
        pytest.param("the temperature is -5", -5),
        (r"AB = \frac{3}{4}", 0.75),
    ],
)
def test_the_number_that_a_statement_ends_on(statement, number):
    assert last_number(statement) == number


@pytest.mark.parametrize(
    ("statement", "question", "is_stated"),
    [
        ("AB = 5", "In the triangle, AB = 5 and BC = 7. Find AC.", True),
        ("AB ∥ CD", r"If $AB \parallel CD$, find x.", True),
        ("AB is a diameter", "AB is a diameter of circle O. Find angle ACB.", True),
        ("AB = 6", "In the triangle, AB = 5 and BC = 7. Find AC.", False),
        ("AD = 5", "In the triangle, AB = 5 and BC = 7. Find AC.", False),
        ("AB ⊥ CD", "If AB ∥ CD, find x.", False),
        ("Apple is at 12", "How many votes did Apple get?", False),
        ("AB = 5", "", False),
        ("AC = 5", "In the triangle, AB = 5 and BC = 7. Find AC.", False),
        ("AC ⊥ BD", "AC ∥ BD and AB ⊥ CD. Find x.", False),
    ],
)
def test_what_a_question_states_already(statement, question, is_stated):
    given = facts_of(question)
    assert any(is_within(read_fact(statement), fact) for fact in given) is is_stated


STATEMENTS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["AB", "∠ABC", "angle", "5", "1,200", "-", ".", "=", "∥", "is", "no", "red", "角", "½"]
        )
    ).map(" ".join),
)


@given(STATEMENTS, STATEMENTS)
def test_reading_never_raises_and_sameness_is_symmetric(one, other):
    a, b = read_fact(one), read_fact(other)
    assert is_same(a, a)
    assert is_same(a, b) == is_same(b, a)
    assert isinstance(a, Fact)
    last_number(one)


def test_long_statements_are_read():
    for unit in ("A", "1", ",111", "1,", "angle ", "∠", "A'", ".", "-", "no "):
        read_fact(unit * 20_000)
        last_number(unit * 20_000)
