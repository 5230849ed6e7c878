"""Problems ended in the order of the source, whatever the order in which a model answers.

    source ─▶ opened ─▶ requests ─▶ engine ─▶ results ─▶ ended, in order ─▶ rows, drops, failures

A problem is ended when all its requests and all problems before it have ended. What waits behind a
slow problem is held in memory until then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..llm.chat import ChatRequest
from ..llm.engine import Engine, Result
from ..outputs.folder import StageFolder
from ..schemas.manifest import Dropped, Failure, Usage
from ..schemas.progress import OnProgress, Progress
from ..schemas.records import AnnotatedProblem
from .source.problems import ProblemGroup, ProblemReader


class AskingProblem(Protocol):
    """A problem that has asked a model something."""

    @property
    def records(self) -> int:
        """How many input records the problem holds."""
        ...

    def receive(self, number: int, result: Result) -> None:
        """Take what became of its request `number`, from 0; may block, for it runs in a thread."""
        ...

    def end(self) -> AnnotatedProblem | Dropped | Failure:
        """What became of the problem; called once, when nothing is awaited any more."""
        ...


class Asked(NamedTuple):
    """A problem and what it asks."""

    problem: AskingProblem
    requests: Sequence[ChatRequest]


OpenProblem = Callable[[ProblemGroup], Asked | Dropped | Failure]


@dataclass
class _Place:
    """A problem's place in the order, and how many results it still awaits."""

    item: AskingProblem | Dropped | Failure
    awaited: int = 0


class _Question(NamedTuple):
    place: _Place
    problem: AskingProblem
    number: int


class OrderedRun:
    """One pass over a source, with a model or without.

    Args:
        reader: the source's problems.
        open_problem: what a problem asks, or why it is left out.
        folder: where the problems end.
        on_progress: told whenever problems have ended.

    Attributes:
        usage: what the requests so far have consumed.
    """

    def __init__(
        self,
        reader: ProblemReader,
        open_problem: OpenProblem,
        folder: StageFolder,
        on_progress: OnProgress,
    ) -> None:
        self.usage = Usage()
        self._reader = reader
        self._open_problem = open_problem
        self._folder = folder
        self._on_progress = on_progress
        self._places: deque[_Place] = deque()
        self._questions: dict[int, _Question] = {}
        self._asked = self._ended = self._failed = 0

    async def ask(self, engine: Engine) -> None:
        """Takes every problem of the source to its end.

        Raises:
            ServiceDown: as `Engine.run`.
        """
        async with aclosing(engine.run(self._requests())) as results:
            async for result in results:
                self.usage = engine.usage
                place, problem, number = self._questions.pop(result.index)
                await asyncio.to_thread(problem.receive, number, result)
                place.awaited -= 1
                self._end_what_is_ready()

    def end_all(self) -> None:
        """Takes every problem of the source to its end; none of them may ask anything."""
        for request in self._requests():
            raise AssertionError(f"nobody is there to answer {request!r}")

    def _requests(self) -> Iterator[ChatRequest]:
        """The requests of all problems, read from the source as the engine takes them."""
        for item in self._reader:
            opened = self._open_problem(item) if isinstance(item, ProblemGroup) else item
            if isinstance(opened, Asked):
                place = _Place(opened.problem, awaited=len(opened.requests))
                self._places.append(place)
                for number, request in enumerate(opened.requests):
                    self._questions[self._asked] = _Question(place, opened.problem, number)
                    self._asked += 1
                    yield request
            else:
                self._places.append(_Place(opened))
            self._end_what_is_ready()

    def _end_what_is_ready(self) -> None:
        while self._places and self._places[0].awaited == 0:
            item = self._places.popleft().item
            self._ended += 1
            ended = item if isinstance(item, Dropped | Failure) else item.end()
            self._write(ended, item.records)
        self._on_progress(Progress(self._ended, self._reader.problems, self._failed, self.usage))

    def _write(self, ended: AnnotatedProblem | Dropped | Failure, records: int) -> None:
        if isinstance(ended, AnnotatedProblem):
            self._folder.write_row(ended, records)
        elif isinstance(ended, Dropped):
            self._folder.drop(ended)
        else:
            self._failed += 1
            self._folder.fail(ended)
