"""One round of rollouts: asked side by side, graded problem by problem, counted.

    problems ─▶ requests ─▶ engine ─▶ completions ─▶ graded in a thread ─▶ counts

Memory holds the problems in flight. What becomes of a rollout:

| the policy | the rollout |
|---|---|
| gives the right answer | solved |
| gives another answer, none, or declines | tried |
| is cut by the token limit | tried and cut: wrong, whatever its text says |
| writes what takes too long to compare, twice | unscored |
| cannot be asked: the service fails, or rejects the request | lost, and the problem fails |
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from ...answers import AnswerItem, check_answers
from ...llm.chat import ChatRequest, ChatResponse
from ...llm.engine import Engine, Result
from ...schemas.errors import InputError
from ...schemas.manifest import Failure
from ...schemas.records import AnnotatedProblem, Condition
from .conditions import Rollout
from .counts import Counts, Graded, count

STAGE = "filter"
NO_REFERENCE = (
    "reference_unparsable",
    "no answer can be compared with the reference answer. Correct it in the source.",
)
GRADED_AT_ONCE = 4  # problems; a formula may keep one of them busy for seconds


class Asked(NamedTuple):
    """A problem and what is asked about it."""

    problem: AnnotatedProblem
    rollouts: Iterator[Rollout]


class Ended(NamedTuple):
    """What became of a problem's rollouts.

    Attributes:
        counts: by condition.
        reasons: what completions were without being answers (`refused`, `no_answer`, ...), and why
            they were not scored -> how many.
        failure: why the problem cannot be judged; then the counts mean nothing.
    """

    id: str
    counts: dict[Condition, Counts]
    reasons: Counter[str]
    failure: Failure | None = None


@dataclass
class _Open:
    """A problem some of whose rollouts are under way."""

    id: str
    question: str
    awaited: int
    answered: list[tuple[Rollout, Result]] = field(default_factory=list)


class _Asking:
    """Makes the requests of a round and knows whose answer an answer is."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        self.unsendable: list[Ended] = []
        self._asked = asked
        self._questions: dict[int, tuple[_Open, Rollout]] = {}

    def requests(self) -> Iterator[ChatRequest]:
        """The requests of all problems, made as the engine takes them."""
        index = 0
        for problem, lazily in self._asked:
            try:
                rollouts = list(lazily)
            except InputError as error:
                failure = _failure(problem.id, error.code, error.message)
                self.unsendable.append(Ended(problem.id, {}, Counter(), failure))
                continue
            opened = _Open(problem.id, problem.question, len(rollouts))
            for rollout in rollouts:
                self._questions[index] = opened, rollout
                index += 1
                yield rollout.request

    def receive(self, result: Result) -> _Open | None:
        """The problem, when this was the last of its answers."""
        opened, rollout = self._questions.pop(result.index)
        opened.answered.append((rollout, result))
        return opened if len(opened.answered) == opened.awaited else None


async def roll_out(engine: Engine, asked: Iterable[Asked]) -> AsyncGenerator[Ended, None]:
    """What became of each problem's rollouts, in the order in which they end.

    Leaving the loop early needs `contextlib.aclosing`, as with `Engine.run`.

    Raises:
        ServiceDown, BudgetSpent, RunStopped: as `Engine.run`.
        Pr1Error: the process that compares formulas cannot be started.
    """
    asking = _Asking(asked)
    grading: set[asyncio.Task[Ended]] = set()
    try:
        async with aclosing(engine.run(asking.requests())) as results:
            async for result in results:
                if (opened := asking.receive(result)) is not None:
                    grading.add(asyncio.create_task(asyncio.to_thread(_graded, opened)))
                # Results that are there already come without a pause: let others send.
                await asyncio.sleep(0)
                while len(grading) >= GRADED_AT_ONCE:
                    done, grading = await asyncio.wait(grading, return_when="FIRST_COMPLETED")
                    for task in done:
                        yield task.result()
        while grading:
            done, grading = await asyncio.wait(grading)
            for task in done:
                yield task.result()
        for ended in asking.unsendable:
            yield ended
    finally:
        for task in grading:
            task.cancel()
        await asyncio.gather(*grading, return_exceptions=True)


def _graded(opened: _Open) -> Ended:
    lost = [result for _, result in opened.answered if result.response is None]
    if lost:
        return Ended(opened.id, {}, Counter(), _lost(opened, lost))
    answered = [
        _Answered(rollout, result.response)
        for rollout, result in sorted(opened.answered, key=lambda answer: answer[1].index)
        if result.response is not None
    ]
    to_check = [one.item(opened.question) for one in answered if one.fault is None]
    checks = iter(_checked(to_check))
    reasons: Counter[str] = Counter()
    graded: defaultdict[Condition, list[Graded]] = defaultdict(list)
    for one in answered:
        is_correct, reason = next(checks) if one.fault is None else (False, one.fault)
        graded[one.rollout.condition].append(Graded(is_correct, is_cut=reason == "cut"))
        reasons[reason] += reason not in ("equal", "different", "cut")
    counts = {condition: count(some) for condition, some in graded.items()}
    failure = _failure(opened.id, *NO_REFERENCE) if reasons[NO_REFERENCE[0]] else None
    return Ended(opened.id, counts, +reasons, failure)


class _Answered(NamedTuple):
    rollout: Rollout
    response: ChatResponse

    @property
    def fault(self) -> str | None:
        """Why the completion is wrong before anybody looks at its answer."""
        if self.response.refusal is not None:
            return "refused"
        return "cut" if self.response.finish == "length" else None

    def item(self, question: str) -> AnswerItem:
        """The completion, to be compared with the answer of the problem as it was shown."""
        choices, answer = self.rollout.shown
        return AnswerItem(self.response.text, answer, choices, question)


def _checked(items: list[AnswerItem]) -> list[tuple[bool | None, str]]:
    """Whether each answer is right, and why; what took too long is compared once more."""
    checks = check_answers(items)
    late = [number for number, check in enumerate(checks) if check.reason == "timeout"]
    again = check_answers([items[number] for number in late])
    for number, check in zip(late, again, strict=True):
        checks[number] = check
    return [(check.is_correct, check.reason) for check in checks]


def _lost(opened: _Open, lost: list[Result]) -> Failure:
    error = lost[0].error
    assert error is not None
    message = f"{len(lost)} of {opened.awaited} rollouts did not come; the first: {error}"
    attempts = max(1, *(result.attempts for result in lost))
    return _failure(opened.id, error.code, message, attempts)


def _failure(id_: str, error: str, message: str, attempts: int = 1) -> Failure:
    return Failure(id=id_, stage=STAGE, error=error, message=message, attempts=attempts)
