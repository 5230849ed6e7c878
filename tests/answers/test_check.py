"""Whether an answer equals a reference: right, wrong, or not scored, and why."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pr1.answers import AnswerItem, check_answer, check_answers


class Case(NamedTuple):
    response: str
    reference: str
    choices: list[str] | None = None
    question: str = ""


DEGREES = ["20°", "25°", "140°"]
FOUR = ["1", "2", "3", "4"]
PICTURES = ["A", "B", "C", "D"]
ROUND = "Round to the nearest degree."

RIGHT = [
    # references as data sets spell them
    Case(r"\boxed{2\sqrt{221}}", r"2 \sqrt { 221 }"),
    Case(r"\boxed{\frac{40}{3}}", r"\frac { 40 } { 3 }"),
    Case(r"\boxed{\dfrac12}", "1/2"),
    Case("<answer>40.0000000000000</answer>", "40°"),
    Case("<answer>7sqrt(2)</answer>", "7√{2}"),
    Case(r"\boxed{8\sqrt3-5}", "8√{3}-5"),
    Case(r"\boxed{\frac{3\sqrt3}{2}}", r"\frac{3}{2}√{3}"),
    Case(r"\boxed{\frac{17}{29}}", "\x0crac{17}{29}"),
    Case("１２", "12"),
    Case("−5", "-5"),
    Case("3½", "3.5"),
    Case("x⁴+1", "1+x^4"),
    # numbers
    Case("1,234", "1234"),
    Case("1.2e3", "1200"),
    Case(r"1.2\times10^{3}", "1200"),
    Case("3 1/2", "3.5"),
    Case(r"3\frac{1}{2}", "7/2"),
    Case("6:8", "3:4"),
    Case("3:4", r"\frac{3}{4}"),
    Case("3 million", "3000000"),
    Case("3万", "30000"),
    Case("twenty-one", "21"),
    Case("十二", "12"),
    Case("zero", "0"),
    Case("50%", "0.5"),
    Case("50%", "50"),
    Case("百分之50", "50%"),
    Case("x = 5", "5"),
    Case("5", "AB=5"),
    Case(r"2\sqrt{5}\approx 4.47", r"2\sqrt5"),
    Case(r"\frac{10}{4} = 2.5", "2.5"),
    # rounding
    Case(r"4\sqrt{22}", "18.76"),
    Case("94.248", "30π"),
    Case("13.33", r"\frac{40}{3}"),
    Case("36.87", "37", None, ROUND),
    Case("7.21", "7.2", ["7.2", "8"]),
    Case("2.6", r"\sqrt7", [r"\sqrt5", r"\sqrt6", r"\sqrt7", "3"]),
    # units
    Case("3", "3米"),
    Case("3 m", "3"),
    Case("120 cm", "1.2 m"),
    Case("25 degrees", r"25^{\circ}"),
    Case(r"12 \text{ cm}^2", "12 cm²"),
    Case("36 km/h", "10 m/s"),
    Case("2 hours", "120 minutes"),
    Case(r"\$5", "5 dollars"),
    Case("5 red balls", "5"),
    Case("3个", "3"),
    # several values
    Case("(3, 4)", "(3,4)"),
    Case("C(3,4)", "(3,4)"),
    Case("4 and 3", "3, 4"),
    Case("｛4，3｝", r"\{3, 4\}"),
    Case(r"\{3, 4\}", r"\{4, 3\}"),
    Case("x=3 or x=5", "3 or 5"),
    Case("x = 3, y = 4", "x=3,y=4"),
    Case(r"\boxed{3} and \boxed{5}", r"\{3, 5\}"),
    Case("[2, 5)", "[2,5)"),
    Case("5", r"\{5\}"),
    Case(r"\boxed{x > 2}", r"(2,\infty)"),
    # words, dates, times
    Case("A hexagon.", "hexagon"),
    Case("Yes, they are parallel.", "True"),
    Case("不是", "No"),
    Case("Final answer: False (it misses the centre)", "False"),
    Case("March 5, 2004", "2004-03-05"),
    Case("3:45 PM", "3:45"),
    # algebra
    Case(r"\boxed{x^2+2x+1}", "(x+1)^2"),
    Case(r"\boxed{y=2x+1}", "2x+1"),
    Case(r"\boxed{\sin 30^\circ}", "0.5"),
    # choices
    Case("The answer is B.", "25°", DEGREES),
    Case("The answer is 25.", "25°", DEGREES),
    Case("The answer is 25 degrees.", "B", DEGREES),
    Case("Answer: B. 25°", "25°", DEGREES),
    Case(r"\boxed{\textbf{(B)}\ 25}", "25°", DEGREES),
    Case("(b)", "B", DEGREES),
    Case("选B", "25°", DEGREES),
    Case("B", "b", ["a", "b", "c"]),
    Case("C", "C", ["B", "A", "C"]),
    Case("Q", "Q", ["P", "Q", "R"]),
    Case(r"\boxed{2}", "B", ["1", "2", "3"]),
    Case("(d) 2", "d", ["a", "b", "c", "d"], "How long? (a) 1 (b) 4 (c) 0.5 (d) 2"),
    Case("It is 2.", "d", ["a", "b", "c", "d"], "How long? (a) 1 (b) 4 (c) 0.5 (d) 2"),
    Case("The answer is Yes.", "A", ["Yes", "No"]),
    Case("A, C", "AC", FOUR),
    Case("(C).", "C"),
    Case("B. 25°", "B"),
]

WRONG = [
    (Case("<answer>40.0000000000000</answer>", "140°"), "different"),
    (Case("-5", "5"), "different"),
    (Case("1.5", "15"), "different"),
    (Case(r"\frac{12}{3}", r"\frac{1}{23}"), "different"),
    (Case("5!", "5"), "different"),
    (Case("3a", "3"), "different"),
    (Case("70sqrt(2)m", "70√{2}+3"), "different"),
    (Case("31.1", "31"), "different"),
    # rounding that was not asked for
    (Case(r"4\sqrt{22}", "18.79"), "different"),
    (Case("18.8", "18.79"), "different"),
    (Case("2.54", "2.5"), "different"),
    (Case("13", r"\frac{40}{3}"), "different"),
    (Case("3", "π"), "different"),
    (Case("36.87", "37"), "different"),
    (Case("36.4", "37", None, ROUND), "different"),
    (Case("5.3", "5", None, "How many sit at the round table?"), "different"),
    (Case("100 = 101", "100"), "several_answers"),
    # units
    (Case("20 cm", "20 m"), "different"),
    (Case("20 cm", "20 cm²"), "different"),
    (Case("$5", "€5"), "different"),
    (Case("5 cm", "5 km", ["5 km", "5 cm"]), "different"),
    # several values
    (Case("(4, 3)", "(3,4)"), "different"),
    (Case("[2, 5]", "[2,5)"), "different"),
    (Case("3", "3, 5"), "different"),
    (Case("3, 5, 7", "3, 5"), "different"),
    (Case("3:45 AM", "3:45 PM"), "different"),
    (Case("No", "True"), "different"),
    # no answer
    (Case("", "5"), "no_answer"),
    (Case("Point A lies on the side of a triangle.", "A", FOUR), "no_answer"),
    (Case("<think>\nradius is 24", "24"), "no_answer"),
    # several at once
    (Case("The answer is A or B or C.", "A", FOUR), "several_answers"),
    (Case("A, B, C, D", "A", FOUR), "several_answers"),
    (Case("ABCD", "A", FOUR), "several_answers"),
    (Case("A/B", "A", FOUR), "several_answers"),
    (Case("1, 2, 3, 4", "1", FOUR), "several_answers"),
    (Case("(A) 1 or (B) 2", "A", FOUR), "several_answers"),
    (Case("20° or 25°", "20°", DEGREES), "several_answers"),
    (Case(r"\boxed{A} \boxed{B}", "A", FOUR), "several_answers"),
    (Case(r"\boxed{3} or \boxed{5}", "3"), "several_answers"),
    (Case("3 or 5", "3"), "several_answers"),
    (Case("3, 5", "3"), "several_answers"),
    (Case(r"2\sqrt5 = 5", r"2\sqrt5"), "several_answers"),
    (Case("A. 25°", "25°", DEGREES), "several_answers"),
    (Case("A. 25°", "20°", DEGREES), "several_answers"),
    (Case("A", "AC", FOUR), "different"),
    (Case("False. So it is. Therefore the statement is true.", "True"), "several_answers"),
    (Case("<answer>A\n\nor B</answer>", "A", FOUR), "several_answers"),
    (Case("<answer>3\n4</answer>", "3"), "several_answers"),
    (Case("(A)(B)(C)", "A", FOUR), "several_answers"),
    (Case("The answer is A; or maybe B.", "A", FOUR), "several_answers"),
    (Case("<answer>A. B.</answer>", "A", FOUR), "several_answers"),
    (Case("True. False.", "True"), "several_answers"),
    (Case("True, False", "True"), "different"),
    (Case("A. hexagon square", "hexagon", ["hexagon", "square"]), "several_answers"),
    (Case("Option A is not correct.", "A", FOUR), "no_answer"),
    (Case("The answer is not A.", "A", FOUR), "different"),
    (Case("The answer is A. No, the answer is B.", "A", FOUR), "different"),
    (Case(r"\boxed{5 \pm 1}", "6"), "different"),
    # sizes that nobody should compute
    (Case("10^{10^{10}}", "5"), "different"),
    (Case("9" * 200, "5"), "different"),
    (Case("9" * 5000, "5"), "no_answer"),
    (Case("1e400", "5"), "different"),
    (Case("((((" * 20 + "5" + "))))" * 20, "5"), "different"),
    (Case("((((" * 400, "5"), "no_answer"),
    (Case("x^{9^{9^{9}}}", "x"), "different"),
    (Case(r"\boxed{(x+1)^{999}}", "x^2+1"), "different"),
    (Case(r"\boxed{\int_0^1 e^{x^2} dx}", "x^2+1"), "different"),
    (Case(r"\boxed{((((((((((x))))))))))}", "x^2+1"), "different"),
]

NOT_SCORED = [
    (Case("5", ""), "reference_unparsable"),
    (Case("5", " . "), "reference_unparsable"),
    (Case("The answer is B.", "45°", DEGREES), "reference_unparsable"),
    (Case(r"\boxed{5}", r"2 \sqrt { 221"), "reference_unparsable"),
    (Case("a hexagon", r"2 \sqrt { 221"), "reference_unparsable"),
    (Case("", r"2 \sqrt { 221"), "reference_unparsable"),
]


def outcome(case: Case) -> tuple[bool | None, str]:
    check = check_answer(
        case.response, case.reference, choices=case.choices, question=case.question
    )
    return check.is_correct, check.reason


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_right(case: Case) -> None:
    assert outcome(case) == (True, "equal")


@pytest.mark.parametrize(("case", "reason"), WRONG, ids=lambda value: str(value)[:80])
def test_wrong(case: Case, reason: str) -> None:
    assert outcome(case) == (False, reason)


@pytest.mark.parametrize(("case", "reason"), NOT_SCORED, ids=str)
def test_not_scored(case: Case, reason: str) -> None:
    assert outcome(case) == (None, reason)


@pytest.mark.parametrize("response", ["A", "B", "C", "D"])
def test_letters_of_options_in_the_picture(response: str) -> None:
    assert check_answer(response, "C", choices=PICTURES).is_correct is (response == "C")


def test_no_answer_is_wrong_even_when_the_text_was_cut() -> None:
    check = check_answer("<think>\nLet us see", "5", is_cut=True)
    assert (check.is_correct, check.reason, check.is_cut) == (False, "no_answer", True)


def test_many_are_checked_in_order() -> None:
    items = [AnswerItem(rf"\boxed{{x+{n}}}", f"{n % 3}+x") for n in range(20)]
    assert [check.is_correct for check in check_answers(items)] == [n < 3 for n in range(20)]


def test_no_items() -> None:
    assert check_answers([]) == []


def test_bytes_that_are_no_text_are_not_handed_to_algebra(monkeypatch):
    monkeypatch.setattr("pr1.answers.compare.same_mathematics", None)
    garbage = "\\boxed{4\x02ct+\N{REPLACEMENT CHARACTER}(x}"
    assert check_answer(garbage, "5").reason == "different"
    assert check_answer(garbage, "x+5").reason == "different"
