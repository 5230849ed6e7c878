"""The requests of a source, drawn one by one into chunks: those that need an answer, each once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from ...schemas.errors import BadRequest, ModelError, ServiceDown, Unauthorised
from ...schemas.manifest import Usage
from ..budget import Amount
from ..chat import ChatRequest
from ..store import ResponseStore, request_key
from .allowance import Allowance
from .chunks import ChunkWriter
from .ledger import Ledger
from .service import BatchService
from .taking import Taking, as_sent_again

TRIALS = 3
"""Requests that the service may reject online before the run stops."""

YIELD_EVERY = 100

log = logging.getLogger(__name__)

Requests = Callable[[], Iterable[ChatRequest]]


class Drawing:
    """Draws from a source, any number of times; what is answered or under way is left out.

    The first request is sent online, at the full price: it shows within seconds that the key, the
    model's name and the form of the answer are right and which parameters the model takes, where a
    batch would say so after hours, of every request.

    Attributes:
        is_complete: the last draw reached the source's end; it stops where the budget allows no
            further request, until something has ended.
    """

    def __init__(
        self,
        service: BatchService,
        store: ResponseStore,
        ledger: Ledger,
        taking: Taking,
        allowance: Allowance,
        folder: Path,
    ) -> None:
        self.taking = taking
        self.is_complete = True
        self._service = service
        self._store = store
        self._ledger = ledger
        self._allowance = allowance
        self._folder = folder
        self._limits = service.limits
        self._trials_left = TRIALS

    def is_overdrawn(self) -> bool:
        """Whether what is under way may break the budget: answers were dearer than estimated."""
        room = self._room()
        return room.cost_usd < 0 or room.tokens < 0

    def make_smaller(self, requests: int) -> None:
        """From now on, half of so many requests are the most of a chunk."""
        self._limits = self._limits._replace(requests=max(1, requests // 2))

    async def draw(self, requests: Iterable[ChatRequest]) -> set[int]:
        """The numbers of the chunks that the requests are in, now or since an earlier draw.

        Raises:
            BudgetSpent: the budget allows no further request, and none is under way.
            ServiceDown: the service rejects the first requests.
        """
        room = self._room()
        self.is_complete = True
        with ChunkWriter(self._folder, self._ledger, self._limits) as writer:
            awaited: set[int] = set()
            for number, request in enumerate(requests):
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)  # lets a Ctrl-C through
                try:
                    key = request_key(self._service.client.identity, request)
                except BadRequest:
                    continue  # the ordinary pass tells it
                form = self.taking.form_of(request)
                entry = self._ledger.entry(key)
                if entry is not None and entry.state == "sent":
                    awaited.add(entry.chunk or 0)
                if entry is not None and entry.state != "again":
                    continue
                if self.taking.holds(key, form):
                    continue
                if entry is not None:
                    request = as_sent_again(request, entry)
                most = self._allowance.most(request)
                is_trial = self._trials_left and self._allowance.fits(most, room, is_batch=False)
                if is_trial and await self._is_answered_online(key, form, request):
                    room = self._room()
                    continue
                if not self._allowance.fits(writer.usage_with(most), room):
                    self.is_complete = False
                    break
                self._write(writer, key, form, request, most)
            writer.end_chunk()
        awaited |= set(writer.numbers)
        if not self.is_complete and not awaited:
            raise self._allowance.spent_error(room)
        return awaited

    def _write(
        self, writer: ChunkWriter, key: str, form: str | None, request: ChatRequest, most: Usage
    ) -> None:
        line = self._service.line(key, request)
        if len(line) <= self._limits.bytes:
            writer.add(line, key, request.purpose, form, most)
            return
        message = f"the request takes {len(line):,} bytes, and a batch {self._limits.bytes:,}"
        self._ledger.fail(key, request.purpose, BadRequest.code, f"{message}. Scale its pictures.")

    async def _is_answered_online(self, key: str, form: str | None, request: ChatRequest) -> bool:
        """Whether the trial gave an answer that can be used."""
        try:
            response = await self._service.client.complete(request)
        except Unauthorised as error:
            raise ServiceDown(f"{str(error).rstrip('.')}. No batch was made.") from error
        except BadRequest as error:
            self._trials_left -= 1
            if self._trials_left == 0:
                message = f"{str(error).rstrip('.')}. So the first {TRIALS} requests ended, and "
                raise ServiceDown(message + "no batch was made.") from error
            return False
        except ModelError as error:
            log.warning("the trial request came to nothing (%s)", error)
            self._trials_left = 0
            return False
        self._trials_left = 0
        self._allowance.learn(request, response)
        kept = self.taking.keep(key, request.purpose, form, response, is_batch=False)
        return kept is None

    def _room(self) -> Amount:
        chunks = self._ledger.chunks("written", "intended", "submitted")
        under_way = sum((chunk.usage for chunk in chunks), Usage())
        return self._allowance.room(self._store.spent(), under_way)
