"""Chunks become batches, as room allows: each once, though a run may be killed at any moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from ...schemas.errors import BadRequest, Overloaded, RateLimited, ServiceDown
from .chunks import chunk_path
from .drawing import Drawing
from .ledger import Chunk, ChunkState, Ledger
from .patience import Patience
from .service import BatchService

FEWEST_REQUESTS = 50
"""Batches are not made smaller than this to fit a full queue."""

LONGEST_WAIT_FOR_ROOM_S = 86_400.0

log = logging.getLogger(__name__)


class Submitting:
    """Hands chunks over to the service.

    Args:
        now_s: seconds since 1970.

    Attributes:
        awaited: numbers of the chunks that this run waits for; it touches no others.
        must_draw: requests were taken back, to be drawn into other chunks.
        strangers: batches that were taken for ours and are not.
    """

    def __init__(
        self,
        service: BatchService,
        ledger: Ledger,
        drawing: Drawing,
        folder: Path,
        patience: Patience,
        now_s: Callable[[], float],
    ) -> None:
        self.awaited: set[int] = set()
        self.must_draw = False
        self.strangers: set[str] = set()
        self._service = service
        self._ledger = ledger
        self._drawing = drawing
        self._folder = folder
        self._patience = patience
        self._now_s = now_s
        self._looked_for: set[int] = set()
        self._full_since_s: float | None = None
        self._was_full = False
        self._alone: int | None = None

    def open_chunks(self, *states: ChunkState) -> list[Chunk]:
        """The awaited chunks in these states, or in any."""
        chunks = self._ledger.chunks(*(states or ("written", "intended", "submitted")))
        return [chunk for chunk in chunks if chunk.number in self.awaited]

    async def submit(self) -> None:
        """Hand over what waits, as far as there is room.

        Raises:
            ServiceDown: the service rejects a chunk or the key, or does not answer.
        """
        for chunk in self.open_chunks("intended", "written"):
            with self._patience.over(chunk):
                if chunk.state == "intended" and not await self._is_known_to_be_absent(chunk):
                    continue
                if not self._has_room():
                    break
                await self._make_batch(chunk)
                self._patience.forget(chunk)
                if self._was_full:
                    break  # one at a time: each that finds no room is an upload in vain

    def wait_for_room(self, chunk: Chunk, words: str) -> None:
        """The service's queue is full: try again when a batch of ours has ended, or smaller.

        Raises:
            ServiceDown: nothing of ours is queued, and there was no room for a day.
        """
        self._ledger.rewind(chunk.number, "written")
        if self._full_since_s is None:
            self._full_since_s = self._now_s()
            log.info("the service's queue is full: %s", words)
        self._was_full = True
        if chunk.number != self._alone:
            return
        if self._now_s() - self._full_since_s > LONGEST_WAIT_FOR_ROOM_S:
            raise ServiceDown(f"{words.rstrip('.')}. No room for a day; the same command goes on.")
        if chunk.requests > FEWEST_REQUESTS:
            self._drawing.make_smaller(chunk.requests)
            self._draw_anew()

    def note_room(self) -> None:
        """A batch has ended, and so left the service's queue."""
        self._full_since_s = None

    async def _is_known_to_be_absent(self, chunk: Chunk) -> bool:
        """Whether no batch was made of a chunk whose submission was cut short.

        Looks twice, a pause apart: a batch may show only some seconds after it was made.
        """
        known = self._ledger.known_batches() | self.strangers
        batch_id = await self._service.find(chunk, known)
        if batch_id is not None:
            log.info("batch %s is of a submission that was cut short", batch_id)
            self._ledger.submitted(chunk.number, batch_id, self._now_s(), is_adopted=True)
            return False
        if chunk.number not in self._looked_for:
            self._looked_for.add(chunk.number)
            return False
        self._looked_for.discard(chunk.number)
        return True

    def _has_room(self) -> bool:
        """Whether a chunk can be submitted now, by the service's queue and by the budget."""
        others = self.open_chunks("submitted")
        is_overdrawn = self._drawing.is_overdrawn()
        if is_overdrawn and not others:
            self._draw_anew()
        return not (is_overdrawn or (self._full_since_s is not None and others))

    async def _make_batch(self, chunk: Chunk) -> None:
        path = chunk_path(self._folder, chunk.name)
        if not path.exists():
            self._ledger.dissolve(chunk.number)
            self.must_draw = True
            return
        if not self.open_chunks("submitted"):
            self._alone = chunk.number
        newest = await self._service.newest()
        self._ledger.intend(chunk.number, newest, self._now_s())
        try:
            batch_id = await self._service.submit(chunk, path)
        except Overloaded:
            raise  # nobody knows whether it was made: the next turn looks for it
        except RateLimited as error:
            self.wait_for_room(chunk, str(error))
        except BadRequest as error:
            self._ledger.rewind(chunk.number, "written")
            raise ServiceDown(f"{str(error).rstrip('.')}. No batch was made.") from error
        else:
            self._ledger.submitted(chunk.number, batch_id, self._now_s(), is_adopted=False)

    def _draw_anew(self) -> None:
        """Take back what is not submitted yet."""
        for chunk in self._ledger.chunks("written"):
            self._ledger.dissolve(chunk.number)
            chunk_path(self._folder, chunk.name).unlink(missing_ok=True)
        self.must_draw = True
