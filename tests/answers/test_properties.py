"""What holds for every text: nothing raises, equal stays equal, offering all earns nothing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pr1.answers import check_answer, find_answer
from pr1.answers.expressions import NotANumber, TooLarge, evaluate
from pr1.answers.numbers import parse_number, same_number
from pr1.answers.text import is_balanced, plain, words_key

FRAGMENTS = (
    r"\boxed{ \frac{ } { \sqrt{ \text{ <answer> </answer> <think> </think> ( ) [ ] | = ≈ % ° ^ _ "
    r"the answer is A B. (C) Answer: 选 答案是 or and , ; : . \n 3 4.5 10^9 -1 x y True False No "
    "米 cm $ Therefore is not √ π ** ### Final ½ ② \x00 \u200b ，。 { \\"
).split(" ")
messy = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=25).map(" ".join)
anything = st.text(max_size=200) | messy

integers = st.integers(-(10**12), 10**12)
decimals = st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=4)
positive = st.integers(1, 999)
numbers = (
    integers.map(str)
    | integers.map(lambda n: f"{n:,}")
    | decimals.map(lambda d: f"{d:f}")
    | st.builds(r"\frac{{{}}}{{{}}}".format, positive, positive)
    | st.builds("{}/{}".format, positive, positive)
    | st.builds(r"{} \sqrt {{ {} }}".format, positive, positive)
    | st.builds("{}√{{{}}}-{}".format, positive, positive, positive)
    | st.builds("{}π".format, positive)
    | st.builds("{}°".format, positive)
    | st.builds("{} cm".format, positive)
    | st.builds("{}米".format, positive)
    | st.builds("{}%".format, positive)
)
values = (
    numbers
    | st.builds("({}, {})".format, positive, positive)
    | st.builds(r"\{{{}, {}\}}".format, positive, positive)
    | st.sampled_from(["hexagon", "a red ball", "Yes", "False", "钝角三角形", "3:45", "March 5"])
)
WRAPPERS = [
    "{}",
    r"\boxed{{{}}}",
    r"So $x$ is $\boxed{{{}}}$.",
    "<answer>{}</answer>",
    "<think>\nIt may be 7.\n</think>\n<answer>\n\\boxed{{{}}}\n</answer>",
    "We look.\n\nThe answer is {}.",
    "We look.\n\nThe answer is **{}**, because we looked.",
    "We look.\n\nAnswer: {}",
    "### Final Answer\n{}",
    "所以答案是{}。",
]
QUICK = settings(max_examples=60, deadline=None)


@settings(max_examples=150, deadline=None)
@given(anything, anything, st.none() | st.lists(anything, max_size=5), anything)
def test_never_raises(
    response: str, reference: str, choices: list[str] | None, question: str
) -> None:
    check = check_answer(response, reference, choices=choices, question=question)
    assert (check.is_correct is True) == (check.reason == "equal")
    assert (check.is_correct is None) == (check.reason in ("reference_unparsable", "timeout"))
    assert check.reason != "no_answer" or check.found is None


@given(anything)
def test_reading_never_raises(text: str) -> None:
    find_answer(text)
    parse_number(text)
    words_key(plain(text))


@given(st.text("0123456789+-*/^().√π{}[] e", max_size=60))
def test_expressions_are_bounded(text: str) -> None:
    try:
        assert abs(evaluate(text)) < 10**100
    except (NotANumber, TooLarge, ZeroDivisionError):
        assume(True)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@QUICK
@given(values)
def test_a_reference_equals_itself_in_every_form(wrapper: str, reference: str) -> None:
    check = check_answer(wrapper.format(reference), reference)
    assert check.is_correct, check


@QUICK
@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="{}\\$"), max_size=80))
def test_any_text_equals_itself_in_a_box(reference: str) -> None:
    assume(is_balanced(plain(reference)))
    check = check_answer(rf"\boxed{{{reference}}}", reference)
    assert check.reason in ("equal", "reference_unparsable")
    assert check.reason == "equal" or not words_key(plain(reference))


@QUICK
@given(numbers, numbers)
def test_the_same_number_either_way(left: str, right: str) -> None:
    one, other = parse_number(plain(left)), parse_number(plain(right))
    assert one is not None
    assert other is not None
    for rounding in ("forms", "choices"):
        assert same_number(one, other, rounding) == same_number(other, one, rounding)


@QUICK
@given(st.sampled_from(WRAPPERS), decimals | integers, decimals | integers)
def test_different_decimals_are_never_equal(
    wrapper: str, found: Decimal | int, reference: Decimal | int
) -> None:
    assume(Fraction(found) != Fraction(reference))
    check = check_answer(wrapper.format(f"{found:f}"), f"{reference:f}")
    assert check.is_correct is False


@QUICK
@given(positive, positive, positive, positive)
def test_different_fractions_are_never_equal(a: int, b: int, c: int, d: int) -> None:
    assume(Fraction(a, b) != Fraction(c, d))
    assert check_answer(rf"\boxed{{\frac{{{a}}}{{{b}}}}}", f"{c}/{d}").is_correct is False


SEPARATORS = [", ", " or ", " and ", "/", "; ", " ", "\n", ", or ", "或", "、", ",", " & "]


@pytest.mark.parametrize("separator", SEPARATORS)
@QUICK
@given(
    st.lists(positive, min_size=2, max_size=5, unique=True),
    st.sampled_from(WRAPPERS),
    st.sampled_from(["letters", "texts", "both", "bracketed"]),
    st.data(),
)
def test_offering_all_choices_is_never_right(
    separator: str, options: list[int], wrapper: str, way: str, data: st.DataObject
) -> None:
    choices = [f"{option} cm" for option in options]
    letters = "ABCDE"[: len(options)]
    offers = {
        "letters": list(letters),
        "texts": choices,
        "both": [f"{letter}. {text}" for letter, text in zip(letters, choices, strict=True)],
        "bracketed": [f"({letter})" for letter in letters],
    }
    reference = data.draw(st.sampled_from(range(len(options))))
    response = wrapper.format(separator.join(offers[way]))
    for wanted in (choices[reference], letters[reference]):
        assert check_answer(response, wanted, choices=choices).is_correct is False


@QUICK
@given(st.lists(positive, min_size=2, max_size=4, unique=True), st.data())
def test_different_boxes_are_never_right(options: list[int], data: st.DataObject) -> None:
    response = " ".join(rf"\boxed{{{option}}}" for option in options)
    reference = str(data.draw(st.sampled_from(options)))
    assert check_answer(response, reference).is_correct is False


@settings(max_examples=150, deadline=None)
@given(
    messy, st.sampled_from([["3", "4.5", "-1"], ["True", "False"], ["x", "y", "米"], ["", "", ""]])
)
def test_no_response_is_right_for_two_choices(response: str, choices: list[str]) -> None:
    letters = "ABC"[: len(choices)]
    checks = [check_answer(response, letter, choices=choices) for letter in letters]
    assert sum(check.is_correct is True for check in checks) <= 1


@settings(max_examples=150, deadline=None)
@given(messy.map(lambda text: text.replace("%", "")))
def test_no_response_is_right_for_two_numbers(response: str) -> None:
    checks = [check_answer(response, reference) for reference in ("3", "4.5", "-1", "10^9")]
    assert sum(check.is_correct is True for check in checks) <= 1
