"""One request, sent until it is answered or given up: the only place that retries.

    request ─▶ within the budget? ─▶ its turn? ─▶ client ─▶ of the right form? ─▶ outcome
                   budget.py         pacing.py                  ╰─ no: again, up to a limit

Faults of the transport (429, 5xx, timeouts, broken connections) and faults of the content (an
answer that is malformed or cut) are counted apart, since they have different causes and remedies.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from ..schemas.config import Execution
from ..schemas.errors import BadRequest, Malformed, ModelError, RateLimited, Refused, Truncated
from ..schemas.manifest import Usage
from .budget import Budget
from .chat import ChatClient, ChatMessage, ChatRequest, ChatResponse
from .health import ServiceHealth
from .pacing import LONGEST_RETRY_AFTER_S, Pacing
from .tokens import estimated_tokens_in

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
MOST_SHOWN_OF_AN_ANSWER = 2_000
NOTHING_USED = Usage()

Sleep = Callable[[float], Awaitable[None]]


class Outcome(NamedTuple):
    """What became of one request.

    Attributes:
        response: the answer to keep: one that has the form asked for, or a refusal.
        parsed: its content, where a form was asked for.
        error: why there is no usable answer; a `Refused` comes with its response.
        attempts: how often the request was sent; 0 when the store had its answer.
    """

    response: ChatResponse | None
    parsed: BaseModel | None
    error: ModelError | None
    attempts: int
    is_stored: bool = False


class Sender:
    """Sends requests through a client, each as often as it takes and is allowed.

    Args:
        on_waste: told at once what each answer took that has not the form asked for: whatever ends
            the run before the next one comes, it is paid for.
        sleep: waits the given number of seconds.

    Attributes:
        retries: why requests were sent again -> how often.
        awaiting: the tasks whose request is with the service at this moment.
        asleep: how many requests wait before they are sent again.
    """

    def __init__(
        self,
        client: ChatClient,
        execution: Execution,
        pacing: Pacing,
        budget: Budget,
        health: ServiceHealth,
        on_waste: Callable[[Usage], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.retries: Counter[str] = Counter()
        self.asleep = 0
        self.awaiting: set[asyncio.Task[object] | None] = set()
        self._client = client
        self._execution = execution
        self._pacing = pacing
        self._budget = budget
        self._health = health
        self._on_waste = on_waste
        self._sleep = sleep

    async def send(self, request: ChatRequest) -> Outcome:
        """What became of the request, after its retries.

        Raises:
            BudgetSpent: it might break the run's budget.
            ServiceDown: the service rejects the key, or has not answered anything for long.
            RunStopped: what a useless answer took cannot be noted.
        """
        transport_retries = self._execution.max_retries
        content_retries = self._execution.max_content_retries
        content_error: ModelError | None = None
        attempts = 0
        asked = request
        while True:
            attempts += 1
            response: ChatResponse | None = None
            try:
                response = await self._attempt(asked, is_retry=attempts > 1)
                parsed = read_answer(response, request.response_model)
                return Outcome(response, parsed, None, attempts)
            except Refused as error:
                return Outcome(response, None, error, attempts)
            except (Malformed, Truncated) as error:
                if response is not None:
                    self._on_waste(response.usage)
                if content_retries == 0:
                    return Outcome(None, None, error, attempts)
                content_retries -= 1
                content_error = error
                asked = asked_again(asked, request, response, error)
                self._note_retry(error, 0.0)
            except BadRequest as error:
                # A larger token limit may be more than the model takes: the cut is the real cause.
                return Outcome(None, None, content_error or error, attempts)
            except ModelError as error:
                pause_s = _pause_s(error, self._execution.max_retries - transport_retries)
                can_wait = error.is_transient and pause_s <= LONGEST_RETRY_AFTER_S
                if transport_retries == 0 or not can_wait:
                    return Outcome(None, None, error, attempts)
                transport_retries -= 1
                self._note_retry(error, pause_s)
                await self._rest(pause_s)

    async def _attempt(self, request: ChatRequest, is_retry: bool) -> ChatResponse:
        """The answer to the request, sent once, when the pace and the budget allow it."""
        tokens = 0
        if self._execution.tpm is not None:
            tokens = estimated_tokens_in(request) + request.max_tokens
        usage = NOTHING_USED
        reservation = await self._budget.reserve(request)
        try:
            turn = await self._pacing.turn(tokens, is_retry=is_retry)
            try:
                response = await self._answer(request)
            except ModelError as error:
                turn.failed(error)
                self._health.note(error)
                raise
            except BaseException:
                turn.withdrawn()
                raise
            usage = response.usage
        finally:
            reservation.settle(usage)
        turn.answered(usage.tokens_in + usage.tokens_out)
        self._health.note(None)
        return response

    async def _answer(self, request: ChatRequest) -> ChatResponse:
        task = asyncio.current_task()
        self.awaiting.add(task)
        try:
            return await self._client.complete(request)
        finally:
            self.awaiting.discard(task)

    def _note_retry(self, error: ModelError, pause_s: float) -> None:
        self.retries[error.code] += 1
        log.info("%s; sent again after %.1f s", error, pause_s)

    async def _rest(self, pause_s: float) -> None:
        self.asleep += 1
        try:
            await self._sleep(pause_s)
        finally:
            self.asleep -= 1


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
        raise Malformed(
            f"the answer is no {model.__name__}: {_fault(error)} in {response.text[:80]!r}"
        ) from error


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "the whole"
    return f"{where}: {first['msg']}"


def _without_fence(text: str) -> str:
    """The text inside a Markdown code fence: what servers write that enforce no schema."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        return text.removesuffix("```").partition("\n")[2]
    return text


def asked_again(
    asked: ChatRequest, first: ChatRequest, response: ChatResponse | None, error: ModelError
) -> ChatRequest:
    """The request, changed so that its next answer can differ from the last.

    Args:
        asked: the request as it was last sent.
        first: the same as it was first sent.
        response: the answer that cannot be used.
        error: why it cannot.
    """
    seed = None if asked.seed is None else asked.seed + 1
    if isinstance(error, Truncated):
        return replace(asked, seed=seed, max_tokens=2 * asked.max_tokens)
    if response is None or not response.text.strip():
        return replace(asked, seed=seed)
    fault = _fault(error.__cause__) if isinstance(error.__cause__, ValidationError) else str(error)
    hint = (
        ChatMessage("assistant", (response.text[:MOST_SHOWN_OF_AN_ANSWER],)),
        ChatMessage("user", (f"That is not the form asked for ({fault}). Answer again, in JSON.",)),
    )
    return replace(asked, seed=seed, messages=first.messages + hint)


def _pause_s(error: ModelError, retries: int) -> float:
    """Exponential backoff with full jitter, on top of the pause that the service asked for."""
    asked_for_s = error.retry_after_s if isinstance(error, RateLimited) else None
    backoff_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**retries)
    if asked_for_s is not None:
        return asked_for_s + random.uniform(0, min(1.0, backoff_s))
    return random.uniform(0, backoff_s)
