"""The judge that asks a model, through the engine: retried, paced, stored, and once for each text.

How a model is asked is an `Asking`: one question about all annotations (`listing.py`), or one
yes-or-no question about each (`yes_no.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..llm.chat import ChatRequest
from ..llm.engine import Engine, Result
from ..schemas.errors import Malformed, ModelError
from ..schemas.outcomes import Judgement, VerdictWord
from .judge import JudgeTask, judgement_of
from .prompt import prompt_hash
from .standing import Standing


class Asking(Protocol):
    """How a model is asked about a task, and what its answers mean."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names of the files with what the model is told."""
        ...

    def requests(self, task: JudgeTask) -> list[ChatRequest]:
        """What the model is asked about a task that has annotations; nothing where none helps."""
        ...

    def words(self, task: JudgeTask, answers: Sequence[Result]) -> list[VerdictWord]:
        """The verdicts in the answers to `requests`, one for each annotation.

        Raises:
            Malformed: the answers hold no verdict for one of them.
        """
        ...


@dataclass
class _Open:
    """A task whose questions are under way; answers stand in the order of its requests."""

    task: JudgeTask
    answers: list[Result | None]
    awaited: int


class _Question(NamedTuple):
    asked_about: _Open
    number: int


class _Failed(NamedTuple):
    task: JudgeTask
    error: ModelError
    attempts: int


class ModelJudge:
    """Asks a model which annotations a completion reflects.

    Args:
        name: of the model, as judgements record it.
        engine: sends the requests; equal ones are sent once.
        asking: how the model is asked.
    """

    def __init__(self, name: str, engine: Engine, asking: Asking) -> None:
        self.name = name
        self.prompt_hash: str | None = prompt_hash(asking.prompts)
        self._engine = engine
        self._asking = asking
        self._standing = Standing()

    async def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        """One judgement for each task, in the order in which they end."""
        questions: dict[int, _Question] = {}
        unasked: deque[JudgeTask] = deque()
        undecided: list[_Failed] = []  # failed before anything was judged: whose fault is it?

        async with aclosing(
            self._engine.run(_requests(tasks, self._asking, questions, unasked))
        ) as results:
            async for result in results:
                while unasked:
                    yield self._unasked(unasked.popleft())
                opened, number = questions.pop(result.index)
                opened.answers[number] = result
                opened.awaited -= 1
                if opened.awaited:
                    continue
                outcome = self._outcome(opened)
                if isinstance(outcome, Judgement):
                    self._standing.note_served()
                    yield outcome
                elif outcome.error.is_transient or self._standing.has_served:
                    yield self._failure(outcome)
                else:
                    undecided.append(outcome)
                if self._standing.has_served:
                    while undecided:
                        yield self._failure(undecided.pop())
                # Results that are there already come without a pause: let others send.
                await asyncio.sleep(0)
        for task in unasked:
            yield self._unasked(task)
        for failed in undecided:
            yield self._failure(failed)

    def _outcome(self, opened: _Open) -> Judgement | _Failed:
        """The judgement in a task's answers, or why there is none."""
        answers = [answer for answer in opened.answers if answer is not None]
        attempts = max(answer.attempts for answer in answers)
        for answer in answers:
            if answer.error is not None:
                return _Failed(opened.task, answer.error, attempts)
        try:
            return self._judgement(opened.task, self._asking.words(opened.task, answers))
        except Malformed as error:
            return _Failed(opened.task, error, attempts)

    def _unasked(self, task: JudgeTask) -> Judgement:
        return self._judgement(task, self._asking.words(task, []) if task.annotations else [])

    def _judgement(self, task: JudgeTask, words: Sequence[VerdictWord]) -> Judgement:
        return judgement_of(task, words, judge=self.name, prompt_hash=self.prompt_hash)

    def _failure(self, failed: _Failed) -> Judgement:
        return Judgement(
            completion_id=failed.task.id,
            failure=self._standing.failure(failed.error, failed.attempts),
            judge=self.name,
            prompt_hash=self.prompt_hash,
        )


def _requests(
    tasks: Iterable[JudgeTask],
    asking: Asking,
    questions: dict[int, _Question],
    unasked: deque[JudgeTask],
) -> Iterator[ChatRequest]:
    """The requests of all tasks, drawn as the engine takes them; whose each one is."""
    asked = 0
    for task in tasks:
        requests = asking.requests(task) if task.annotations else []
        if not requests:
            unasked.append(task)
            continue
        opened = _Open(task, [None] * len(requests), len(requests))
        for number, request in enumerate(requests):
            questions[asked] = _Question(opened, number)
            asked += 1
            yield request
