r"""The text format of a completion: thinking, then an answer with a box.

    <think>
    GE = 10, and GE is perpendicular to DF at E.
    </think>
    <answer>
    \boxed{24}
    </answer>

Source: Perception-R1 (arXiv 2506.07218), the format reward. Departure: the published pattern lets
tags repeat; here each of the four tags stands exactly once, so that a second `<answer>` cannot
shadow the first.
"""

from __future__ import annotations

from typing import NamedTuple

TAGS = ("<think>", "</think>", "<answer>", "</answer>")
FRAME = ("<think>\n", "\n</think>\n<answer>\n", "\n</answer>")


class FormattedCompletion(NamedTuple):
    """The two parts of a well-formed completion, without their tags."""

    think: str
    answer: str


def format_completion(think: str, answer: str) -> str:
    r"""The completion that `parse_completion` reads back.

    Example:
        >>> format_completion("AB = 3.", r"\boxed{3}")
        '<think>\nAB = 3.\n</think>\n<answer>\n\\boxed{3}\n</answer>'
    """
    opening, middle, closing = FRAME
    return f"{opening}{think}{middle}{answer}{closing}"


def parse_completion(text: str) -> FormattedCompletion | None:
    r"""The completion's parts, or None when it does not follow the format.

    White space around the whole text is allowed; within it, each tag stands once and on a line of
    its own, and the answer holds a `\boxed{...}` that is not empty. Linear in the text's length.

    Example:
        >>> parse_completion("<think>\nAB = 3.\n</think>\n<answer>\n\\boxed{3}\n</answer>").answer
        '\\boxed{3}'
        >>> parse_completion("The answer is 3.") is None
        True
    """
    opening, middle, closing = FRAME
    text = text.strip()
    if any(text.count(tag) != 1 for tag in TAGS):
        return None
    if not (text.startswith(opening) and text.endswith(closing)):
        return None
    think, divider, answer = text[len(opening) : -len(closing)].partition(middle)
    return FormattedCompletion(think, answer) if divider and _has_box(answer) else None


def _has_box(answer: str) -> bool:
    _, box, inside = answer.partition(r"\boxed{")
    return bool(box) and "}" in inside and bool(inside.split("}", 1)[0].strip())
