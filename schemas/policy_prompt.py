"""The one way in which a policy is asked a problem: by the filter, the trainer, the evaluation.

A policy that is filtered under one wording and trained under another is another policy.
"""

from __future__ import annotations

from collections.abc import Sequence

INSTRUCTION = (
    "Say what you see in the picture and reason from it between <think> and </think>.\n"
    "Then give the answer between <answer> and </answer>, in \\boxed{}."
)
FACTS = "What the picture shows:"


def policy_prompt(question: str, choices: Sequence[str] | None, facts: Sequence[str] = ()) -> str:
    r"""The text of the user turn; the pictures stand before it.

    Args:
        question: the question, without placeholders for pictures.
        choices: the texts of the options A, B, C, ..., or None.
        facts: visual annotations that the policy is told, one a line; none where it must look.

    Returns:
        The question, its options by letter, the facts, and the format instruction at the end.

    Source: Perception-R1 (arXiv 2506.07218) puts the question first and the instruction behind it;
        the words are ours.

    Example:
        >>> print(policy_prompt("How long?", ["3", "4"], ["AB is vertical"]))
        How long?
        <BLANKLINE>
        A. 3
        B. 4
        <BLANKLINE>
        What the picture shows:
        - AB is vertical
        <BLANKLINE>
        Say what you see in the picture and reason from it between <think> and </think>.
        Then give the answer between <answer> and </answer>, in \boxed{}.
    """
    options = [f"{chr(ord('A') + n)}. {text}" for n, text in enumerate(choices or [])]
    told = [FACTS, *(f"- {fact}" for fact in facts)] if facts else []
    parts = [question, "\n".join(options), "\n".join(told), INSTRUCTION]
    return "\n\n".join(part for part in parts if part)
