"""The reward of Perception-R1 as one asynchronous reward function for TRL's `GRPOTrainer`.

    with PerceptionReward(config, partial(opened_judge, judge, store), ...) as reward:
        trainer = GRPOTrainer(model, reward_funcs=reward, train_dataset=dataset, ...)
        trainer.train()

It is one function, and not one for each part, because of what TRL makes of None: beside other
functions a None counts as 0, while a completion for which the only function returns None is left
out of its group's mean and deviation and gets advantage 0 (TRL 1.16,
`GRPOTrainer._generate_and_score_completions`). The parts are logged beside it.

Data parallel: each process has a reward of its own for its own completions. TRL gathers the
rewards, None as NaN, before it normalises the groups; it averages the metrics over processes and
gathers the columns. `stop_reason` is each process's own: they have to agree before they stop.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from types import TracebackType
from typing import Any, Self

from ..answers import AnswerCheck
from ..judge.judge import JudgeTask
from ..schemas.errors import Pr1Error, ServiceDown
from ..schemas.outcomes import Judgement
from ..schemas.records import TrainAnnotation
from ..schemas.training import RewardConfig
from .answer_process import AnswerProcesses
from .loop import BackgroundLoop
from .repetition import repetition_penalty
from .reward_log import quieten_unscored_rows, reward_columns, reward_metrics
from .scoring import PolicyCompletion, ScoredCompletion, check_accuracy, reward_breakdown
from .trl_columns import TokenLimit, read_completions
from .watched_judge import OpenJudge, WatchedJudge

log = logging.getLogger(__name__)

NOT_COMPARED = AnswerCheck(None, "timeout")
TOKENS_AT_A_TIME = 4_096
"""Counted before others in the loop have their turn: 2 ms if all repeat; the judge waits there."""


class PerceptionReward:
    """Scores completions by format, accuracy, visual annotations, repetition and length.

    Answers are compared, in a process of their own, while the judge is asked. The judge is opened
    at the first call, in an event loop of the reward's own, and serves every call until `close`,
    whatever loop that is in.

    Args:
        config: weights and options.
        open_judge: makes the judge's context; called once.
        max_completion_length: the trainer's, in tokens.
        end_ids: the token ids that end a completion. One that reaches the limit without them was
            cut, and has accuracy 0.
        on_scored: is handed the completions of each call, in their order.

    Source: Perception-R1 (arXiv 2506.07218), section 4.
    """

    __name__ = "perception_reward"

    def __init__(
        self,
        config: RewardConfig,
        open_judge: OpenJudge,
        *,
        max_completion_length: int,
        end_ids: Collection[int] = (),
        on_scored: Callable[[list[ScoredCompletion]], None] | None = None,
    ) -> None:
        from trl.rewards import get_soft_overlong_punishment

        tail = max(1, round(config.length_tail * max_completion_length))
        self._length = get_soft_overlong_punishment(max_completion_length, tail)
        self._limit = TokenLimit(max_completion_length, frozenset(end_ids))
        self._config = config
        self._on_scored = on_scored
        self._judge = WatchedJudge(open_judge, config.max_judge_failures)
        self._answers = AnswerProcesses()
        self._loop = BackgroundLoop()
        self._grader_trouble: str | None = None
        quieten_unscored_rows()

    @property
    def stop_reason(self) -> str | None:
        """Why the run should save a checkpoint and stop; None while all is well.

        The judge's service fails too often or has ended for good, and the visual part has a weight;
        or the process that checks answers, or the one that compares formulas, cannot be kept
        running. What was concerned is not scored.
        """
        return self._grader_trouble or (self._judge.trouble if self._config.visual else None)

    async def __call__(
        self,
        *,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        trainer_state: Any = None,
        log_metric: Callable[[str, float], None] | None = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """The reward of each completion, in order; None for one that is not scored.

        Args:
            completions: texts, or conversations of which the assistant's turns count.
            completion_ids: their tokens.
            trainer_state: its `global_step` is recorded.
            log_metric: takes a name and the batch's mean.
            log_extra: takes a name and a value for each completion.
            columns: of the training data: `trl_columns.COLUMNS`, and `judgement` where a
                `rollout_func` has had completions judged already.

        Raises:
            UsageError: a column is missing, or the judge cannot be opened.
        """
        read = read_completions(completions, completion_ids, columns, self._limit)
        step = getattr(trainer_state, "global_step", 0)
        scored = await asyncio.wrap_future(
            self._loop.submit(self._score(read, completion_ids, step))
        )
        if log_metric is not None:
            for name, value in reward_metrics(scored).items():
                log_metric(name, value)
        if log_extra is not None:
            for name, values in reward_columns(scored).items():
                log_extra(name, values)
        if self._on_scored is not None:
            self._on_scored(scored)
        return [one.breakdown.total for one in scored]

    def check_judge(self) -> None:
        """Asks the judge one question, so that no run starts without a judge.

        Raises:
            ServiceDown: it did not answer.
            UsageError, MissingExtra: it cannot be opened.
        """
        annotation = TrainAnnotation(id=1, statement="AB = 5", kind="length")
        never_asked = f"In picture {secrets.randbits(48)}, AB = 5."  # so not in the store
        task = JudgeTask("check", (annotation,), never_asked)
        (judgement,) = self._loop.submit(self._judge.ask([task])).result()
        if judgement.failure is not None:
            raise ServiceDown(
                f"the judge {judgement.judge} does not judge: "
                f"{judgement.failure.reason.rstrip('.')}. Start it, or name another in the recipe."
            )

    def close(self) -> None:
        """Stops what is still being scored, closes the judge and ends the checks' process."""
        self._loop.close(self._aclose)

    def __enter__(self) -> Self:
        self._loop.submit(self._answers.start())  # ready by the time of the first step
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def _aclose(self) -> None:
        try:
            await self._answers.aclose()
        finally:
            await self._judge.aclose()

    async def _score(
        self,
        completions: list[PolicyCompletion],
        completion_ids: Sequence[Sequence[int]],
        step: int,
    ) -> list[ScoredCompletion]:
        judgements, checks, penalties = await asyncio.gather(
            self._judgements(completions, step),
            self._checks(completions),
            self._penalties(completion_ids),
        )
        parts = zip(completions, checks, judgements, penalties, strict=True)
        return [
            ScoredCompletion(
                step,
                completion,
                reward_breakdown(
                    self._config, completion, check, judgement, repetition=repetition, length=length
                ),
                judgement,
            )
            for completion, check, judgement, (repetition, length) in parts
        ]

    async def _judgements(
        self, completions: list[PolicyCompletion], step: int
    ) -> list[Judgement | None]:
        """What the judge says of each; None where there is nothing to ask."""
        judgements = [completion.judgement for completion in completions]
        places = [
            n
            for n, completion in enumerate(completions)
            if completion.annotations and completion.judgement is None
        ]
        tasks = [
            JudgeTask(f"{one.problem_id}@{step}.{n}", one.annotations, one.text)
            for n, one in ((n, completions[n]) for n in places)
        ]
        if tasks:
            for n, judgement in zip(places, await self._judge.ask(tasks), strict=True):
                judgements[n] = judgement
        return judgements

    async def _checks(self, completions: list[PolicyCompletion]) -> list[AnswerCheck]:
        try:
            return await check_accuracy(completions, self._answers.check)
        except Pr1Error as error:
            log.error("%s", error)
            self._grader_trouble = str(error)
            return [NOT_COMPARED] * len(completions)

    async def _penalties(
        self, completion_ids: Sequence[Sequence[int]]
    ) -> list[tuple[float, float]]:
        """Each completion's repetition and length."""
        penalties = []
        tokens = 0
        for token_ids in completion_ids:
            (length,) = self._length([list(token_ids)])
            penalties.append((repetition_penalty(token_ids), length))
            tokens += len(token_ids)
            if tokens > TOKENS_AT_A_TIME:
                tokens = 0
                await asyncio.sleep(0)
        return penalties
