"""When the next request may be sent.

    turn = await pacing.turn(tokens)
    try:
        response = await client.complete(request)
    except ModelError as error:
        turn.failed(error)
    except BaseException:
        turn.withdrawn()
        raise
    else:
        turn.answered(tokens_in + tokens_out)

Every single attempt takes a turn. Three things can hold it back, and then turns are given in the
order in which they were asked for:

- the number under way: `ConcurrencyLimit` learns how many the service takes, and spreads them;
- `--rpm` and `--tpm`: spread over the minute, about a second's worth at once at most;
- a service that answers nothing: when all that was under way came back unanswered, nobody sends
  for a while: as long as the service asked for, else 1, 2, 4, ... 30 s. Then one goes ahead. Its
  answer lets the others follow, few at first; its failure starts the next, longer pause.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ..schemas.config import Execution
from ..schemas.errors import ModelError, RateLimited
from .concurrency import MANY_FAILURES, ConcurrencyLimit

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LONGEST_RETRY_AFTER_S = 600.0
SLACK = 0.05  # of a latency: what may be sent at once when requests are to be spread over it


class Turn:
    """The permission to send one request; ended by exactly one of its methods, exactly once."""

    __slots__ = ("_pacing", "generation", "sent_at", "tokens")

    def __init__(self, pacing: Pacing, tokens: int, sent_at: float, generation: int) -> None:
        self._pacing = pacing
        self.tokens = tokens
        self.sent_at = sent_at
        self.generation = generation

    def answered(self, tokens: int) -> None:
        """The service answered, and the prompt and the answer had so many tokens."""
        self._pacing._answered(self, tokens)

    def failed(self, error: ModelError) -> None:
        """The request came to nothing."""
        self._pacing._failed(self, error)

    def withdrawn(self) -> None:
        """The request was cancelled or not sent: nothing is learnt from it."""
        self._pacing._withdrawn()


class Pacing:
    """Gives turns to send. Belongs to one event loop; any number of them live side by side.

    Attributes:
        in_flight: turns given and not ended.
        refusals: 429s and overloads so far.
    """

    def __init__(self, execution: Execution) -> None:
        self.in_flight = 0
        self.refusals = 0
        self._concurrency = ConcurrencyLimit(execution.concurrency)
        self._requests = _Quota(execution.rpm) if execution.rpm else None
        self._tokens = _Quota(execution.tpm) if execution.tpm else None
        self._waiting: OrderedDict[asyncio.Future[Turn], int] = OrderedDict()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._failures = 0  # since the last answer
        self._next_pause_s = FIRST_PAUSE_S
        self._paused_until = 0.0
        self._spread_at = 0.0
        self._told_until = 0.0
        self._silent_since: float | None = None

    @property
    def limit(self) -> int:
        """How many requests may be under way at once, as learnt so far."""
        return self._concurrency.value

    @property
    def pause_s(self) -> float:
        """Seconds until anything is sent to a service that answers nothing; else 0."""
        return max(0.0, self._paused_until - _now())

    @property
    def silence_s(self) -> float:
        """Seconds since the last answer, or since sending began if that was later."""
        return 0.0 if self._silent_since is None else _now() - self._silent_since

    async def turn(self, tokens: int, *, is_retry: bool = False) -> Turn:
        """Waits until one more request may be sent.

        Args:
            tokens: about how many its prompt and its answer will have together.
            is_retry: it was sent before, and goes ahead of those that were not.
        """
        if not self._waiting and self._concurrency.has_room(self.in_flight):
            now = _now()
            if self._open_at() <= now:
                return self._give(tokens, now)
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting[future] = tokens
        if is_retry:
            self._waiting.move_to_end(future, last=False)
        self._give_all()
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._waiting.pop(future, None)
                self._give_all()
            else:
                future.result().withdrawn()
            raise

    def _open_at(self) -> float:
        """The time from which on a request may be sent, if there is room for it."""
        at = max(self._paused_until, self._spread_at)
        if self._requests is not None:
            at = max(at, self._requests.open_at)
        if self._tokens is not None:
            at = max(at, self._tokens.open_at)
        return at

    def _give(self, tokens: int, now: float) -> Turn:
        if self.in_flight == 0 and self._failures == 0:
            self._silent_since = now
        self.in_flight += 1
        gap_s = self._concurrency.gap_s()
        if gap_s:
            slack_s = SLACK * self._concurrency.latency_s
            self._spread_at = max(self._spread_at, now - slack_s) + gap_s
        if self._requests is not None:
            self._requests.take(1, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)
        return Turn(self, tokens, now, self._concurrency.generation)

    def _give_all(self) -> None:
        """Gives all turns that can be given now, and sees to it that the next will be."""
        while self._waiting and self._concurrency.has_room(self.in_flight):
            now, open_at = _now(), self._open_at()
            if open_at > now:
                self._set_alarm(open_at)
                return
            future, tokens = self._waiting.popitem(last=False)
            if not future.cancelled():
                future.set_result(self._give(tokens, now))
        self._stop_alarm()

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None and self._alarm_at <= at:
            return
        self._stop_alarm()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring_at(at))

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _ring_at(self, at: float) -> None:
        await asyncio.sleep(at - _now())
        self._alarm = None
        self._give_all()

    def _answered(self, turn: Turn, tokens: int) -> None:
        now = _now()
        self.in_flight -= 1
        self._has_answered(now)
        self._concurrency.answered(turn.generation, now - turn.sent_at)
        if self._tokens is not None:
            self._tokens.take(tokens - turn.tokens, now)
        if self._waiting:
            self._give_all()

    def _failed(self, turn: Turn, error: ModelError) -> None:
        now = _now()
        self.in_flight -= 1
        if not error.is_transient:
            self._has_answered(now)
        else:
            self._failures += 1
            if isinstance(error, RateLimited):
                self._note_refusal(turn, error, now)
            if self.in_flight == 0 and self._failures >= min(self.limit, MANY_FAILURES):
                self._pause(now)
                self._concurrency.silenced(self._failures)
            else:
                self._concurrency.refused(turn.generation)
        if self._waiting:
            self._give_all()

    def _withdrawn(self) -> None:
        self.in_flight -= 1
        if self._waiting:
            self._give_all()

    def _has_answered(self, now: float) -> None:
        self._failures = 0
        self._next_pause_s = FIRST_PAUSE_S
        self._told_until = 0.0
        self._silent_since = now

    def _note_refusal(self, turn: Turn, error: RateLimited, now: float) -> None:
        self.refusals += 1
        if self._tokens is not None:
            self._tokens.take(-turn.tokens, now)
        if error.retry_after_s is not None:
            told_s = min(error.retry_after_s, LONGEST_RETRY_AFTER_S)
            self._told_until = max(self._told_until, now + told_s)

    def _pause(self, now: float) -> None:
        self._paused_until = max(now + self._next_pause_s, self._told_until)
        self._next_pause_s = min(LONGEST_PAUSE_S, 2 * self._next_pause_s)


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Quota:
    """So many of something a minute, spread evenly (a generic cell rate algorithm).

    In any 60 seconds no more than `per_minute` are taken in single steps. A larger step is taken
    whole, as soon as all before it is paid off, and then paid off in turn.

    Attributes:
        open_at: the time from which on the next may be taken.
    """

    def __init__(self, per_minute: int) -> None:
        at_once = max(1, per_minute // 60)
        self._each_s = 60 / (per_minute - at_once + 1)
        self._slack_s = (at_once - 1) * self._each_s
        self.open_at = 0.0

    def take(self, amount: int, now: float) -> None:
        """Take so many now; a negative amount gives back."""
        paid_off_at = max(now, self.open_at + self._slack_s) + amount * self._each_s
        self.open_at = paid_off_at - self._slack_s
