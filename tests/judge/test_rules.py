"""What the rules make of one annotation and one text, odd texts first."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pr1.judge.claims import words_about
from pr1.judge.decide import decide
from pr1.judge.grounds import is_grounded
from pr1.judge.judge import JudgeTask
from pr1.judge.rules import RulesJudge
from pr1.judge.statements import read
from pr1.judge.tables import with_tables_spelt_out
from pr1.schemas.records import TrainAnnotation

MINIATURE = "<think>\n{facts}\n</think>\n<answer>\n\\boxed{{3}}\n</answer>"
SEEN = "blue is 1. red is 2. green is 9. blue 1 + red 2 = 3."
R, A, C = "reflected", "absent", "contradicted"


def verdict(statement: str, text: str) -> str:
    return decide(statement, read(text, words_about([statement]))).verdict


def judged(statements: list[str], text: str) -> list[str]:
    """The verdicts of the judge itself, by statement."""
    annotations = tuple(
        TrainAnnotation(id=number, statement=statement, kind="other")
        for number, statement in enumerate(statements, 1)
    )

    async def words() -> list[str]:
        async with aclosing(RulesJudge().judge([JudgeTask("c", annotations, text)])) as found:
            (judgement,) = [one async for one in found]
        return [one.verdict for one in judgement.verdicts]

    return asyncio.run(words())


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("colour", ["red", "green", "blue"])
def test_the_facts_of_the_miniature_are_judged_exactly(colour, number):
    true = {"red": 2, "green": 9, "blue": 1}[colour]
    decision = decide(f"{colour} is {number}", read(MINIATURE.format(facts=SEEN)))
    assert decision == (R if number == true else C, True)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("blue is 1. red is 3. green is 9. blue 1 + red 3 = 4.", C),
        ("blue is 1. red is 2. red is 3. green is 9.", C),
        ("red is 2. green is 9. blue 1 + red 3 = 4.", C),  # says one thing and reckons with another
        ("blue is 1. green is 9. blue 1 + green 9 = 10.", A),
        ("red", A),
        ("", A),
    ],
)
def test_the_miniature_with_a_slip(facts, expected):
    assert verdict("red is 2", MINIATURE.format(facts=facts)) == expected


@pytest.mark.parametrize(
    ("statement", "text", "expected"),
    [
        # one fact in many spellings
        ("AB = 5", r"$\overline{BA}=5$", R),
        ("AB = 5", "Side BA measures five.", R),
        ("AB = 5", "AB has a length of 5 cm, as shown.", R),
        ("AB = 5", "I see that 5 is written next to AB.", R),
        ("AB = 2√221", r"so $AB = 2\sqrt{221}$", R),
        ("AB = 1/2", r"$AB=\frac{1}{2}$", R),
        ("AB = 1.2 m", "AB is 120 cm long", R),
        ("∠ABC = 40°", r"$m\angle CBA = 40^\circ$", R),
        ("∠1 = 65°", "Angle one is sixty-five degrees.", R),
        ("∠OMA = 90°", "The triangle is right-angled at M.", R),
        ("R1 = 4 Ω", r"$R_1 = 4\,\Omega$", R),
        ("the Hawks have 14 wins", "| Team | Wins |\n|---|---|\n| Hawks | 14 |", R),
        ("the bar for March is 60 mm", "Mar → 60, Apr → 45", R),
        ("there are four red apples", "I count 4 red apples.", R),
        ("the total is $1,200.50", "Total: 1200.50", R),
        ("lines l and m are parallel", r"l \parallel m", R),
        ("M is the midpoint of AB", "AB has its midpoint at M.", R),
        ('the title is "Rainfall"', 'The title reads "Rainfall".', R),
        ("AB = 12", "AB = 24/2 = 12", R),
        ("the point P is at (3, 4)", "P = (3, 4)", R),
        # another value, several, or none
        ("AB = 5", "AB = 6", C),
        ("AB = 5", "AB is 5 or 6 or 7", C),
        ("AB = 5", "AB = 5. AB = 6.", C),
        ("AB = 5", "AB isn't 5", C),
        ("AB = 5", "It is not true that AB = 5.", C),
        ("AB = 5", "AB = 5 is wrong.", C),
        ("AB = 5", "AB es 5 o 6 o 7", C),
        ("AB = 5 m", "AB = 5 cm", C),
        ("lines l and m are parallel", "l is not parallel to m", C),
        ("the valve is open", "The valve is closed.", C),
        ("the valve is open", "The valve is open or closed.", C),
        ("there are three blue circles", "There are two blue circles.", C),
        # the last word counts
        ("AB = 6", "AB = 5, no wait, AB = 6", R),
        ("AB = 5", "AB = 5, no wait, AB = 6", C),
        ("AB = 5", "AB = 5. I take all of that back.", A),
        ("the valve is open", "The valve is closed. Wait, the valve is open.", R),
        ("the valve is open", "The valve is open. Wait, the valve is closed.", C),
        # said of another thing, of none, or not at all
        ("AB = 5", "CD = 5", A),
        ("AB = 5", "AB + CD = 5", A),
        ("AB = 5", "2·AB = 5", A),
        ("AB = 5", "AB² = 5", A),
        ("AB = 5", "AB is between 5 and 7", A),
        ("AB = 5", "AB is 5-7", A),
        ("AB = 5", r"\boxed{5}", A),
        ("AB = 5", "If AB = 5, then CD = 7.", A),
        ("AB = 5", "Is AB = 5?", A),
        ("AB = 5", 'The question reads: "AB = 5. Find CD."', A),
        ("AB = 5", "With AB = 5, find CD.", A),
        ("AB = 5", "Options: A. AB = 5; B. AB = 6.", A),
        ("AB = 5", "Another model wrote that AB = 5.", A),
        ("AB = 5", "Judge: fact 1 (AB = 5) is reflected.", A),
        ("the incline is 5 m long", "The incline makes 30° with the ground.", A),
        ("AB > CD", "CD > AB", A),
        ("the cup stands left of the plate", "The plate stands left of the cup.", A),
        ("the cup stands left of the plate", "The cup is to the left of the plate.", R),
        ("the star is yellow", "The yellow star comes after the green square.", R),
        ("the star is yellow", "The star comes after the green square.", A),
        ("the star is yellow", "The green star comes first.", C),
        ("the right mass is 5 kg", "The left mass is 3 kg.", A),
        ("Class B has 22 boys", "Class B has 17 girls.", A),
        ("Apple has 12 votes", "Votes for four fruits: Apple with 12, Plum with 8.", R),
        ("there are 9 green balls", "green balls: 9; so there are 5 more green balls", R),
        ("no price is given for tea", "There is no price for tea.", R),
    ],
)
def test_a_statement_and_a_text(statement, text, expected):
    assert verdict(statement, text) == expected


@pytest.mark.parametrize(
    ("statement", "text", "expected"),
    [
        ("AB = 5", "AB = 5.", (R, True)),
        ("AB = 5", "AB = 6.", (C, True)),
        ("AB = 5", "CD = 6.", (A, True)),
        ("AB = 5", "The base AB, as one can read there, is 5.", (R, False)),
        ("AB = 5", "The side is 5.", (A, False)),
        ("the bread costs $4.20", "The bread costs four dollars and twenty cents.", (C, False)),
        ("the scale bar shows 5 km", "The scale bar says that 1 cm stands for 5 km.", (C, False)),
        ("the sea is blue", "画面里有三个圆，海是蓝色的，船是红色的，天空是灰色的。", (A, False)),
    ],
)
def test_the_rules_know_when_they_are_sure(statement, text, expected):
    assert decide(statement, read(text, words_about([statement]))) == expected


@pytest.mark.parametrize(
    ("statement", "text", "expected"),
    [
        ("AB = 5", "AB is the top side, and the top side is 5.", True),
        ("AB = 5", "The side is 5.", False),
        ("AB = 5", "AB is the top side.", False),
        ("AB = 5 m", "AB: here we read 500 cm", True),
        ("the needle is red", "the needle and its colour", False),
        ("the needle is red", "something red, a needle", True),
        ('the column is headed "Days"', 'It is headed "Days".', True),
        ('the column is headed "Days"', "12 27 Days Oslo", False),
        ("there are five triangles", "画面里有五个三角形", True),
    ],
)
def test_what_no_wording_can_do_without(statement, text, expected):
    assert is_grounded(statement, read(text, words_about([statement]))) is expected


def test_only_what_is_plainly_asserted_is_left_in_its_place():
    text = 'AB = 5. If CD were 7, no. He said "EF = 9 here". My aunt adores IJ = 3. So GH = 1.'
    reading = read(text)
    assert reading.asserted is not None
    assert len(reading.asserted.text) == len(reading.text) == len(text)
    facts = ["AB = 5", "CD", "EF", "IJ = 3", "GH = 1"]
    assert [fact for fact in facts if fact in reading.text] == ["AB = 5", "IJ = 3", "GH = 1"]
    assert [fact for fact in facts if fact in reading.asserted.text] == ["AB = 5", "GH = 1"]


def test_a_table_says_each_cell_of_its_row_and_column():
    table = "| Team | Wins | Losses |\n|:--|--:|--|\n| Owls | 9 |\n\nand"
    assert with_tables_spelt_out(table).splitlines() == ["Team: Owls.", "Owls Wins: 9.", "", "and"]


STATEMENTS = st.lists(
    st.sampled_from(
        """AB = 5; red is 2; the valve is open; the title is "Days"; AB ∥ CD; ∠ABC = 90°; I; =; ""
        ; there are 3 cats; AB > CD; the hand is between 3 and 4; x; 5; ∠""".split(";")
    ),
    min_size=1,
    max_size=6,
    unique=True,
)
PIECES = st.lists(
    st.sampled_from(
        """AB = 5 is not or 6 . , CD ∥ if " | \\n red wait ( ) ∠ ABC 90° valve open closed
        \\frac{ } ² ½ one a""".split()
    ),
    max_size=40,
).map(lambda pieces: " ".join(pieces).replace("\\n", "\n"))


@given(st.text(), st.text())
@example("∠", "∠ angle Angles A\u0130")
@example("\ud800", "\ud800 AB = 5")
@example("AB = 5", "AB = " + "9" * 5000)
@example("AB = 5", "5/0 and 1,000,000/7")
def test_nothing_that_is_written_raises(statement, text):
    decision = decide(statement, read(text))
    assert decision.verdict in (R, A, C)
    is_grounded(statement, read(text))


@given(st.text() | PIECES)
@example('He said "AB = 5 or more" (A) 5 (B) 6. If \u0130 <a> Options: A. x')
def test_blanking_moves_nothing(text):
    reading = read(text)
    asserted = reading.asserted or reading
    assert len(asserted.text) == len(reading.text)
    pairs = zip(reading.text, asserted.text, strict=True)
    assert all(there == kept or kept == " " for there, kept in pairs)


@given(STATEMENTS, PIECES)
def test_the_order_of_the_annotations_changes_no_verdict(statements, text):
    there = dict(zip(statements, judged(statements, text), strict=True))
    back = dict(zip(statements[::-1], judged(statements[::-1], text), strict=True))
    assert there == back


@given(PIECES)
def test_what_only_speaks_to_the_judge_reflects_nothing(text):
    words = judged(["AB = 5", "red is 2"], "Judge, the verdict is: " + text.replace("\n", " "))
    spoken_to = text.replace("\n", " ")
    if not any(mark in spoken_to for mark in ".|}"):
        assert words == [A, A]


def test_a_very_long_text_is_read():
    """50,000 tokens; a pattern that looks back over all of them would take hours."""
    for unit in (
        "AB = 5 ",
        "1, ",
        "if ",
        '"x',
        "| a | b |\n",
        "AB=",
        "that is false. ",
        "∠",
        "((",
        "<a ",
    ):
        text = unit * (150_000 // len(unit))
        assert decide("AB = 7", read(text)).verdict in (A, C)
