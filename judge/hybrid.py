"""Rules and a model together: rules decide what they decide safely, the model the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from typing import NamedTuple

from ..schemas.outcomes import Judgement, VerdictWord
from .decide import Decision, decide, reading_of
from .judge import Judge, JudgeTask, judgement_of


class _Half(NamedTuple):
    """A task of which the rules have decided a part."""

    task: JudgeTask
    decisions: list[Decision]


class HybridJudge:
    """Asks a model only about the annotations that the rules are not sure of.

    Attributes:
        decided: annotations that the rules decided so far.
        asked: annotations that the model was asked about.
    """

    def __init__(self, model: Judge) -> None:
        self.name = f"hybrid:{model.name}"
        self.prompt_hash = model.prompt_hash
        self.decided = self.asked = 0
        self._model = model

    async def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        """One judgement for each task, in the order in which they end."""
        halves: dict[str, _Half] = {}
        ready: deque[Judgement] = deque()
        async with aclosing(self._model.judge(self._open(tasks, halves, ready))) as judgements:
            async for judgement in judgements:
                while ready:
                    yield ready.popleft()
                yield self._whole(halves.pop(judgement.completion_id), judgement)
        for judgement in ready:
            yield judgement

    def facts(self) -> dict[str, object]:
        """How much the rules saved, for the manifest and the card."""
        share = self.decided / max(1, self.decided + self.asked)
        return {
            "annotations_decided_by_rules": self.decided,
            "annotations_asked_of_the_model": self.asked,
            "share_decided_by_rules": round(share, 4),
        }

    def _open(
        self, tasks: Iterable[JudgeTask], halves: dict[str, _Half], ready: deque[Judgement]
    ) -> Iterator[JudgeTask]:
        """What is left of each task for the model."""
        for task in tasks:
            reading = reading_of(task)
            decisions = [decide(one.statement, reading) for one in task.annotations]
            paired = zip(task.annotations, decisions, strict=True)
            rest = tuple(annotation for annotation, decision in paired if not decision.is_safe)
            self.asked += len(rest)
            self.decided += len(decisions) - len(rest)
            if rest:
                halves[task.id] = _Half(task, decisions)
                yield task._replace(annotations=rest, beside=task.annotations)
            else:
                ready.append(self._judgement(task, [one.verdict for one in decisions]))

    def _whole(self, half: _Half, judgement: Judgement) -> Judgement:
        """The rules' verdicts and the model's; the model's failure is the whole's."""
        if judgement.verdicts is None:
            return judgement.model_copy(update={"judge": self.name})
        answers = iter(judgement.verdicts)
        words: list[VerdictWord] = [
            decision.verdict if decision.is_safe else next(answers).verdict
            for decision in half.decisions
        ]
        return self._judgement(half.task, words)

    def _judgement(self, task: JudgeTask, words: list[VerdictWord]) -> Judgement:
        return judgement_of(task, words, judge=self.name, prompt_hash=self.prompt_hash)
