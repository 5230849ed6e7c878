"""A last sentence that concludes in ordinary words gives its one value; a vague one gives none."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pr1.answers import check_answer, find_answer

BEFORE = "We look at the picture with care and read off all that it shows. "
TOTALS = ["Ann", "Ben", "They are equal."]
WHO = "Who has the higher total, Ann or Ben?"
DEGREES = ["20°", "25°", "140°"]

CONCLUDES = [
    # the value opens the conclusion
    ("So 30 units were sold in March.", "30"),
    ("**So 30 units were sold in March.**", "30"),
    ("So $30$ units were sold in March.", "$30$"),
    ("So thirty units were sold.", "thirty"),
    ("So 30% of it remains.", "30%"),
    ("So 12 cm is the length.", "12 cm"),
    ("So 2 s.", "2 s"),
    ("∴ 5 more green balloons.", "5"),
    ("The perimeter is thus 24.", "24"),
    ("The acceleration is thus 20 / 8 = 2.5 m/s².", "2.5 m/s²"),
    ("That makes three months.", "three"),
    ("The rows hold 3 and 4 balls, so 3 + 4 = 7 balls lie on the table.", "7"),
    ("答：36", "36"),
    ("答：小明一共借了36本。", "36本"),
    ("上排有3颗，下排也有3颗，所以一共有3＋3＝6颗。", "6颗"),
    ("所以梯形面积 S＝(10＋6)×4÷2＝32。", "32"),
    # it stands behind a verb
    ("The needle points at 60, so the thermometer shows 60 °C.", "60 °C"),
    ("The needle points at 60, so the thermometer shows 60 °C at noon.", "60 °C"),
    ("At 6 h the curve is at 3.5 m.", "3.5 m"),
    # a chain of equations
    ("AB=AC, ∠A=40°. ∠B=(180-40)/2=70.", "70"),
    ("\n\\[\na = \\frac{20 - 8}{3} = 4\\ \\text{m/s}^2\n\\]", "4\\ \\text{m/s}^2"),
    ("\n**Solution:** a = 10 × 0.5 = 5 m/s². The mass cancels out.", "5 m/s²"),
    # a reason before it
    ("Also, since AB = AC = 3, we have BC = 4.", "4"),
    ("A is 90°, since B is 25°, C is 50°, so D is 40°.", "40°"),
    # what is set up leads to it
    ("Let AC be 3, then BC is 4.", "4"),
    ("已知AC=3，所以BC=4。", "4"),
    # a reason or a check behind it
    ("The value of $x$ is **3**, which makes both sides 7.", "**3**"),
    ("The total is 12, because both sides are 6.", "12"),
    ("The total is 12 since both sides are 6.", "12"),
    # choices named in Chinese
    ("因此电流 I=12/6=2A，选B。", "B"),
    ("选(C)", "(C)"),
]


@pytest.mark.parametrize(("conclusion", "answer"), CONCLUDES)
def test_the_value_that_the_last_sentence_concludes_with(conclusion: str, answer: str) -> None:
    assert find_answer(BEFORE + conclusion) == answer


@pytest.mark.parametrize(
    "text", ["AB=AC, ∠A=40°. ∠B=(180-40)/2=70.", "∴ 70 balls remain.", "So 70."]
)
def test_a_short_text_that_concludes_is_not_taken_whole(text: str) -> None:
    assert check_answer(text, "70").is_correct is True


INCONCLUSIVE = [
    # hedges
    "So maybe 30 units were sold.",
    "So 30 units might have been sold.",
    "So at least 30 units were sold.",
    "So 30 units or more were sold.",
    "So 30 units were sold, if the label is right.",
    "The thermometer shows 30, which fits, or else it is broken.",
    # two values
    "So 30 units were sold, or maybe 40.",
    "So 30, i.e. 40, units were sold.",
    "So 30 (or 40) units.",
    "So 30 units [40] were sold.",
    "So 30~40 units were sold.",
    "So 30 units and two more were sold.",
    "So the thermometer shows 30 or 40 degrees.",
    "so the thermometer shows between 30 and 40 °C.",
    "The value is 30, which makes 40 in total.",
    "So 30 units were sold in March. Or 40.",
    "选A或选B。",
    # rejections
    "So not 30 units were sold.",
    "So 30 is wrong.",
    "It is 40, so 30 is too small.",
    "So 30 is less than 40.",
    # unfinished reasoning
    "So we divide by 30.",
    "So in step 30 we find the height.",
    "So there are 30 cases to consider.",
    "So 30 angles are equal, and we can use symmetry.",
    "So 30 sides are next.",
    "Let AB be 30.",
    "AB is 30. We now need the height.",
    "The radius is 30, which we use to find the area.",
    "So at t = 30 s the car stops.",
    "Thus one can see the rest.",
    # cut
    "So 30 units were sold in",
    "Therefore, 30",
    "so $30",
    "AB = 3 × 10 = 30. The triangle is right-angled.",
    "AB = 3 × 10 = 30. Then",
    "\nSolution: AB = 3 × 10 = 30. Next we take the area.",
    "\nSolution: Since AB = AC, BD = 3 × 10 = 30. The value of DE is then least.",
    "\nSolution: AB = 3 × 10 = 30. It is an edge. The triangle is right-angled.",
    "1班借了24本，2班借了30本，",
    "\nSolution: AB = 30. The triangle is right-angled.",
    "The value of x is 30, which makes",
    # the question again
    "What is the length of AB, if AC is 30?",
    "AC is 30. What is the length of AB?",
    "So the thermometer shows 30 °C?",
    "Find the length of AB if AC is 30",
    "已知AC为30，求AB。",
]


@pytest.mark.parametrize("text", INCONCLUSIVE)
def test_what_does_not_conclude_with_one_value_is_not_right(text: str) -> None:
    check = check_answer(BEFORE + text, "30")
    assert (check.is_correct, check.reason) == (False, "no_answer")


class Choice(NamedTuple):
    conclusion: str
    reason: str
    choices: list[str] = DEGREES
    question: str = "How large is the angle?"


CHOICES = [
    Choice("So the angle is 25°, which is choice B.", "equal"),
    Choice("So it fits option (B).", "equal"),
    Choice("So 25° remain at C.", "equal"),
    Choice("Hence 25 degrees.", "equal"),
    Choice("Hence it is C.", "different"),
    Choice("So choice B is out.", "no_answer"),
    Choice("So choice B is wrong, and choice A too.", "no_answer"),
    Choice("So option (A) or option (B).", "several_answers"),
    Choice("The angle is 25 or 20, which is choice B or A.", "several_answers"),
    Choice("The angle fits (B), not (A).", "no_answer"),
    Choice("So 30° remain at B.", "different"),
    Choice("So Ben's total is higher.", "equal", TOTALS, WHO),
    Choice("So Ben has the higher total.", "equal", TOTALS, WHO),
    Choice("So Ben.", "equal", TOTALS, WHO),
    Choice("So Ann's total is higher.", "different", TOTALS, WHO),
    Choice("So Ben's total is lower.", "no_answer", TOTALS, WHO),
    Choice("So Ben's total is not higher.", "no_answer", TOTALS, WHO),
    Choice("So Ben's total might be higher.", "no_answer", TOTALS, WHO),
    Choice("So Ben's total is higher or equal.", "no_answer", TOTALS, WHO),
    Choice("So Ben and Ann have a higher total.", "no_answer", TOTALS, WHO),
    Choice("So Ben's total is higher than Ann's.", "no_answer", TOTALS, WHO),
    Choice("Ben's total is higher.", "no_answer", TOTALS, WHO),
    Choice("So Ben's total is higher.", "no_answer", TOTALS, "Whose total is not higher?"),
    Choice("So Ben's total is higher.", "no_answer", TOTALS, ""),
]


@pytest.mark.parametrize("case", CHOICES, ids=str)
def test_a_conclusion_chooses_one_option(case: Choice) -> None:
    wanted = case.choices[1]
    check = check_answer(
        BEFORE + case.conclusion, wanted, choices=case.choices, question=case.question
    )
    assert check.reason == case.reason, check


SENTENCES = [
    "So {} are left over.",
    "So {} it is.",
    "∴ {} more green ones.",
    "It follows, so the scale shows {} at noon.",
    "The sum is thus {}.",
    "That makes {}.",
    "The value is {}, which fits.",
    "答：{}",
]


@pytest.mark.parametrize(
    "separator", [", ", " or ", " and ", "/", "; ", " ", "或", "、", " & ", "~"]
)
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 999), min_size=2, max_size=4, unique=True),
    st.sampled_from(SENTENCES),
    st.data(),
)
def test_listing_values_in_a_conclusion_is_never_right(
    separator: str, values: list[int], sentence: str, data: st.DataObject
) -> None:
    response = BEFORE + sentence.format(separator.join(f"{value} cm" for value in values))
    reference = f"{data.draw(st.sampled_from(values))} cm"
    assert check_answer(response, reference).is_correct is False
    choices = [f"{value} cm" for value in values]
    assert check_answer(response, reference, choices=choices).is_correct is False


@pytest.mark.parametrize(
    "piece",
    ["So 3 ", "∴ 3 balls ", "，选A，", "\nSolution: ", "3, which makes ", "because "],
)
def test_ten_megabytes_of_conclusions_are_read_in_linear_time(piece: str) -> None:
    # Quadratic work on 10 MB would not end within any test run.
    find_answer(piece * (10_000_000 // len(piece)), choices=["1", "2"], question="which so 3?")
