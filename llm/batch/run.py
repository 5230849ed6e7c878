"""One pass of batches over a source: draw, submit, wait, take, and again what failed.

    service = open_batches(client, execution)
    answers = await answer_in_batches(service, store, requests, execution, folder=folder)
    engine = Engine(answers, store, without_limits(execution))

A killed or interrupted pass leaves its batches to the service; the next one finds them in the
ledger, takes their results and submits nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from ...schemas.config import Execution
from ..chat import ChatClient
from ..prices import Price
from ..sending import Sleep
from ..store import ResponseStore
from .allowance import Allowance
from .chunks import chunk_path, remove_leftovers
from .drawing import YIELD_EVERY, Drawing, Requests
from .failed import FailedRequests
from .ledger import Chunk, Ledger
from .patience import Patience
from .progress import BatchProgress, OnBatchProgress, OneBatch, ignore_batch_progress
from .service import BatchService, BatchState
from .submitting import Submitting
from .taking import Taking

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 300.0
PAUSES_GROW_BY = 1.5

log = logging.getLogger(__name__)


async def answer_in_batches(
    service: BatchService,
    store: ResponseStore,
    requests: Requests,
    execution: Execution,
    *,
    folder: Path,
    on_progress: OnBatchProgress = ignore_batch_progress,
    sleep: Sleep = asyncio.sleep,
    now_s: Callable[[], float] = time.time,
) -> ChatClient:
    """A client that asks nobody, when the store holds every answer that batches can give.

    Give it to the engine for the ordinary pass, which then reads the answers from the store and
    hears of each other request why it has none. Close it.

    Args:
        service: of the provider, as `open_batches` gives it.
        store: where the answers go, with what they cost.
        requests: gives the same requests each time; called once, and again when some are to be
            sent again. Any number of them: they are written to disk as they come.
        execution: its retries, and its budget.
        folder: for the ledger and the requests on their way; best `batches` beside the store.
        on_progress: told after each look at the batches.
        sleep: waits the given number of seconds between two looks at the batches.
        now_s: seconds since 1970.

    Raises:
        RunStopped: the budget is spent, the service is down or rejects what is sent, or a batch
            was cancelled; the same command goes on.
        UsageError: the ledger is damaged, or dollars are limited and the price is unknown.
    """
    identity = service.client.identity
    price = Price.of(identity, execution.prices)
    allowance = Allowance(execution, price)
    ledger = Ledger(folder, identity)
    try:
        taking = Taking(store, ledger, execution, price)
        drawing = Drawing(service, store, ledger, taking, allowance, folder)
        batches = _Batches(service, ledger, drawing, folder, on_progress, sleep, now_s)
        await batches.answer(requests)
    except BaseException:
        ledger.close()
        raise
    return FailedRequests(identity, ledger)


def without_limits(execution: Execution) -> Execution:
    """The execution of the ordinary pass behind `answer_in_batches`, which asks nobody anything."""
    limits = dict.fromkeys(("rpm", "tpm", "max_cost_usd", "max_tokens_total"))
    return execution.model_copy(update={**limits, "max_retries": 0, "max_content_retries": 0})


class _Batches:
    """Takes every request to its end: an answer in the store, or an error in the ledger."""

    def __init__(
        self,
        service: BatchService,
        ledger: Ledger,
        drawing: Drawing,
        folder: Path,
        on_progress: OnBatchProgress,
        sleep: Sleep,
        now_s: Callable[[], float],
    ) -> None:
        self._service = service
        self._ledger = ledger
        self._drawing = drawing
        self._taking = drawing.taking
        self._folder = folder
        self._on_progress = on_progress
        self._sleep = sleep
        self._now_s = now_s
        self._patience = Patience()
        self._submitting = Submitting(service, ledger, drawing, folder, self._patience, now_s)
        self._states: dict[int, BatchState] = {}

    async def answer(self, requests: Requests) -> None:
        """Draws and works off, until nothing is left to be sent."""
        self._ledger.forget_failures()
        for chunk in self._ledger.chunks("written"):
            self._ledger.dissolve(chunk.number)
        remove_leftovers(self._folder, self._ledger.chunks("intended"))
        while True:
            self._submitting.awaited = await self._drawing.draw(requests())
            self._submitting.must_draw = False
            if not self._submitting.awaited:
                return
            await self._work_off()
            if not self._ledger.count("again") and self._drawing.is_complete:
                return

    async def _work_off(self) -> None:
        """Returns when no awaited chunk is left, or some requests must be drawn anew."""
        open_chunks = self._submitting.open_chunks
        pause_s = FIRST_PAUSE_S
        try:
            while open_chunks():
                await self._submitting.submit()
                has_moved = await self._look()
                self._tell()
                if self._taking.stop is not None:
                    raise self._taking.stop
                if open_chunks() or self._submitting.must_draw:
                    await self._sleep(pause_s)
                    pause_s = min(pause_s * PAUSES_GROW_BY, LONGEST_PAUSE_S)
                if has_moved:
                    pause_s = FIRST_PAUSE_S
                if self._submitting.must_draw:
                    return
        except asyncio.CancelledError:
            under_way = len(open_chunks("submitted"))
            log.warning("%d batches go on at the service; the same command takes them", under_way)
            raise

    async def _look(self) -> bool:
        """Ask for each batch under way, and take the results of what has ended; whether any had."""
        has_moved = False
        for chunk in self._submitting.open_chunks("submitted"):
            assert chunk.batch_id is not None
            with self._patience.over(chunk):
                state = await self._service.state(chunk.batch_id)
                self._states[chunk.number] = state
                if state.lacks_room:
                    self._submitting.wait_for_room(chunk, state.problems[0].message)
                elif state.has_ended:
                    self._submitting.note_room()
                    await self._end(chunk, chunk.batch_id, state)
                    has_moved = True
                self._patience.forget(chunk)
        return has_moved

    async def _end(self, chunk: Chunk, batch_id: str, state: BatchState) -> None:
        if state.problems:
            self._taking.reject(chunk, state)
        elif await self._take(batch_id) or not chunk.is_adopted:
            self._taking.end(chunk, state)
        else:
            log.info("batch %s turned out to be somebody else's", batch_id)
            self._submitting.strangers.add(batch_id)
            self._ledger.rewind(chunk.number, "intended")
            return
        chunk_path(self._folder, chunk.name).unlink(missing_ok=True)

    async def _take(self, batch_id: str) -> bool:
        """Take the batch's results; False when there were some and none was ours."""
        ours = others = 0
        async with aclosing(self._service.results(batch_id)) as results:
            async for result in results:
                if self._taking.take(result):
                    ours += 1
                else:
                    others += 1
                if (ours + others) % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        if others and ours:
            log.warning("batch %s: %d results belong to no request of ours", batch_id, others)
        return ours > 0 or others == 0

    def _tell(self) -> None:
        chunks = self._submitting.open_chunks()
        now_s = self._now_s()
        batches = tuple(
            OneBatch(
                batch_id=chunk.batch_id,
                state=state.word,
                requests=chunk.requests,
                completed=state.completed,
                failed=state.failed,
                age_s=max(0.0, now_s - chunk.since_s),
            )
            for chunk in chunks
            if chunk.batch_id is not None and (state := self._states.get(chunk.number)) is not None
        )
        waiting = sum(chunk.requests for chunk in chunks if chunk.batch_id is None)
        taking = self._taking
        self._on_progress(BatchProgress(waiting, taking.answered, taking.failed, batches))
