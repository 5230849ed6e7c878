"""Tells the ordinary pass what failed in the batches, so that nothing is asked again online."""

from __future__ import annotations

from ...schemas.errors import ModelError
from ..chat import ChatRequest, ChatResponse, ModelIdentity
from ..store import request_key
from .ledger import Ledger


class NotAnswered(ModelError):
    """The error that a request ended with in its batches.

    Never transient, whatever it was: the batches have retried it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class FailedRequests:
    """A `ChatClient` that asks nobody: it raises what the batches left of a request.

    Closing it closes the ledger.
    """

    def __init__(self, identity: ModelIdentity, ledger: Ledger) -> None:
        self.identity = identity
        self._ledger = ledger

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Never returns.

        Raises:
            NotAnswered: always.
        """
        entry = self._ledger.entry(request_key(self.identity, request))
        if entry is None or entry.state != "failed":
            raise NotAnswered(
                "not_in_batch",
                "the request was in no batch: the source has changed since the batches were made. "
                "Run the same command again.",
            )
        raise NotAnswered(entry.code, entry.message)

    async def aclose(self) -> None:
        """Close the ledger."""
        self._ledger.close()
