"""What the policy is asked about one problem, condition by condition.

    a      the pictures and the question
    b      the same, with the problem's own annotations as facts
    s      the same, with the annotations of another problem: a hint that is none
    blind  no picture, and the options in another order for each sample

The facts of `b` are those that the reward asks for: neither the answer itself nor what the question
states. The prompt is `schemas/policy_prompt.py`'s, under which the policy is trained and evaluated.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from ...answers.choices import choose, read_options
from ...answers.text import plain
from ...images import encode_for_model
from ...llm.chat import ChatImage, ChatMessage, ChatRequest, Purpose
from ...llm.seeds import sample_seed
from ...schemas.config import PolicyConfig
from ...schemas.policy_prompt import policy_prompt
from ...schemas.records import AnnotatedProblem, Condition, Problem

# "All of the above" and "both A and B" mean something else in another order.
_NAMES_OTHERS = re.compile(r"\b(?:above|below)\b|\b[A-Z]\s*(?:and|or|&|,)\s*[A-Z]\b")


class Shown(NamedTuple):
    """A problem's options in the order in which they are shown, and its answer in that order."""

    choices: Sequence[str] | None
    answer: str


class Rollout(NamedTuple):
    """One completion to ask for, and what it is graded by."""

    condition: Condition
    request: ChatRequest
    shown: Shown


class Wanted(NamedTuple):
    """Rollouts of one problem.

    Attributes:
        purpose: `select` for those that choose problems, `confirm` for fresh ones, `control` for
            those under `s`.
        indices: of the samples.
        facts: that the policy is told.
    """

    purpose: Purpose
    indices: range
    facts: Sequence[str] = ()


def prompt_hashes() -> dict[str, str]:
    """Name of the policy's prompt -> sha256 of what it makes of an example."""
    prompt = policy_prompt("question", ["option"], ["fact"])
    return {"policy_prompt": hashlib.sha256(prompt.encode()).hexdigest()}


def rollouts(
    problem: AnnotatedProblem,
    wanted: Mapping[Condition, Wanted],
    policy: PolicyConfig,
    seed: int,
) -> Iterator[Rollout]:
    """The rollouts wanted of a problem; all show the same pictures, encoded once.

    Args:
        problem: with its pictures.
        wanted: what is to be asked under which condition.
        policy: how it is sampled.
        seed: of the run; each sample has a seed of its own, made from this.

    Raises:
        InputError: a picture cannot be sent.
    """
    pictures = tuple(
        ChatImage(*encode_for_model(image, policy.max_pixels, f"problem {problem.id}: picture {n}"))
        for n, image in enumerate(problem.images, 1)
    )
    as_it_is = Shown(problem.choices, problem.answer)
    for condition, (purpose, indices, facts) in wanted.items():
        told = ChatMessage(
            "user", (*pictures, policy_prompt(problem.question, problem.choices, facts))
        )
        for index in indices:
            shown, message = as_it_is, told
            if condition == "blind":
                shown = shuffled(problem, sample_seed(seed, "options", problem.id, index))
                message = ChatMessage("user", (policy_prompt(problem.question, shown.choices),))
            request = ChatRequest(
                messages=(message,),
                purpose=purpose,
                max_tokens=policy.max_tokens,
                temperature=policy.temperature,
                seed=sample_seed(seed, purpose, condition, problem.id, index),
                sample_index=index,
            )
            yield Rollout(condition, request, shown)


def shuffled(problem: Problem, seed: int) -> Shown:
    """The problem with its options in a random order, and its answer as it reads in that order.

    Options keep their order where it cannot be changed: those that stand in the question or in the
    picture, and those that name each other.

    Example:
        >>> problem = Problem(id="p", question="How long?", choices=["3", "4", "5"], answer="C")
        >>> shuffled(problem, seed=1)
        Shown(choices=['4', '5', '3'], answer='B')
    """
    options = read_options(problem.choices)
    if options is None or not all(options.texts) or len(options.texts) > len(ascii_uppercase):
        return Shown(problem.choices, problem.answer)
    if any(_NAMES_OTHERS.search(text) for text in options.texts):
        return Shown(problem.choices, problem.answer)
    order = list(range(len(options.texts)))
    random.Random(seed).shuffle(order)
    right, kind = choose(plain(problem.answer), options)
    answer = problem.answer
    if kind == "set" or len(right) == 1:
        answer = ", ".join(ascii_uppercase[order.index(old)] for old in sorted(right))
    return Shown([options.texts[old] for old in order], answer)
