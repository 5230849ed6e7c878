"""What pr1 needs of a batch service, and what it says of a batch.

`submit` raises `BadRequest`, `Unauthorised` or a plain `RateLimited` when no batch was made, and
any other transient error when nobody knows: then `find` tells.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ...schemas.errors import ModelError
from ..chat import ChatClient, ChatRequest, ChatResponse
from ..http import JsonAnswer
from .ledger import Chunk


class BatchableClient(ChatClient, Protocol):
    """An online client whose requests and answers a batch shares."""

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The request in the service's JSON."""
        ...

    def read(self, answer: JsonAnswer) -> ChatResponse:
        """The answer in our words; raises a `ModelError`."""
        ...


class Limits(NamedTuple):
    """The most that one batch may hold."""

    requests: int
    bytes: int


class Problem(NamedTuple):
    """Why a service rejects a batch as a whole.

    Attributes:
        line: of the chunk file, from 1; None where the whole is meant.
    """

    line: int | None
    code: str
    message: str


class BatchState(NamedTuple):
    """How far a batch is.

    Attributes:
        word: the service's own name of the state.
        has_ended: nothing more will come of it; its results can be read.
        is_cancelled: somebody stopped it.
        completed, failed: requests so far.
        problems: why none of its requests was run; empty where they were.
        lacks_room: it was rejected only because too much is queued at the service.
    """

    word: str
    has_ended: bool
    is_cancelled: bool
    completed: int
    failed: int
    problems: tuple[Problem, ...] = ()
    lacks_room: bool = False


class BatchResult(NamedTuple):
    """What became of one request of a batch.

    Attributes:
        key: the request's id in the batch.
        response, error: one of them; neither when the batch was cancelled before its turn.
    """

    key: str
    response: ChatResponse | None
    error: ModelError | None


class BatchService(Protocol):
    """A provider's batch API; its requests and answers are those of the online `client`."""

    client: BatchableClient
    limits: Limits

    def line(self, key: str, request: ChatRequest) -> bytes:
        """The request as one line of a chunk file."""
        ...

    async def newest(self) -> str | None:
        """The id of the batch that was made last, or None."""
        ...

    async def submit(self, chunk: Chunk, path: Path) -> str:
        """The id of the batch that was made of the chunk file."""
        ...

    async def find(self, chunk: Chunk, known: set[str]) -> str | None:
        """The id of a batch that may be the chunk's, made after its `newest_before`, or None.

        It is none of those in `known`.
        """
        ...

    async def state(self, batch_id: str) -> BatchState:
        """How far the batch is."""
        ...

    def results(self, batch_id: str) -> AsyncGenerator[BatchResult, None]:
        """What became of its requests, in any order; a cancelled one may be missing."""
        ...

    async def aclose(self) -> None:
        """Close the connections; not those of the online client."""
        ...
