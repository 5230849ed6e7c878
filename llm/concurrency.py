"""How many requests to have under way at once: learnt from how the ones before them ended.

The limit starts low and grows with every answer until something complains. From then on it is set
anew at the end of each *epoch*, which is as many ended attempts as the limit was when it began:

- A refused attempt leaves its slot empty until its epoch ends. However fast a service refuses,
  each slot is refused once an epoch, and the share that was refused is the share of the slots that
  the service did not want: the limit is cut by just that share (as DCTCP does with marks).
- A latency that has more than doubled, and has grown nearly as fast as the limit, means that the
  service queues what it is sent: more would only wait longer. A latency that grows more slowly
  buys more answers a second (a server that batches), and is no reason to send less.
- A cut that does not help was made for the wrong reason. Refusals that remain in the first epoch
  after it are the service's own noise (random faults), and only what exceeds them counts later. A
  latency that remains is the new normal one (harder rows), and the cut is undone.
- Attempts that were sent before a cut have no say after it: nobody is punished twice.
- After a cut the limit grows by 1, 2, 4, ... up to its square root an epoch: slowly about the
  point where it failed, soon faster when that point has moved.

Once something complained, the requests of a round are spread over most of its latency: a service
that counts requests per second would refuse half of a crowd, and be idle until the next one. So a
limit below one has a meaning too: a request at a time, and a wait in between.
"""

from __future__ import annotations

from math import sqrt
from statistics import median

FIRST_LIMIT = 32
MANY_FAILURES = 10  # in a row: no chance, and no matter of a limit that is a little too high
GROWTH_PER_ANSWER = 2  # triples the limit in each round of the start
SMALLEST_EPOCH = 8
NOISE_WEIGHT = 0.5  # of one epoch in the estimate of the refusals that a cut does not remove
NOISE_SIGMAS = 2.5  # by which chance may exceed the noise in one epoch
MOST_NOISE = 0.5
FEWEST_LATENCIES = 40
SLOW = 2.5  # times the normal latency
SATURATED = 0.65  # exponent: the latency's growth that a growth of the limit has to stay below
LATENCY_CUT = 0.5  # deep enough to tell whether it helped
LATENCY_WEIGHT = 1 / 16  # of one answer in the smoothed latency
SPREAD = 0.8  # of the latency, over which the requests of one round are sent
LEAST = 1 / 16
GROWTH_BELOW_ONE = 1.1  # with each answer
CUT_BELOW_ONE = 0.7  # with each refusal


class ConcurrencyLimit:
    """A number of requests that the service takes without refusing or queueing them.

    Args:
        most: never go above this; 1 or more.

    Attributes:
        generation: how often the limit was cut. An attempt carries the number that it was sent
            under, and hands it back when it ends.
        latency_s: of an answer, smoothed; 0 before the first.
    """

    def __init__(self, most: int) -> None:
        self.generation = 0
        self.latency_s = 0.0
        self._most = most
        self._noise = 0.0
        self._normal_s: float | None = None  # the latency when nothing queues
        self._normal_size = 1  # the limit at which it was seen
        self._before_cut: tuple[float, float] | None = None  # latency and limit, until it is judged
        self._is_starting = True
        self._share_before_cut = 0.0  # that was refused, until the cut made for it is judged
        self._latencies_s: list[float] = []  # since the last look at them
        self._step = 1.0
        self._value = float(min(most, FIRST_LIMIT))
        self._begin_epoch(self._value)

    @property
    def value(self) -> int:
        """The limit; 1 or more."""
        return int(self._value) or 1

    def has_room(self, in_flight: int) -> bool:
        """Whether one more may be sent while so many are under way."""
        return in_flight + self._refused < self.value

    def gap_s(self) -> float:
        """Seconds from one request to the next, on average and at least."""
        return 0.0 if self._is_starting else SPREAD * self.latency_s / self._value

    def answered(self, generation: int, latency_s: float) -> None:
        """Take account of an attempt that was answered."""
        weight = LATENCY_WEIGHT if self.latency_s else 1.0
        self.latency_s += weight * (latency_s - self.latency_s)
        if self._is_starting:
            self._value = min(self._most, self._value + GROWTH_PER_ANSWER)
        if generation == self.generation:
            self._latencies_s.append(latency_s)
            self._ended_one()

    def refused(self, generation: int) -> None:
        """Take account of an attempt that was refused, or failed as those to a full service do."""
        if generation == self.generation:
            self._refused += 1
            self._ended_one()

    def silenced(self, failures: int) -> None:
        """Take account of the last of so many failures in a row, when nothing else is under way."""
        self._is_starting = failures >= MANY_FAILURES
        if self._is_starting or self._value > 1:
            self._begin_generation(1.0)
        elif failures == 1:
            self._begin_generation(max(LEAST, CUT_BELOW_ONE * self._value))

    def _begin_generation(self, value: float) -> None:
        self.generation += 1
        self._step = 1.0
        self._latencies_s.clear()
        self._begin_epoch(value)

    def _begin_epoch(self, value: float) -> None:
        self._value = min(value, self._most)
        self._size = max(self.value, SMALLEST_EPOCH) if value >= 1 else 1
        self._ended = self._refused = 0

    def _ended_one(self) -> None:
        self._ended += 1
        if self._ended < self._size and self._refused < self.value:
            return
        kept = min(self._kept_after_refusals(), self._kept_after_latencies())
        if kept < self._value:
            self._is_starting = False
            self._begin_generation(max(min(1.0, self._value), min(kept, self.value - 1.0)))
        else:
            self._begin_epoch(self._grown() if kept == self._value else kept)

    def _grown(self) -> float:
        if self._is_starting:
            return self._value
        if self._value < 1:
            return self._value * GROWTH_BELOW_ONE
        grown = self._value + self._step
        self._step = min(2 * self._step, sqrt(grown))
        return grown

    def _kept_after_refusals(self) -> float:
        """What the refusals of this epoch leave of the limit."""
        share, share_before_cut = self._refused / self._ended, self._share_before_cut
        self._share_before_cut = 0.0
        if share_before_cut:
            helped = share < share_before_cut / 2
            self._noise += NOISE_WEIGHT * ((0 if helped else min(share, MOST_NOISE)) - self._noise)
        noise = self._noise * self._ended
        if self._refused > noise:
            self._step = 1.0
        if self._refused <= noise + NOISE_SIGMAS * sqrt(noise):
            return self._value
        self._share_before_cut = share
        return self._value * (self._ended - self._refused) / self._ended

    def _kept_after_latencies(self) -> float:
        """What the latencies since the last look leave of the limit; more, to undo a cut."""
        if len(self._latencies_s) < FEWEST_LATENCIES:
            return self._value
        latency_s, before_cut = median(self._latencies_s), self._before_cut
        self._latencies_s.clear()
        self._before_cut = None
        if before_cut is not None:
            latency_before_s, value_before = before_cut
            if latency_s > latency_before_s * sqrt(self._value / value_before):
                self._normal_s, self._normal_size = latency_s, self._size
                return value_before
        if self._normal_s is None or latency_s < self._normal_s:
            self._normal_s, self._normal_size = latency_s, self._size
        slow = max(SLOW, (self._size / self._normal_size) ** SATURATED)
        if latency_s <= slow * self._normal_s:
            return self._value
        if not self._is_starting:  # else what was under way was fewer than the limit
            self._before_cut = latency_s, self._value
        return LATENCY_CUT * self._value
