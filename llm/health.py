"""Tells a service that is down from a request that failed.

A failed request costs one row. A service that is down would cost them all, each after all its
retries, so the run stops instead and can go on later. A service that answered before is waited for
while it may be restarting.
"""

from __future__ import annotations

from ..schemas.config import Execution
from ..schemas.errors import BadRequest, ModelError, RateLimited, ServiceDown, Unauthorised
from .pacing import LONGEST_RETRY_AFTER_S, Pacing
from .store import ResponseStore

FAILURES_UNTIL_DOWN = 10
PATIENCE_AT_FIRST_S = 15.0  # with the pauses of `Pacing`, the fifth attempt after the first ones
PATIENCE_S = 120.0
PATIENCE_WHEN_TOLD_TO_WAIT_S = 3600.0


class ServiceHealth:
    """Counts the attempts since the service's last answer, beside the time.

    Args:
        pacing: knows for how long nothing was answered.
        store: its count of answers goes into the message.
    """

    def __init__(self, execution: Execution, pacing: Pacing, store: ResponseStore) -> None:
        self._pacing = pacing
        self._store = store
        self._failures_at_first = max(2, min(execution.concurrency, FAILURES_UNTIL_DOWN))
        self._has_answered = False
        self._failures = 0  # in a row, of the transport
        self._rejections = 0  # in a row, before any answer
        self._last_error: ModelError | None = None

    def note(self, error: ModelError | None) -> None:
        """Take account of one attempt, after its turn has ended: its error, None for an answer.

        An answer that is refused, cut or malformed is an answer here.

        Raises:
            ServiceDown: the key was rejected; the first 10 requests were all rejected; or 10
                attempts in a row failed and nothing was answered for 15 s at the start of a run,
                for 2 minutes later on, or for an hour when the service asks to be left alone.
        """
        self._last_error = error
        if isinstance(error, Unauthorised):
            raise self._down(error)
        if error is not None and error.is_transient:
            self._note_failure(error)
            return
        self._failures = 0
        if not isinstance(error, BadRequest):
            self._has_answered = True
        elif not self._has_answered:
            self._rejections += 1
            if self._rejections >= FAILURES_UNTIL_DOWN:
                raise self._down(error)

    def check_at_end(self) -> None:
        """Called when all requests have ended.

        Raises:
            ServiceDown: there were few, and none was answered.
        """
        error = self._last_error
        if error is not None and error.is_transient and not self._has_answered:
            raise self._down(error)

    def _note_failure(self, error: ModelError) -> None:
        silence_s = self._pacing.silence_s
        if _asks_for_a_pause(error):
            if silence_s >= PATIENCE_WHEN_TOLD_TO_WAIT_S:
                raise self._down(error)
            return
        self._failures += 1
        enough = FAILURES_UNTIL_DOWN if self._has_answered else self._failures_at_first
        patience_s = PATIENCE_S if self._has_answered else PATIENCE_AT_FIRST_S
        if self._failures >= enough and silence_s >= patience_s:
            raise self._down(error)

    def _down(self, error: ModelError) -> ServiceDown:
        return ServiceDown(
            f"{str(error).rstrip('.')}. Stopped; {self._store.count()} answers are kept, and the "
            "same command goes on from there."
        )


def _asks_for_a_pause(error: ModelError) -> bool:
    """Whether the service is there and says when to come back (429): that is no fault of it."""
    return (
        type(error) is RateLimited
        and error.retry_after_s is not None
        and error.retry_after_s <= LONGEST_RETRY_AFTER_S
    )
