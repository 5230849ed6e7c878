"""What a judge is: tasks go in, one judgement for each comes out.

A task is one completion with the annotations asked of it. Who judges (rules, a model in this
process, a model behind an address, or rules and a model together) is `opening.py`'s matter.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import NamedTuple, Protocol

from ..schemas.outcomes import Judgement, Verdict, VerdictWord
from ..schemas.records import TrainAnnotation


class JudgeTask(NamedTuple):
    """One completion to be judged.

    Attributes:
        id: of the completion; the judgement carries it, and no two tasks of a run share one.
        annotations: the visual annotations asked of it, with ids of their own.
        completion: the whole text, verbatim.
        beside: annotations of the completion that are decided elsewhere.
    """

    id: str
    annotations: tuple[TrainAnnotation, ...]
    completion: str
    beside: tuple[TrainAnnotation, ...] = ()


class Judge(Protocol):
    """Says of each annotation whether a completion reflects it.

    Attributes:
        name: `rules`, `embedded`, `provider/model` or `hybrid:...`, as judgements record it.
        prompt_hash: sha256 of what a model is told; None where none is asked.
    """

    @property
    def name(self) -> str:
        """Who judges."""
        ...

    @property
    def prompt_hash(self) -> str | None:
        """Of the instructions to a model."""
        ...

    def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        """One judgement for each task, in the order in which they end.

        Leaving the loop early needs `contextlib.aclosing`, as with every asynchronous generator. A
        task that asks for nothing is judged with no verdicts.

        Raises:
            ServiceDown: the service rejects the key or answered nothing for long.
            BudgetSpent: the next request might break the budget.
            RunStopped: an answer cannot be stored.
        """
        ...


def judgement_of(
    task: JudgeTask, words: Sequence[VerdictWord], *, judge: str, prompt_hash: str | None = None
) -> Judgement:
    """The judgement that gives the task's annotations these verdicts, in their order."""
    return Judgement(
        completion_id=task.id,
        verdicts=[
            Verdict(annotation_id=annotation.id, verdict=word)
            for annotation, word in zip(task.annotations, words, strict=True)
        ],
        judge=judge,
        prompt_hash=prompt_hash,
    )
