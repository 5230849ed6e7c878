"""The vocabulary of the LLM room: what is asked of a chat model, what it answers, who answers.

A `ChatClient` sends one request and either returns its answer or raises one `ModelError`. Retrying,
storing, counting and checking the answer's form belong to the engine, so that a client stays small.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, Field

from ..schemas.manifest import Usage
from ..schemas.records import Finish, Record

Purpose = Literal["collect", "extract", "judge", "select", "confirm", "control"]
Role = Literal["system", "user", "assistant"]
TokenCount = Annotated[int, Field(ge=0, lt=2**40)]
"""As a service reports it; bounded, so that millions of them add up to what a database can hold."""


@dataclass(frozen=True)
class ChatImage:
    """An encoded picture on its way to a model."""

    data: bytes
    media_type: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the encoded bytes: what the response store knows the picture by."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def base64(self) -> str:
        """The encoded bytes as text, made once for all requests that show the picture."""
        return b64encode(self.data).decode()


PartBody = Callable[[str | ChatImage], dict[str, Any]]


class ChatMessage(NamedTuple):
    """One turn: texts and pictures in the order in which the model reads them."""

    role: Role
    parts: tuple[str | ChatImage, ...]


def message_body(message: ChatMessage, part_body: PartBody) -> dict[str, Any]:
    """The message as both families of services take it: one text as it is, else a list of parts."""
    if len(message.parts) == 1 and isinstance(message.parts[0], str):
        return {"role": message.role, "content": message.parts[0]}
    return {"role": message.role, "content": [part_body(part) for part in message.parts]}


@dataclass(frozen=True)
class ChatRequest:
    """One question to a chat model.

    Attributes:
        purpose: what the answer is for; answers are never shared between purposes.
        sample_index: 0-based; k samples of one prompt are k requests and k answers.
        max_tokens: limit of the answer's length in tokens.
        temperature: 0..2.
        seed: sent to the servers that take one.
        response_model: the form of the answer, as JSON; None for free text.
        top_logprobs: how many of the likeliest first tokens to report, 0..20.
    """

    messages: tuple[ChatMessage, ...]
    purpose: Purpose
    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None
    sample_index: int = 0
    response_model: type[BaseModel] | None = None
    top_logprobs: int = 0


class ChatResponse(Record):
    """One answer.

    Attributes:
        text: what the model wrote, verbatim.
        finish: `length` when the token limit cut it.
        refusal: why the model declined, in its words or the service's; None when it did not. A
            refusal is an answer: paid for, stored and not asked again.
        tokens_in: prompt tokens, those read from the service's cache included.
        model: the model as the service names it.
        request_id: the service's own id of the request, for its support.
        first_token: the likeliest first tokens with the natural logarithms of their probabilities;
            None where they were not asked for.
    """

    text: str
    finish: Finish
    refusal: str | None = None
    tokens_in: int = Field(default=0, ge=0)
    tokens_cached: int = Field(default=0, ge=0)
    tokens_out: int = Field(default=0, ge=0)
    model: str = ""
    request_id: str | None = None
    first_token: dict[str, float] | None = None

    @cached_property
    def usage(self) -> Usage:
        """What the answer consumed."""
        return Usage(
            tokens_in=self.tokens_in,
            tokens_cached=self.tokens_cached,
            tokens_out=self.tokens_out,
            requests=1,
        )


class ModelIdentity(NamedTuple):
    """Who answers: part of the response store's key.

    Attributes:
        endpoint: the base URL without credentials, or empty for a model in this process.
    """

    provider: str
    endpoint: str
    model: str
    revision: str


class ChatClient(Protocol):
    """Anything that answers chat requests.

    A new provider is one class of about 60 lines, as `OpenAIClient` and `AnthropicClient` show:
    turn the request into the provider's JSON, post it through `JsonEndpoint` (which turns every
    fault into the right `ModelError`), read the answer. It then gets its line in `llm/models.py`.
    It sends each request once and keeps nothing: the engine retries, stores and validates.
    """

    @property
    def identity(self) -> ModelIdentity:
        """Who answers."""
        ...

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The answer.

        Raises:
            ModelError: one of its subclasses; `is_transient` says whether to send it again.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and memory; the client is not used afterwards."""
        ...
