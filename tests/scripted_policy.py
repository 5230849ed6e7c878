"""A policy whose answers depend on the problem, on what it is told, and on the sample's seed.

    fake_server.answer = Policy({1: Rates(a=0.1, b=0.9)})

It knows the problems of `annotated_sets.told` by their questions, and the conditions by what the
request holds: a picture, and whose facts.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fake_server import Body, Reply, asked_text

from pr1.schemas.policy_prompt import FACTS


@dataclass(frozen=True)
class Rates:
    """How often the policy solves a problem under each condition."""

    a: float = 0.0
    b: float = 0.0
    s: float = 0.0
    blind: float = 0.0


PERCEPTION = Rates(b=1)
MASTERED = Rates(a=1, b=1, s=1)
REASONING = Rates()
HURT = Rates(a=1)
HINT = Rates(b=1, s=1)
BLIND = Rates(a=1, b=1, s=1, blind=1)
UNSURE = Rates(a=0.5, b=0.5, s=0.5)


@dataclass
class Policy:
    """Answers requests; the answer to problem `number` is its number.

    Attributes:
        asked: (problem, condition) -> requests so far.
        special: (problem, condition) -> what is replied in place of an answer.
    """

    rates: dict[int, Rates]
    asked: Counter[tuple[int, str]] = field(default_factory=Counter)
    special: dict[tuple[int, str], str | Reply] = field(default_factory=dict)

    def __call__(self, body: Body) -> str | Reply:
        number, condition = read(body)
        self.asked[number, condition] += 1
        if (reply := self.special.get((number, condition))) is not None:
            return reply
        rate = getattr(self.rates[number], condition)
        return answer(number if random.Random(body["seed"]).random() < rate else number + 1)

    def of_condition(self, condition: str) -> dict[int, int]:
        """Problem -> requests under the condition."""
        return {number: n for (number, name), n in self.asked.items() if name == condition}


def read(body: Body) -> tuple[int, str]:
    """Which problem a request is about, under which condition."""
    text = asked_text(body)
    match = re.search(r"with the name (\d+)\?", text)
    assert match is not None
    number = int(match[1])
    if not pictures(body):
        return number, "blind"
    if FACTS not in text:
        return number, "a"
    return number, "b" if f"- A{number} = " in text else "s"


def pictures(body: Body) -> list[str]:
    """The pictures that a request shows, as data URLs."""
    parts: list[Any] = [
        part
        for message in body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def answer(value: object) -> str:
    """A completion in the format asked for."""
    return f"<think>\nI look.\n</think>\n<answer>\n\\boxed{{{value}}}\n</answer>"
