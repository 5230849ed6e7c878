"""Many requests to one model: sent side by side, each answer stored before anybody uses it.

    with ResponseStore(path) as store:
        engine = Engine(client, store, execution)
        async with aclosing(engine.run(requests)) as results:
            async for result in results:
                ...

`requests` may be a generator over millions of rows: no more than `execution.concurrency` of them
are drawn and not yet handed back. Results come in the order in which they end; `index` says which
request they belong to. What the store holds is not sent again, so a killed run goes on where it
was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from pydantic import BaseModel

from ..schemas.config import Execution
from ..schemas.errors import BadRequest, Malformed, ModelError, Refused, Truncated
from ..schemas.manifest import Usage
from .chat import ChatClient, ChatRequest, ChatResponse
from .health import ServiceHealth
from .sending import Outcome, Sender, Sleep, read_answer
from .store import ResponseStore, request_key


@dataclass(frozen=True)
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


class EngineProgress(NamedTuple):
    """How far an engine has come.

    Attributes:
        done: requests that ended, the failed ones and those from the store included.
        failed: of those, the ones without a usable answer.
        in_flight: requests that are being sent, or wait to be sent again.
        from_store: of those done, the ones that the store answered.
        usage: what the answers paid for have consumed.
    """

    done: int
    failed: int
    in_flight: int
    from_store: int
    usage: Usage


class Engine:
    """Sends requests through a client and keeps the answers in a store.

    It owns neither: who opened them closes them. One engine serves any number of `run`s, at once or
    one after the other, in one event loop.

    Args:
        sleep: waits the given number of seconds between two attempts.

    Attributes:
        usage: what the answers so far have consumed; those read from the store count nothing.
    """

    def __init__(
        self,
        client: ChatClient,
        store: ResponseStore,
        execution: Execution,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.usage = Usage()
        self._client = client
        self._store = store
        self._concurrency = execution.concurrency
        self._sender = Sender(client, execution, sleep)
        self._health = ServiceHealth()
        self._being_asked: dict[str, asyncio.Event] = {}
        self._done = self._failed = self._from_store = 0

    def progress(self) -> EngineProgress:
        """How far the engine has come."""
        in_flight = len(self._being_asked)
        return EngineProgress(self._done, self._failed, in_flight, self._from_store, self.usage)

    async def run(self, requests: Iterable[ChatRequest]) -> AsyncGenerator[Result, None]:
        """Each request's result, as it ends.

        Leaving the loop early needs `contextlib.aclosing`, as with every asynchronous generator:
        it cancels what is in flight. Answers that have arrived are in the store by then.

        Raises:
            ServiceDown: the service rejects the key, or failed request after request; the same
                command goes on where it stopped.
            RunStopped: an answer cannot be stored.
        """
        drawn = enumerate(requests)
        ended: asyncio.Queue[asyncio.Task[Result]] = asyncio.Queue()
        under_way: set[asyncio.Task[Result]] = set()
        try:
            while True:
                for index, request in islice(drawn, self._concurrency - len(under_way)):
                    task = asyncio.create_task(self._result(index, request))
                    task.add_done_callback(ended.put_nowait)
                    under_way.add(task)
                if not under_way:
                    break
                task = await ended.get()
                under_way.remove(task)
                yield task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        self._health.check_at_end(self._store)

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
                self._store.put(key, request.purpose, outcome.response)
        finally:
            self._being_asked.pop(key).set()
        self.usage += outcome.usage
        self._health.note(outcome, self._store)
        return outcome
