"""How far a pass of batches has come, as it tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class OneBatch(NamedTuple):
    """A batch that is under way.

    Attributes:
        state: in the service's own word.
        requests, completed, failed: some services count them only at the end.
        age_s: seconds since it was made; services give a batch 24 hours.
    """

    batch_id: str
    state: str
    requests: int
    completed: int
    failed: int
    age_s: float


class BatchProgress(NamedTuple):
    """How far the pass has come.

    Attributes:
        waiting: requests that are not submitted yet.
        answered: answers stored by this pass.
        failed: requests that failed for good.
        batches: those under way.
    """

    waiting: int
    answered: int
    failed: int
    batches: tuple[OneBatch, ...]


OnBatchProgress = Callable[[BatchProgress], None]


def ignore_batch_progress(progress: BatchProgress) -> None:
    """For callers that watch nothing."""
