"""Services with limits of every kind, and a client that paces itself, in virtual time."""

import asyncio
import heapq
import random
from dataclasses import dataclass, field
from math import exp

import virtual_time

from pr1.llm.pacing import Pacing
from pr1.schemas.config import Execution
from pr1.schemas.errors import ConnectionLost, ModelError, RateLimited

REFUSAL_S = 0.005  # a refusal comes at once


class Service:
    """Answers `latency_s(service)` seconds later whatever none of its gates refuses.

    A gate takes the service and returns None or an error. Seconds count from the first request.
    """

    def __init__(self, latency_s, *gates):
        self.latency_s = latency_s
        self.gates = gates
        self.in_flight = 0
        self.sent_at, self.answered_at = [], []
        self.began_at = None

    @property
    def clock_s(self):
        return virtual_time.now() - self.began_at

    async def answer(self):
        if self.began_at is None:
            self.began_at = virtual_time.now()
        self.sent_at.append(self.clock_s)
        self.in_flight += 1
        try:
            for gate in self.gates:
                if (error := gate(self)) is not None:
                    await asyncio.sleep(REFUSAL_S)
                    raise error
            await asyncio.sleep(self.latency_s(self))
        finally:
            self.in_flight -= 1
        self.answered_at.append(self.clock_s)


def fixed(seconds):
    return lambda service: seconds


def lognormal(median_s, sigma):
    draws = random.Random(3)
    return lambda service: median_s * exp(sigma * draws.gauss(0, 1))


def queue(workers, latency_s):
    """First come, first served, by so many workers; nothing is ever refused."""
    free_at = [0.0] * workers

    def time_in_queue_and_at_work(service):
        done_at = max(service.clock_s, heapq.heappop(free_at)) + latency_s(service)
        heapq.heappush(free_at, done_at)
        return done_at - service.clock_s

    return time_in_queue_and_at_work


def batched(latency_s, each):
    """The more under way, the longer all take, but by less than their number."""
    return lambda service: latency_s(service) * (1 + each * service.in_flight)


def max_in_flight(number_at, retry_after_s=1.0):
    """Refuses above `number_at(seconds)` requests at once."""

    def gate(service):
        if service.in_flight > number_at(service.clock_s):
            return RateLimited("too many at once", retry_after_s)
        return None

    return gate


def token_bucket(per_s, burst, retry_after_s=1.0):
    tokens, filled_at = burst, 0.0

    def gate(service):
        nonlocal tokens, filled_at
        tokens = min(burst, tokens + (service.clock_s - filled_at) * per_s)
        filled_at = service.clock_s
        if tokens < 1:
            return RateLimited("too many a second", retry_after_s)
        tokens -= 1
        return None

    return gate


def at_random(share, error=None):
    draws = random.Random(5)
    error = error or RateLimited("by chance", 1.0)
    return lambda service: error if draws.random() < share else None


def down(from_s, to_s, error=None):
    error = error or ConnectionLost("nobody there")
    return lambda service: error if from_s <= service.clock_s < to_s else None


@dataclass
class Figures:
    """What came of a run."""

    seconds: float
    answered: int
    sent: int
    lost: int
    most_attempts: int
    pacing: Pacing
    limits: list[int] = field(repr=False)

    @property
    def per_s(self):
        return self.answered / self.seconds

    @property
    def refused_share(self):
        return 1 - self.answered / self.sent


def run_rows(service, rows, concurrency, *, tasks=None, retries=6, **execution):
    """Sends the rows as the engine does, each again after a pause of its own when it failed."""
    return virtual_time.run(
        _run_rows(service, rows, tasks or concurrency, retries, concurrency, execution)
    )


async def _run_rows(service, rows, tasks, retries, concurrency, execution):
    execution = Execution(concurrency=concurrency, **execution)
    pacing = Pacing(execution)
    jitter = random.Random(1)
    attempts, limits, lost = [], [], 0
    left = iter(range(rows))

    async def send(tokens):
        nonlocal lost
        for attempt in range(1, retries + 2):
            turn = await pacing.turn(tokens)
            assert pacing.in_flight <= execution.concurrency
            try:
                await service.answer()
            except ModelError as error:
                turn.failed(error)
                own_s = jitter.uniform(0, min(30, 0.5 * 2 ** (attempt - 1)))
                await asyncio.sleep((getattr(error, "retry_after_s", None) or 0) + own_s)
            else:
                turn.answered(tokens)
                attempts.append(attempt)
                limits.append(pacing.limit)
                return
        lost += 1

    async def one_after_the_other():
        for _ in left:
            await send(100)

    await asyncio.gather(*(one_after_the_other() for _ in range(tasks)))
    assert pacing.in_flight == 0
    return Figures(
        service.answered_at[-1],
        len(attempts),
        len(service.sent_at),
        lost,
        max(attempts),
        pacing,
        limits,
    )
