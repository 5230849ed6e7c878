"""Problems ended in the order of the source, whatever the order in which a model answers.

    source ─▶ opened ─▶ requests ─▶ engine ─▶ results ─▶ ended, in order ─▶ rows, drops, failures

A problem ends when all its requests have, and is written when all problems before it are. What
waits behind a slow problem lies in a temporary file where it is much (`waiting.py`), so that memory
holds what is in flight, whatever the size of the source.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..llm.chat import ChatRequest
from ..llm.engine import Engine, Result
from ..outputs.folder import StageFolder
from ..schemas.manifest import Dropped, Failure
from ..schemas.progress import OnProgress, Progress
from ..schemas.records import AnnotatedProblem
from .source.problems import ProblemGroup, ProblemReader
from .waiting import Ended, Outcome, Waiting

RECORDS_AT_A_TIME = 50


class AskingProblem(Protocol):
    """A problem that has asked a model something."""

    @property
    def records(self) -> int:
        """How many input records the problem holds."""
        ...

    async def receive(self, number: int, result: Result) -> None:
        """Take what became of its request `number`, from 0.

        What may take seconds belongs in a thread, where it does not keep the answers of other
        requests waiting; what takes a millisecond does not, for the way there costs as much.
        """
        ...

    def end(self) -> Outcome:
        """What became of the problem; called once, when nothing is awaited any more."""
        ...


class Asked(NamedTuple):
    """A problem and what it asks."""

    problem: AskingProblem
    requests: Sequence[ChatRequest]


OpenProblem = Callable[[ProblemGroup], Asked | Dropped | Failure]


@dataclass
class _Open:
    """A problem that awaits results, with its place in the order."""

    place: int
    problem: AskingProblem
    awaited: int


class _Question(NamedTuple):
    asked_by: _Open
    number: int


class OrderedRun:
    """One pass over a source, with a model or without.

    Args:
        reader: the source's problems.
        open_problem: what a problem asks, or why it is left out.
        folder: where the problems end.
        on_progress: told whenever problems have ended.
    """

    def __init__(
        self,
        reader: ProblemReader,
        open_problem: OpenProblem,
        folder: StageFolder,
        on_progress: OnProgress,
    ) -> None:
        self._reader = reader
        self._open_problem = open_problem
        self._folder = folder
        self._on_progress = on_progress
        self._questions: dict[int, _Question] = {}
        self._waiting = Waiting()
        self._engine: Engine | None = None
        self._asked = self._ended = self._written = 0
        self._failed: Counter[str] = Counter()

    async def ask(self, engine: Engine) -> None:
        """Takes every problem of the source to its end.

        Raises:
            ServiceDown: as `Engine.run`.
            RunStopped: there is no room for temporary files.
        """
        self._engine = engine
        for read in self._reader.gather():
            if read % RECORDS_AT_A_TIME == 0:  # a large source takes minutes; signals are heard
                await asyncio.sleep(0)
        with closing(self._waiting):
            async with aclosing(engine.run(self._requests())) as results:
                async for result in results:
                    asked_by, number = self._questions.pop(result.index)
                    await asked_by.problem.receive(number, result)
                    asked_by.awaited -= 1
                    if asked_by.awaited == 0:
                        self._end(asked_by.place, asked_by.problem)
                    # Results that are there already come without a pause: let others send.
                    await asyncio.sleep(0)

    async def end_all(self) -> None:
        """Takes every problem of the source to its end; none of them may ask anything."""
        with closing(self._waiting):
            for place, item in enumerate(self._reader):
                opened = self._open_problem(item) if isinstance(item, ProblemGroup) else item
                self._end(place, opened.problem if isinstance(opened, Asked) else opened)
                await asyncio.sleep(0)  # a Ctrl-C is heard

    def _requests(self) -> Iterator[ChatRequest]:
        """The requests of all problems, read from the source as the engine takes them."""
        for place, item in enumerate(self._reader):
            opened = self._open_problem(item) if isinstance(item, ProblemGroup) else item
            if not isinstance(opened, Asked):
                self._end(place, opened)
                continue
            problem, requests = opened
            asked_by = _Open(place, problem, len(requests))
            for number, request in enumerate(requests):
                self._questions[self._asked] = _Question(asked_by, number)
                self._asked += 1
                yield request
            if not requests:
                self._end(place, problem)

    def _end(self, place: int, item: AskingProblem | Dropped | Failure) -> None:
        """Write what became of the problem in its turn, and what waited for that."""
        outcome = item if isinstance(item, Dropped | Failure) else item.end()
        self._ended += 1
        if isinstance(outcome, Failure):
            self._failed[outcome.error] += 1
        self._waiting.put(place, Ended(outcome, item.records))
        while (next_one := self._waiting.take(self._written)) is not None:
            self._write(*next_one)
            self._written += 1
        traffic = self._engine.traffic() if self._engine else None
        self._on_progress(Progress(self._ended, self._reader.problems, self._failed, traffic))

    def _write(self, outcome: Outcome, records: int) -> None:
        if isinstance(outcome, AnnotatedProblem):
            self._folder.write_row(outcome, records)
        elif isinstance(outcome, Dropped):
            self._folder.drop(outcome)
        else:
            self._folder.fail(outcome)


def requests_of(
    items: Iterable[ProblemGroup | Dropped | Failure], open_problem: OpenProblem
) -> Iterator[ChatRequest]:
    """All requests of a source's problems."""
    for item in items:
        opened = open_problem(item) if isinstance(item, ProblemGroup) else item
        if isinstance(opened, Asked):
            yield from opened.requests
