"""What a model is told: instructions, then the annotations, then the completion.

A group's completions share everything but the completion, so that a server's prefix cache reads the
instructions and the annotations once. The completion is hostile: it stands between two lines with a
code that it cannot know, cleaned of what only machines read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from ..llm.chat import ChatMessage
from . import prompts
from .cleaning import cleaned, without_template_tokens


def judge_messages(statements: Sequence[str], completion: str) -> tuple[ChatMessage, ...]:
    """The question which of the statements the completion reflects.

    Args:
        statements: the annotations asked; they are numbered from 1.
        completion: the whole text, verbatim.
    """
    facts = "\n".join(f"{n}. {one_line(text)}" for n, text in enumerate(statements, 1))
    text = without_template_tokens(cleaned(completion))
    fence = fence_of(text)
    return (
        ChatMessage("system", (prompt("judge.txt"),)),
        ChatMessage(
            "user",
            (
                f"Facts:\n{facts}\n\nText, between the two lines with the code {fence}:\n"
                f"{fence}\n{text}\n{fence}\n\nYour letters for facts 1 to {len(statements)}:",
            ),
        ),
    )


def yes_no_messages(statement: str, said: str) -> tuple[ChatMessage, ...]:
    """The question whether a text states one fact, for a model that answers yes or no.

    Here the text comes first: the questions about it share it.

    Args:
        statement: the annotation.
        said: what the completion puts forward itself, without a chat template's tokens.
    """
    question = prompt("embedded_question.txt").replace("{statement}", one_line(statement))
    return (
        ChatMessage("system", (prompt("embedded.txt"),)),
        ChatMessage("user", (f"Text:\n{said}\n\n{question}",)),
    )


def fence_of(text: str) -> str:
    """A code that the text does not hold and whose author could not foresee.

    It is a hash of the text itself: to hold its own code, a text would have to contain its own
    sha256. The same text has the same code, so that the response store knows the request again.
    """
    code = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"=== {code} ==="


@cache
def prompt(name: str) -> str:
    """The text of a prompt file."""
    return resources.files(prompts).joinpath(name).read_text(encoding="utf-8").strip()


def prompt_hashes(names: Sequence[str]) -> dict[str, str]:
    """Name of each prompt file -> its sha256."""
    return {name: hashlib.sha256(prompt(name).encode()).hexdigest() for name in names}


def prompt_hash(names: Sequence[str]) -> str:
    """One sha256 for the files together."""
    return hashlib.sha256("".join(prompt_hashes(names).values()).encode()).hexdigest()


def one_line(statement: str) -> str:
    """The statement on one line and without a template's tokens, so that none can number itself."""
    return " ".join(without_template_tokens(cleaned(statement)).split())
