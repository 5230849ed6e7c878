"""One request, sent until it is answered or given up: the only place that retries.

Faults of the transport (429, 5xx, timeouts, broken connections) and faults of the content (an
answer that is malformed or cut) are counted apart, since they have different causes and remedies.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ValidationError

from ..schemas.config import Execution
from ..schemas.errors import BadRequest, Malformed, ModelError, RateLimited, Refused, Truncated
from ..schemas.manifest import Usage
from .chat import ChatClient, ChatRequest, ChatResponse

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_RETRY_AFTER_S = 600.0

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    Attributes:
        response: the answer to keep: one that has the form asked for, or a refusal.
        parsed: its content, where a form was asked for.
        error: why there is no usable answer; a `Refused` comes with its response.
        attempts: how often the request was sent; 0 when the store had its answer.
        usage: of all attempts.
    """

    response: ChatResponse | None
    parsed: BaseModel | None
    error: ModelError | None
    attempts: int
    usage: Usage = field(default_factory=Usage)
    is_stored: bool = False


class Sender:
    """Sends requests through a client, each as often as it takes and is allowed.

    Args:
        sleep: waits the given number of seconds.
    """

    def __init__(
        self, client: ChatClient, execution: Execution, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._client = client
        self._execution = execution
        self._sleep = sleep

    async def send(self, request: ChatRequest) -> Outcome:
        """What became of the request, after its retries."""
        transport_retries = self._execution.max_retries
        content_retries = self._execution.max_content_retries
        content_error: ModelError | None = None
        usage, attempts = Usage(), 0
        asked = request
        while True:
            attempts += 1
            response: ChatResponse | None = None
            try:
                response = await self._client.complete(asked)
                usage += _usage_of(response)
                parsed = read_answer(response, request.response_model)
                return Outcome(response, parsed, None, attempts, usage)
            except Refused as error:
                return Outcome(response, None, error, attempts, usage)
            except (Malformed, Truncated) as error:
                if content_retries == 0:
                    return Outcome(None, None, error, attempts, usage)
                content_retries -= 1
                content_error = error
                asked = _asked_again(asked, error)
            except BadRequest as error:
                # A larger token limit may be more than the model takes: the cut is the real cause.
                return Outcome(None, None, content_error or error, attempts, usage)
            except ModelError as error:
                pause_s = _pause_s(error, self._execution.max_retries - transport_retries)
                can_wait = error.is_transient and pause_s <= LONGEST_RETRY_AFTER_S
                if transport_retries == 0 or not can_wait:
                    return Outcome(None, None, error, attempts, usage)
                transport_retries -= 1
                await self._sleep(pause_s)


def read_answer(response: ChatResponse, model: type[BaseModel] | None) -> BaseModel | None:
    """The content of an answer that was asked for as JSON; None for one in free text.

    A free text that the token limit cut is an answer as well; its `finish` says so.

    Raises:
        Refused: the model declined.
        Truncated: the token limit cut the JSON.
        Malformed: it does not have the form.
    """
    if response.refusal is not None:
        raise Refused(f"the model declined: {response.refusal[:300]}")
    if model is None:
        return None
    if response.finish == "length":
        raise Truncated(
            f"the answer was cut at {response.tokens_out} tokens, before its JSON was complete"
        )
    try:
        return model.model_validate_json(_without_fence(response.text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise Malformed(
            f"the answer is no {model.__name__}: {where}: {first['msg']} in {response.text[:80]!r}"
        ) from error


def _without_fence(text: str) -> str:
    """The text inside a Markdown code fence: what servers write that enforce no schema."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        return text.removesuffix("```").partition("\n")[2]
    return text


def _asked_again(request: ChatRequest, error: ModelError) -> ChatRequest:
    """The request, changed so that its next answer can differ from the last."""
    seed = None if request.seed is None else request.seed + 1
    longer = 2 if isinstance(error, Truncated) else 1
    return replace(request, seed=seed, max_tokens=longer * request.max_tokens)


def _pause_s(error: ModelError, retries: int) -> float:
    """Exponential backoff with full jitter, on top of the pause that the service asked for."""
    asked_for_s = error.retry_after_s if isinstance(error, RateLimited) else None
    backoff_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**retries)
    if asked_for_s is not None:
        return asked_for_s + random.uniform(0, min(1.0, backoff_s))
    return random.uniform(0, backoff_s)


def _usage_of(response: ChatResponse) -> Usage:
    return Usage(
        tokens_in=response.tokens_in,
        tokens_cached=response.tokens_cached,
        tokens_out=response.tokens_out,
        requests=1,
    )
