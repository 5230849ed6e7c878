"""Tells a service that is down from a request that failed.

A failed request costs one row. A service that is down would cost them all, each after all its
retries, so the run stops instead and can go on later.
"""

from __future__ import annotations

from ..schemas.errors import BadRequest, ModelError, ServiceDown, Unauthorised
from .sending import Outcome
from .store import ResponseStore

FAILURES_UNTIL_DOWN = 10


class ServiceHealth:
    """Counts the failures since the service's last answer."""

    def __init__(self) -> None:
        self._has_answered = False
        self._failures_in_a_row = 0
        self._last_error: ModelError | None = None

    def note(self, outcome: Outcome, store: ResponseStore) -> None:
        """Take account of a request that was sent.

        Raises:
            ServiceDown: the key was rejected; or so many requests in a row failed, after all their
                retries, by faults of the transport (or were all rejected, from the first one on).
        """
        error = outcome.error
        if isinstance(error, Unauthorised):
            raise _service_down(error, store)
        if error is None or not self._is_service_fault(error):
            self._has_answered = self._has_answered or not isinstance(error, BadRequest)
            self._failures_in_a_row, self._last_error = 0, None
            return
        self._failures_in_a_row += 1
        self._last_error = error
        if self._failures_in_a_row >= FAILURES_UNTIL_DOWN:
            raise _service_down(error, store)

    def check_at_end(self, store: ResponseStore) -> None:
        """Called when all requests have ended.

        Raises:
            ServiceDown: there were few, and none was answered.
        """
        if (
            self._last_error is not None
            and self._last_error.is_transient
            and not self._has_answered
        ):
            raise _service_down(self._last_error, store)

    def _is_service_fault(self, error: ModelError) -> bool:
        if isinstance(error, BadRequest):
            return not self._has_answered
        return error.is_transient


def _service_down(error: ModelError, store: ResponseStore) -> ServiceDown:
    return ServiceDown(
        f"{str(error).rstrip('.')}. Stopped; {store.count()} answers are kept, and the same "
        "command goes on from there."
    )
