from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.filter.duplicates import DuplicateIndex, problem_signature
from pr1.filter.pictures import PictureIndex, are_near, pieces
from pr1.filter.texts import band_keys, jaccard, particulars, shingles, words
from pr1.schemas.records import Problem, ProblemImage

LONG = "In triangle ABC the side AB is perpendicular to BC and AB = 5, find the length of AC."
PICTURE = 0x0F0F_3355_AA99_1234


def problem(question: str = LONG, **changes: Any) -> Problem:
    values: dict[str, Any] = {"id": "p", "answer": "7", "images": [ProblemImage(bytes=b"one file")]}
    return Problem(question=question, **values | changes)


def is_found(first: Problem, second: Problem, picture: int = PICTURE, other: int = PICTURE) -> bool:
    index = DuplicateIndex()
    index.add(problem_signature(first, [picture]))
    return index.find(problem_signature(second, [other])) is not None


OTHER_FILE = [ProblemImage(bytes=b"another file")]


@pytest.mark.parametrize(
    "again",
    [
        problem(),
        problem(f"<image>  {LONG.upper()}"),
        problem(LONG.replace("AB = 5", "$AB=5$")),
        problem(LONG + " Explain."),
        problem(images=OTHER_FILE),
        problem(images=OTHER_FILE, answer=" $7$ "),
        problem(answer="8"),
    ],
)
def test_the_same_question_about_the_same_picture_is_a_duplicate(again: Problem) -> None:
    assert is_found(problem(), again)
    assert is_found(again, problem())


@pytest.mark.parametrize(
    "other",
    [
        problem(LONG.replace("5", "6")),
        problem("Find the area of the triangle."),
        problem(images=OTHER_FILE, answer="8"),
        problem(LONG + " Explain.", answer="8"),
        problem(LONG.replace("ABC", "ABD")),
        problem(LONG.replace("is perpendicular", "is not perpendicular")),
        problem(LONG.replace("the length of AC", "the length of AB")),
        problem(choices=["7", "8"]),
        problem(LONG.replace("find the length of AC", "is the triangle right-angled, say why")),
    ],
)
def test_another_question_is_another_problem(other: Problem) -> None:
    assert not is_found(problem(), other)
    assert not is_found(other, problem())


@pytest.mark.parametrize(("flipped", "expected"), [(0, True), (4, True), (5, False), (32, False)])
def test_pictures_may_differ_in_four_bits(flipped: int, expected: bool) -> None:
    other = PICTURE ^ sum(1 << (bit * 2) for bit in range(flipped))
    assert is_found(problem(), problem(images=OTHER_FILE), PICTURE, other) is expected


@pytest.mark.parametrize(
    ("question", "other"), [("Find x.", "Find y."), ("", "?!"), ("求x", "求y")]
)
def test_short_questions_are_told_apart(question: str, other: str) -> None:
    assert is_found(problem(question), problem(question))
    assert is_found(problem(question), problem(other)) is (words(question) == words(other))


def test_a_letter_and_its_choice_are_one_answer() -> None:
    choices = ["6", "7"]
    assert is_found(
        problem(choices=choices, answer="B"),
        problem(choices=choices, answer="7", images=OTHER_FILE),
    )


def test_all_pictures_are_compared_in_order() -> None:
    index = DuplicateIndex()
    index.add(problem_signature(problem(), [PICTURE, 1]))
    assert index.find(problem_signature(problem(), [PICTURE, 1]))
    assert not index.find(problem_signature(problem(), [PICTURE]))
    assert not index.find(problem_signature(problem(), [1, PICTURE]))


def test_an_equal_question_is_found_among_thousands_of_similar_ones() -> None:
    index = DuplicateIndex()
    for number in range(1_000):
        letters = "".join(chr(97 + digit) for digit in divmod(number, 26))
        index.add(problem_signature(problem(f"{LONG} {letters}", id=str(number)), [PICTURE]))
    again = index.find(problem_signature(problem(f"{LONG} zz"), [PICTURE]))
    assert again is not None
    exact = problem_signature(problem(f"{LONG} bm"), [PICTURE])
    assert index.find(exact) is not None


@pytest.mark.parametrize("name", "bcdefgh")
def test_a_row_repeats_the_equal_one_before_one_that_is_only_like_it(name: str) -> None:
    index = DuplicateIndex()
    index.add(problem_signature(problem(f"{LONG} ok{name}", id="alike"), [PICTURE]))
    index.add(problem_signature(problem(f"{LONG} it{name}", id="equal"), [PICTURE]))
    found = index.find(problem_signature(problem(f"{LONG} it{name}"), [PICTURE]))
    assert found is not None
    assert found.id == "equal"


def test_words_are_those_of_the_reader() -> None:
    assert words(r"<image_1> In $\triangle ABC$, AB＝５. 求面积") == [
        *("in", "triangle", "abc", "ab", "5"),
        *"求面积",
    ]
    spelt = words("circle O, AB perpendicular CD, angle C = 35 degrees")
    assert words("⊙O, AB ⊥ CD, ∠C=35°") == spelt
    assert words(r"$\odot O$, $AB \perp CD$, $\angle C=35^\circ$") == spelt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x=2,000.5 or 3 and ３", ("2,000.5", "3", "3", "x")),
        ("There is no triangle A'BC in a figure", ("BC", "no")),
        ("It isn't a TRIANGLE, is it?", ("t",)),
        ("三角形ABC中AB不等于5", ("5", "AB", "ABC", "不")),
        (r"$\angle B = 2y$, \triangle ABCDE", ("2", "B")),
    ],
)
def test_particulars_are_numbers_names_and_negations(text: str, expected: tuple[str, ...]) -> None:
    assert particulars(text) == expected


@given(st.text(), st.text())
def test_likeness_is_symmetric_bounded_and_total_for_equal_words(first: str, second: str) -> None:
    a, b = shingles(words(first)), shingles(words(second))
    assert jaccard(a, b) == jaccard(b, a)
    assert 0 <= jaccard(a, b) <= 1
    if words(first) == words(second):
        assert jaccard(a, b) == 1
        assert band_keys(a) == band_keys(b)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=4))
def test_every_near_picture_is_found(picture: int, bits: set[int]) -> None:
    near = picture ^ sum(1 << bit for bit in bits)
    assert are_near(picture, near)
    assert set(pieces(picture)) & set(pieces(near))
    index = PictureIndex()
    index.add(picture, "here")
    found = index.find(near)
    assert (found is not None) == (picture != 0)
    if found:
        assert found == ("here", len(bits))
