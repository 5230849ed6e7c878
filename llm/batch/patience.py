"""Bears passing faults of a service over the day that batches last."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ...schemas.errors import ModelError, ServiceDown
from .ledger import Chunk

TROUBLES_UNTIL_DOWN = 20
"""With the pauses between them an hour or more."""

log = logging.getLogger(__name__)


class Patience:
    """Counts the faults of each chunk since the service last got it a step further."""

    def __init__(self) -> None:
        self._troubles: Counter[int] = Counter()

    @contextmanager
    def over(self, chunk: Chunk) -> Iterator[None]:
        """A passing fault inside the block ends the block, and the next turn tries again.

        The faults are counted until `forget`: where a batch cannot be made, looking for it between
        two attempts succeeds each time.

        Raises:
            ServiceDown: the fault is no passing one, or one too many in a row.
        """
        try:
            yield
        except ModelError as error:
            self._troubles[chunk.number] += 1
            is_over = self._troubles[chunk.number] >= TROUBLES_UNTIL_DOWN
            said = str(error).rstrip(".")
            if not error.is_transient or is_over:
                raise ServiceDown(
                    f"{said}. Stopped; batches that were made go on at the service, and the same "
                    "command takes their results."
                ) from error
            log.warning("%s; asked again later", said)

    def forget(self, chunk: Chunk) -> None:
        """The service did what was asked for the chunk."""
        del self._troubles[chunk.number]
