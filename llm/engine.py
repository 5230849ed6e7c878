"""Many requests to one model: sent side by side, each answer stored before anybody uses it.

    with ResponseStore(path) as store:
        engine = Engine(client, store, execution)
        async with aclosing(engine.run(requests)) as results:
            async for result in results:
                ...

`requests` may be a generator over millions of rows: no more than `execution.concurrency` of them
are drawn and not yet handed back, besides those that wait to be sent again. Results come in the
order in which they end; `index` says which request they belong to. What the store holds is not sent
again, so a killed run goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel

from ..schemas.config import Execution
from ..schemas.errors import BadRequest, Malformed, ModelError, Refused, ServiceDown, Truncated
from ..schemas.manifest import Usage
from ..schemas.progress import Traffic
from .budget import Budget
from .chat import ChatClient, ChatRequest, ChatResponse
from .health import ServiceHealth
from .pacing import Pacing
from .prices import Price
from .sending import Outcome, Sender, Sleep, read_answer
from .store import ResponseStore, request_key

SAVE_EVERY_S = 0.008
"""A longer pause makes transactions fewer and the span of a run longer."""

GRACE_S = 8.0
"""How long answers on their way are waited for when a run ends early."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request.

    Attributes:
        index: the request's place in the iterable, from 0.
        response: the answer; None when there is an error other than a refusal.
        parsed: the answer as an instance of the request's `response_model`; None without one.
        error: why there is no usable answer, or None.
        attempts: how often the request was sent; 0 when the answer was read from the store.
    """

    index: int
    request: ChatRequest
    response: ChatResponse | None
    parsed: BaseModel | None
    error: ModelError | None
    attempts: int
    from_store: bool


class Engine:
    """Sends requests through a client and keeps the answers in a store.

    It owns neither: who opened them closes them. One engine serves any number of `run`s, at once or
    one after the other, in one event loop.

    Args:
        sleep: waits the given number of seconds between two attempts.

    Attributes:
        usage: what the answers so far have consumed; those read from the store count nothing.

    Raises:
        UsageError: a budget in dollars is set and the model's price is unknown.
    """

    def __init__(
        self,
        client: ChatClient,
        store: ResponseStore,
        execution: Execution,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._concurrency = execution.concurrency
        self._price = Price.of(client.identity, execution.prices)
        self._pacing = Pacing(execution)
        self._health = ServiceHealth(execution, self._pacing, store)
        budget = Budget(execution, self._price, store.spent())
        self._sender = Sender(
            client, execution, self._pacing, budget, self._health, self._note_waste, sleep
        )
        self._being_asked: dict[str, asyncio.Event] = {}
        self.usage = Usage()
        self._saved_at = 0.0
        self._done = self._failed = self._from_store = 0

    def traffic(self) -> Traffic:
        """What goes on between the engine and the model; call it in its event loop."""
        return Traffic(
            done=self._done,
            failed=self._failed,
            from_store=self._from_store,
            in_flight=self._pacing.in_flight,
            limit=self._pacing.limit,
            pause_s=self._pacing.pause_s,
            refusals=self._pacing.refusals,
            retries=self._sender.retries,
            usage=self.usage,
        )

    async def run(self, requests: Iterable[ChatRequest]) -> AsyncGenerator[Result, None]:
        """Each request's result, as it ends.

        Leaving the loop early, by a break, an error or a cancellation, needs
        `contextlib.aclosing`, as with every asynchronous generator. Answers on their way are then
        waited for and stored, for at most `GRACE_S`; nothing more is sent.

        Raises:
            ServiceDown: the service rejects the key, or failed request after request; the same
                command goes on where it stopped.
            BudgetSpent: the next request might break the budget.
            RunStopped: an answer cannot be stored.
        """
        drawn = enumerate(requests)
        ended: asyncio.Queue[asyncio.Task[Result]] = asyncio.Queue()
        under_way: set[asyncio.Task[Result]] = set()
        grace_s = GRACE_S
        try:
            while True:
                places = max(0, self._places() - len(under_way))
                for index, request in islice(drawn, places):
                    task = asyncio.create_task(self._result(index, request))
                    task.add_done_callback(ended.put_nowait)
                    under_way.add(task)
                    if places > 1:  # drawing may take long: what was drawn is sent meanwhile
                        await asyncio.sleep(0)
                if not under_way:
                    break
                task = await ended.get()
                under_way.remove(task)
                await self._save()
                yield task.result()
        except ServiceDown:
            grace_s = 0.0
            raise
        finally:
            await self._end(under_way, grace_s)
            self._store.save()
        self._health.check_at_end()

    async def _save(self) -> None:
        """Stores all answers that came since the last time, in one transaction.

        Not more often than `SAVE_EVERY_S`: a transaction costs as much as a few answers.
        """
        if not self._store.has_unsaved:
            return
        now = asyncio.get_running_loop().time()
        if now < self._saved_at + SAVE_EVERY_S:
            await asyncio.sleep(self._saved_at + SAVE_EVERY_S - now)
        self._store.save()
        self._saved_at = asyncio.get_running_loop().time()

    def _places(self) -> int:
        """How many requests may be drawn and not yet handed back.

        Those that wait before they are sent again leave their places to others, within bounds: else
        a service that turns away a few would be left idle by all.
        """
        return self._concurrency + min(self._sender.asleep, 3 * self._concurrency)

    async def _end(self, under_way: set[asyncio.Task[Result]], grace_s: float) -> None:
        """Waits for the answers on their way, and cancels what only waits to be sent."""
        give_up = time.monotonic() + grace_s
        pending = under_way
        while pending and time.monotonic() < give_up:
            for task in pending - self._sender.awaiting:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.1)
        for task in pending:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _result(self, index: int, request: ChatRequest) -> Result:
        outcome = await self._outcome(request)
        self._done += 1
        self._failed += outcome.error is not None
        self._from_store += outcome.is_stored
        return Result(
            index=index,
            request=request,
            response=outcome.response,
            parsed=outcome.parsed,
            error=outcome.error,
            attempts=outcome.attempts,
            from_store=outcome.is_stored,
        )

    async def _outcome(self, request: ChatRequest) -> Outcome:
        try:
            key = request_key(self._client.identity, request)
        except BadRequest as error:
            return Outcome(None, None, error, attempts=0)
        while (asked_elsewhere := self._being_asked.get(key)) is not None:
            await asked_elsewhere.wait()
        return self._stored(key, request) or await self._ask(key, request)

    def _stored(self, key: str, request: ChatRequest) -> Outcome | None:
        """The stored answer's outcome; None when there is none, or none that is valid any more."""
        response = self._store.get(key)
        if response is None:
            return None
        try:
            parsed = read_answer(response, request.response_model)
        except Refused as error:
            return Outcome(response, None, error, attempts=0, is_stored=True)
        except (Malformed, Truncated):  # the form's own checks have become stricter: ask again
            return None
        return Outcome(response, parsed, None, attempts=0, is_stored=True)

    async def _ask(self, key: str, request: ChatRequest) -> Outcome:
        self._being_asked[key] = asyncio.Event()
        try:
            outcome = await self._sender.send(request)
            if outcome.response is not None:
                usage = self._priced(outcome.response.usage)
                self._store.add(key, request.purpose, outcome.response, usage)
                self.usage += usage
        finally:
            self._being_asked.pop(key).set()
        return outcome

    def _note_waste(self, usage: Usage) -> None:
        usage = self._priced(usage)
        self.usage += usage
        self._store.spend(usage)

    def _priced(self, usage: Usage) -> Usage:
        if self._price is None:
            return usage
        return usage.model_copy(update={"cost_usd": self._price.cost_usd(usage)})
