"""What `collect` sends: our instructions, the pictures and the problem, once for each sample."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from importlib import resources

from ..images import encode_for_model
from ..llm.chat import ChatImage, ChatMessage, ChatRequest
from ..llm.seeds import sample_seed
from ..schemas.config import CollectConfig
from ..schemas.errors import InputError
from ..schemas.records import Problem, ProblemImage
from . import prompts

PROMPT = "collect.txt"
PICTURES_KEPT = 16  # as sent, beside their files: some MB each


@cache
def instructions() -> str:
    """What the model is told before every problem."""
    return resources.files(prompts).joinpath(PROMPT).read_text(encoding="utf-8").strip()


def prompt_hashes() -> dict[str, str]:
    """Name of the prompt -> sha256 of what is sent of it."""
    return {PROMPT: hashlib.sha256(instructions().encode()).hexdigest()}


def problem_text(problem: Problem) -> str:
    """The problem in words as the model reads it: the question, and the options by letter.

    Example:
        >>> problem = Problem(id="p", question="How long?", choices=["3", "4"], answer="3")
        >>> print(problem_text(problem))
        How long?
        <BLANKLINE>
        A. 3
        B. 4
    """
    options = [f"{chr(ord('A') + n)}. {text}" for n, text in enumerate(problem.choices or [])]
    return "\n\n".join(part for part in (problem.question, "\n".join(options)) if part)


def sample_requests(problem: Problem, config: CollectConfig) -> list[ChatRequest]:
    """The request for each sample; all hold the same pictures, encoded once.

    Problems that follow each other closely share the pictures that they have in common.

    The instructions stand in the system turn and the problem alone in the user turn, so that no
    text of the data is put into the prompt.

    Raises:
        InputError: a picture cannot be sent.
    """
    where = f"problem {problem.id}: picture"
    pictures = [
        _picture(image, config.max_pixels, f"{where} {number}")
        for number, image in enumerate(problem.images, 1)
    ]
    messages = (
        ChatMessage("system", (instructions(),)),
        ChatMessage("user", (*pictures, problem_text(problem))),
    )
    return [
        ChatRequest(
            messages=messages,
            purpose="collect",
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            seed=sample_seed(config.seed, index),
            sample_index=index,
        )
        for index in range(config.samples)
    ]


def _picture(image: ProblemImage, max_pixels: int, where: str) -> ChatImage:
    try:
        return _encoded(image, max_pixels)
    except InputError:  # once more, for the message that says where
        return ChatImage(*encode_for_model(image, max_pixels, where))


@lru_cache(PICTURES_KEPT)
def _encoded(image: ProblemImage, max_pixels: int) -> ChatImage:
    return ChatImage(*encode_for_model(image, max_pixels))
