"""A judge without a model: tests of what stands above judges script its verdicts."""

import asyncio
from contextlib import asynccontextmanager

from pr1.judge.judge import judgement_of
from pr1.schemas.outcomes import JudgeFailure, Judgement


def service_failure(reason="overloaded"):
    return JudgeFailure(reason=reason, attempts=7, cause="service")


def broken_completion(reason="too long for the judge"):
    return JudgeFailure(reason=reason, attempts=3, cause="completion")


class ScriptedJudge:
    """Answers each task by `answer(task)`: a word for each annotation, or a failure.

    A raised error ends the run, as an engine's would. `open` is what `PerceptionReward` wants.
    """

    name = "scripted"
    prompt_hash = None

    def __init__(self, answer):
        self.answer = answer
        self.tasks = []
        self.events = []
        self.loops = set()

    @asynccontextmanager
    async def open(self):
        self.events.append("opened")
        await asyncio.sleep(0.01)  # long enough for a second call to come meanwhile
        yield self
        self.events.append("closed")

    async def judge(self, tasks):
        self.loops.add(asyncio.get_running_loop())
        for task in reversed(list(tasks)):  # results come in any order
            self.tasks.append(task)
            await asyncio.sleep(0)
            said = self.answer(task)
            if isinstance(said, JudgeFailure):
                yield Judgement(completion_id=task.id, failure=said, judge=self.name)
            else:
                yield judgement_of(task, said, judge=self.name)


def always(word):
    return lambda task: [word] * len(task.annotations)
