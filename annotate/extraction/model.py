"""Asking a language model for the visual facts of a trajectory.

Any chat model will do: it sees the trajectory in plain spelling and a few examples, and answers in
a fixed form. What it claims is checked afterwards, word by word. It does not see the question: a
small model then lists what the question says, which the trajectory need not.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, Field

from ...llm.chat import ChatMessage, ChatRequest
from ...notation import PlainText
from ...schemas.records import AnnotationKind
from .. import prompts
from .proposal import Proposal

MAX_TOKENS = 1500
MOST_FACTS = 40


class ProposedFact(BaseModel):
    """One fact as the model writes it; the quote first, so that the statement follows the words."""

    quote: str
    statement: str
    kind: AnnotationKind


class ProposedFacts(BaseModel):
    """The form of the model's answer."""

    facts: list[ProposedFact] = Field(max_length=MOST_FACTS)


@cache
def prompt_hashes() -> dict[str, str]:
    """Name of each prompt file -> its sha256."""
    return {
        name: hashlib.sha256(_read(name).encode()).hexdigest()
        for name in ("extract.txt", "extract_examples.yaml")
    }


def prompt_hash() -> str:
    """One sha256 for the instructions and the examples together."""
    return hashlib.sha256("".join(prompt_hashes().values()).encode()).hexdigest()


def extraction_request(text: PlainText, seed: int) -> ChatRequest:
    """The request for the visual facts of a trajectory in plain spelling."""
    return ChatRequest(
        messages=(*_instructions(), _question(text.text)),
        purpose="extract",
        max_tokens=MAX_TOKENS,
        seed=seed,
        response_model=ProposedFacts,
    )


def proposals_of(answer: ProposedFacts, extractor: str) -> list[Proposal]:
    """What the model proposed."""
    return [
        Proposal(fact.statement, fact.kind, fact.quote, extractor, prompt_hash())
        for fact in answer.facts
    ]


@cache
def _instructions() -> tuple[ChatMessage, ...]:
    """The part that is the same for every trajectory, so that a server computes it once."""
    turns = [ChatMessage("system", (_read("extract.txt").strip(),))]
    for example in yaml.safe_load(_read("extract_examples.yaml")):
        answer = json.dumps({"facts": example["facts"]}, ensure_ascii=False, separators=(",", ":"))
        turns.append(_question(example["text"]))
        turns.append(ChatMessage("assistant", (answer,)))
    return tuple(turns)


def _question(text: str) -> ChatMessage:
    # Data goes into a JSON string: no text can close its own quotation and speak as the prompt. Nor
    # can it end its turn: servers read `<|im_end|>` in a text as the token of that name.
    quoted = json.dumps({"text": text}, ensure_ascii=False).replace("<|", "\\u003c|")
    return ChatMessage("user", (quoted,))


def _read(name: str) -> str:
    return resources.files(prompts).joinpath(name).read_text(encoding="utf-8")
