"""How far a run has come, as a stage tells it to whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .manifest import Usage


class Traffic(NamedTuple):
    """What goes on between a run and a model.

    Attributes:
        done: requests that ended, the failed ones and those from the store included.
        failed: of those, the ones without a usable answer.
        from_store: of those done, the ones that the response store answered.
        in_flight: requests that are with the model at this moment.
        limit: how many may be; it falls when the service complains and rises again after.
        pause_s: seconds until the next is sent to a model that answers nothing; else 0.
        refusals: times that the service asked to go slower or was overloaded.
        retries: why requests were sent again -> how often.
        usage: what the answers paid for have consumed.
    """

    done: int = 0
    failed: int = 0
    from_store: int = 0
    in_flight: int = 0
    limit: int = 0
    pause_s: float = 0.0
    refusals: int = 0
    retries: Mapping[str, int] = {}
    usage: Usage = Usage()

    def figures(self) -> dict[str, Any]:
        """What a manifest keeps of it."""
        return {
            "requests": self.done,
            "failed": self.failed,
            "from_store": self.from_store,
            "sent_again": dict(sorted(self.retries.items())),
            "refusals": self.refusals,
            "concurrency_at_the_end": self.limit,
        }


class Progress(NamedTuple):
    """How far a run has come.

    Attributes:
        done: problems finished, dropped and failed ones included.
        total: problems in all, or None while that is unknown.
        failed: why problems broke -> how many did.
        traffic: with the model; None when the run asks none.
        doing: what the run does before its first problem, in words.
        unit: what is counted.
    """

    done: int
    total: int | None
    failed: Mapping[str, int] = {}
    traffic: Traffic | None = None
    doing: str = ""
    unit: str = "problems"


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """For callers that watch nothing."""
