"""The judge of a training run: opened once, asked at each step, and watched for failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing

from ..judge.judge import Judge, JudgeTask
from ..schemas.errors import RunStopped
from ..schemas.outcomes import JudgeFailure, Judgement

log = logging.getLogger(__name__)

WINDOW = 256
"""Completions over which failures are counted, or the last batch where that is larger."""

OpenJudge = Callable[[], AbstractAsyncContextManager[Judge]]


class WatchedJudge:
    """A judge that is opened when it is first asked. Belongs to one event loop.

    Args:
        open_judge: makes the judge's context; called once.
        max_failures: share of completions that its service may leave unjudged.

    Attributes:
        trouble: why training on what it says makes no sense any more, or None.
    """

    def __init__(self, open_judge: OpenJudge, max_failures: float) -> None:
        self._open_judge = open_judge
        self._max_failures = max_failures
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._judge: Judge | None = None
        self._has_failed: list[bool] = []
        self.trouble: str | None = None

    async def ask(self, tasks: Sequence[JudgeTask]) -> list[Judgement]:
        """A judgement for each task, in order; a failure of the service where none came back.

        Raises:
            UsageError, MissingExtra: the judge cannot be opened.
        """
        judge = await self._opened_judge()
        judgements: dict[str, Judgement] = {}
        reason = "the judge gave no judgement"
        try:
            async with aclosing(judge.judge(tasks)) as results:
                async for judgement in results:
                    judgements[judgement.completion_id] = judgement
        except RunStopped as error:
            reason = str(error)
            self._report(reason)
        failure = JudgeFailure(reason=reason, attempts=1, cause="service")
        answered = [
            judgements.get(task.id)
            or Judgement(completion_id=task.id, failure=failure, judge=judge.name)
            for task in tasks
        ]
        self._watch(answered, judge.name)
        return answered

    async def aclose(self) -> None:
        """Closes the judge; it is opened again when it is asked again."""
        self._judge = None
        await self._opened.aclose()

    async def _opened_judge(self) -> Judge:
        async with self._opening:
            if self._judge is None:
                self._judge = await self._opened.enter_async_context(self._open_judge())
            return self._judge

    def _watch(self, judgements: Sequence[Judgement], name: str) -> None:
        """Reports a service that has failed too often of late.

        The share is taken of a full window, so that the first failure of a run is no trouble.
        """
        reasons = [
            one.failure.reason if one.failure and one.failure.cause == "service" else None
            for one in judgements
        ]
        window = max(WINDOW, len(reasons))
        self._has_failed = [*self._has_failed, *(one is not None for one in reasons)][-window:]
        failed = sum(self._has_failed)
        if failed > self._max_failures * window:
            last = next((one for one in reversed(reasons) if one), "see the log")
            self._report(
                f"the judge {name} left {failed} of the last {len(self._has_failed)} completions "
                f"unjudged, more than max_judge_failures = {self._max_failures:g} allows. The last "
                f"reason: {last.rstrip('.')}. See to the judge."
            )

    def _report(self, reason: str) -> None:
        if self.trouble is None:
            log.error("%s", reason)
            self.trouble = reason
