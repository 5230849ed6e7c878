"""Where an answer is looked for, and what is no answer."""

from __future__ import annotations

import re

import pytest

from pr1.answers import check_answer, find_answer

FOUND = [
    # tags and thinking
    ("<think>\nAB = 3.\n</think>\n<answer>\n\\boxed{24}\n</answer>", "24"),
    ("<think>it is 3</think><answer>24", "24"),
    ("<answer>3</answer> no, <answer>5</answer>", "5"),
    ("<ANSWER> 7 </ANSWER>", "7"),
    ("<answer>The mast is 12 m high, so the answer is B.</answer>", "B"),
    ("<answer>The height of the mast is 12 m.</answer>", "12 m"),
    (r"<think>\boxed{3}</think>So \boxed{4}", "4"),
    (r"<think>so \boxed{4}", "4"),
    ("<CONCLUSION> The answer is B. </CONCLUSION>", "B"),
    ("<SUMMARY>x</SUMMARY><CONCLUSION>\nB\n</CONCLUSION>", "B"),
    # boxes
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\boxed{\text{(D)}}", r"\text{(D)}"),
    (r"\boxed {12}", "12"),
    (r"\boxed{12", "12"),
    (r"\boxed{}, so \boxed{12}", "12"),
    (r"\boxed{2 \sqrt{5}} and again \boxed{2\sqrt{5}}", r"2 \sqrt{5}"),
    (r"\boxed{3} or \boxed{5}", "3 | 5"),
    ("\x08oxed{12}", "12"),
    # headings
    ("Some steps.\n### The final answer is: B", "B"),
    ("Some steps.\n\n**Final Answer:** (c) 17", "(c) 17"),
    ("Some steps.\n### Final Answer\nThe length is:\n\\[ 12 \\]", r"\[ 12 \]"),
    ("Final answer: False (the chord misses the centre)", "False (the chord misses the centre)"),
    # statements
    ("The answer is 3 1/2.", "3 1/2"),
    ("Hence the correct answer is:\n\n(b) 31%", "(b) 31%"),
    ("So the answer to the question is B. 25°, because it is acute.", "B. 25°"),
    ("The answer is a hexagon because it has six sides.", "a hexagon"),
    ("Therefore the answer is $\\frac{1}{3}$. Check: it fits.", r"$\frac{1}{3}$"),
    ("Answer:B", "B"),
    ("**Answer: C**", "C**"),
    ("The correct answer is:\n\\[ \\text{Answer: C} \\]", "C"),
    ("Option B is the correct answer, since A is too long.", "Option B"),
    ("I choose (C).", "(C)"),
    ("所以答案是B。", "B"),
    ("正确答案为：12米", "12米"),
    ("故选：D", "D"),
    ("因此选C。", "C"),
    ("The answer is 3. Wait, that is wrong. The answer is 4.", "4"),
    # bare answers
    ("12", "12"),
    ("(d) 2.2", "(d) 2.2"),
    ("True.", "True"),
    ("a red ball", "a red ball"),
    ("The shape is a hexagon.", "a hexagon"),
    ("False.\n\nThe chord misses the centre of the circle, so it is none.", "False"),
    ("False. It is so. Therefore the statement is true.", "False | true"),
    # the last sentence
    ("We add them. Therefore, the height of the tent is 3.25.", "3.25"),
    ("We add. Thus AB = 2√{3}\n\nI hope this helps!", "2√{3}"),
    ("There are 3 balls and 2 cubes. In total there are 5 objects.", "5 objects"),
    ("由图可知，旗杆的高为9米。", "9米"),
    ("The bars differ. So I go for the second option (B).", "(B)"),
]

NOT_FOUND = [
    "",
    "   \n ",
    "Point A lies on the side of a triangle.",
    "A triangle has three sides, and B is one of its corners here.",
    "<think>\nthe radius is 24",
    "<think>The answer would follow from AB = 3.</think>",
    "<answer></answer>",
    "<answer>\n</answer>",
    "<think> Therefore, side PQ is 71 long. Therefore, side PQ is 7",
    "1. First we look at the sides. 2. Then we look at the angles.",
    "The longest way round is the sum of the three sides and",
    "\\boxed{}",
]


@pytest.mark.parametrize(("response", "answer"), FOUND)
def test_finds_the_answer(response: str, answer: str) -> None:
    assert find_answer(response) == answer


@pytest.mark.parametrize("response", NOT_FOUND)
def test_finds_no_answer(response: str) -> None:
    assert find_answer(response) is None


def test_options_make_a_phrase_an_answer() -> None:
    response = "They look alike. Hence it must be the acute triangle"
    assert find_answer(response) is None
    assert find_answer(response, choices=["square", "acute triangle"]) == "the acute triangle"


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "\n",
        "\t ",
        "{",
        "}",
        "\\boxed{",
        "\\boxed{1}",
        "<answer>",
        "<think>",
        "</think>",
        "<  ",
        "**",
        "answer ",
        "answer is ",
        "final answer   ",
        "A is ",
        "option A ",
        "$",
        "1,",
        "1+",
        "(",
        "√",
        "2^",
        "-",
        "the answer is 答案是",
        "Therefore 3. ",
        "\\text{",
        "A, ",
        "A or ",
    ],
)
def test_ten_megabytes_of_anything_are_read_in_linear_time(piece: str) -> None:
    # Quadratic work on 10 MB would not end within any test run.
    response = piece * (10_000_000 // len(piece))
    find_answer(response, choices=["1", "2"])
    find_answer("<answer>" + response)


STATEMENTS = """
the answer is B | the correct option is B | the right choice is B | the best letter: B
the closest option is B | the appropriate choice is B | the final result = B
the reasonable choice is B | we choose B | choosing B | select B | selecting B | pick B | go with B
答案是B | 正确选项为B | 故选B | 。选B
B is correct | B is the right one | B is the best | B is closest | B must be the answer
"""


@pytest.mark.parametrize("stated", re.split(r" \| |\n", STATEMENTS.strip()))
def test_every_form_of_statement_is_found_far_from_the_end(stated: str):
    behind = "\nThen we looked at the picture for a long while, and went home in the rain"
    assert find_answer(f"Here is all of it, and {stated}{behind}") == "B"
    assert find_answer(f"Here is all of it, and nothing{behind}") is None


@pytest.mark.parametrize("joint", "; & 和 或 或者 以及 与 及 and or AND Or".split())
def test_every_joint_divides_a_list(joint: str):
    assert check_answer(rf"\boxed{{7 {joint} 5}}", "5, 7").is_correct
