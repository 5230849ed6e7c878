"""The judge that asks no model: numbers, names, relations and words, read and compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from ..schemas.outcomes import Judgement
from .decide import decide, reading_of
from .judge import JudgeTask, judgement_of


class RulesJudge:
    """Decides by what the completion's words say; never fails, and the same text decides alike."""

    name = "rules"
    prompt_hash = None

    async def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        """One judgement for each task, in their order."""
        for task in tasks:
            reading = reading_of(task)
            words = [decide(one.statement, reading).verdict for one in task.annotations]
            yield judgement_of(task, words, judge=self.name)
            await asyncio.sleep(0)  # others wait in the same loop
