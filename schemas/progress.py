"""How far a run has come, as a stage tells it to whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .manifest import Usage


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        done: problems finished, dropped and failed ones included.
        total: problems in all, or None while that is unknown.
        failed: problems that broke.
        usage: what the requests so far have consumed.
    """

    done: int
    total: int | None
    failed: int = 0
    usage: Usage = Usage()


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """For callers that watch nothing."""
