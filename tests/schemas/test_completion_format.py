"""The completion's text format: round trip, and the shapes that must not pass for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.schemas.completion_format import format_completion, parse_completion

GOOD = "<think>\nAB = 3.\n</think>\n<answer>\n\\boxed{3}\n</answer>"
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
plain_text = st.text().filter(lambda text: not any(tag in text for tag in TAGS))


def test_a_well_formed_completion_is_read():
    assert parse_completion(GOOD) == ("AB = 3.", "\\boxed{3}")


def test_white_space_around_it_is_allowed():
    assert parse_completion(f"\n {GOOD}\n") == parse_completion(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is 3.",
        "<think>\nradius is 24",
        GOOD.replace("\n</answer>", ""),
        GOOD.replace("<think>\n", "<think>"),
        GOOD.replace("\\boxed{3}", "3"),
        GOOD.replace("\\boxed{3}", "\\boxed{ }"),
        GOOD.replace("\\boxed{3}", "\\boxed{3"),
        GOOD.replace("AB = 3.", "<answer>\n\\boxed{4}\n</answer>"),
        GOOD + "\n<answer>\n\\boxed{4}\n</answer>",
        "<think>\n</think>\n<answer>\n</answer>",
        "so: " + GOOD,
    ],
)
def test_anything_else_is_not(text):
    assert parse_completion(text) is None


@given(think=plain_text, before=plain_text, after=plain_text)
def test_what_is_formatted_is_parsed_back(think, before, after):
    answer = f"{before}\\boxed{{7}}{after}"
    assert parse_completion(format_completion(think, answer)) == (think, answer)


@given(st.lists(st.sampled_from([*TAGS, "\n", "\\boxed{", "}", "x"])).map("".join))
def test_no_arrangement_of_tags_raises(text):
    parsed = parse_completion(text)
    assert parsed is None or format_completion(*parsed) == text.strip()
