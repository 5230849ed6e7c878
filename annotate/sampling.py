"""A problem whose trajectories are being sampled: what becomes of the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..llm.chat import ChatResponse
from ..llm.engine import Result
from ..schemas.config import CollectConfig
from ..schemas.errors import InputError
from ..schemas.manifest import Failure
from ..schemas.records import AnnotatedProblem, Trajectory
from .accuracy import checked_trajectories
from .ordered import Asked
from .sample_requests import sample_requests
from .source.formats import KEY_INFO_MODEL
from .source.problems import ProblemGroup
from .source.values import is_missing, read_text

STAGE = "collect"


@dataclass
class SampleTally:
    """What became of a run's samples; an answer from the store counts like a new one.

    Attributes:
        problems: that were asked about.
        verdicts: `Trajectory.is_correct` -> samples that came.
        cut: of those, how many the token limit cut.
        lost: reason -> samples that gave no trajectory (`refused`, `empty_answer`, ...).
        solved: problems with a correct sample.
        without_sample: problems for which no sample came.
        brought: trajectories that the source brought along.
        answered_by: the model, as the service names it -> samples that came.
    """

    problems: int = 0
    verdicts: Counter[bool | None] = field(default_factory=Counter)
    cut: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    solved: int = 0
    without_sample: int = 0
    brought: int = 0
    answered_by: Counter[str] = field(default_factory=Counter)

    def facts(self) -> dict[str, Any]:
        """The figures for the manifest and the card.

        A share of nothing is None; tables without entries are left out.
        """
        correct, wrong = self.verdicts[True], self.verdicts[False]
        tables = {"samples_lost_by_reason": self.lost, "answered_by": self.answered_by}
        return {
            "problems_asked": self.problems,
            "problems_with_a_correct_sample": self.solved,
            "problems_without_a_sample": self.without_sample,
            "samples": self.verdicts.total(),
            "samples_correct": correct,
            "samples_wrong": wrong,
            "samples_not_scored": self.verdicts[None],
            "samples_cut": self.cut,
            "samples_lost": self.lost.total(),
            "share_correct": _share(correct, correct + wrong),
            "correct_per_problem": _share(correct, self.problems),
            "trajectories_brought_along": self.brought,
            **{name: dict(sorted(table.items())) for name, table in tables.items() if table},
        }


class _Sample(NamedTuple):
    text: str
    response: ChatResponse


class _Lost(NamedTuple):
    """Why a sample gave no trajectory."""

    reason: str
    message: str
    attempts: int


class SampledProblem:
    """A problem on its way from the source to a row.

    Trajectories that the source brought along stay, in front of the samples, and are checked like
    them; a `visual_key_info` is none. A lost sample leaves the others; the problem fails when it
    has no trajectory at all.
    """

    def __init__(self, group: ProblemGroup, config: CollectConfig, tally: SampleTally) -> None:
        self.records = group.records
        self._problem = group.problem
        self._brought = [t for t in group.trajectories if t.model != KEY_INFO_MODEL]
        self._config = config
        self._tally = tally
        self._samples: dict[int, Trajectory] = {}
        self._lost: dict[int, _Lost] = {}

    async def receive(self, number: int, result: Result) -> None:
        """Take the answer to sample `number`, and check it."""
        sample = _usable_sample(result)
        if isinstance(sample, _Lost):
            self._lost[number] = sample
            return
        trajectory = self._trajectory(number, result, sample)
        check = asyncio.to_thread(checked_trajectories, self._problem, [trajectory])
        (self._samples[number],) = await check  # which may take seconds, for a formula
        self._tally.answered_by[sample.response.model or "(not stated)"] += 1

    def end(self) -> AnnotatedProblem | Failure:
        """The row, or why there is none."""
        samples = [self._samples[number] for number in sorted(self._samples)]
        self._count(samples)
        if not (samples or self._brought):
            return self._failure()
        return AnnotatedProblem(
            **dict(self._problem),
            trajectories=[*checked_trajectories(self._problem, self._brought), *samples],
        )

    def _trajectory(self, number: int, result: Result, sample: _Sample) -> Trajectory:
        request = result.request
        return Trajectory(
            id=self._unused_id(number),
            problem_id=self._problem.id,
            text=sample.text,
            model=self._config.model.name,
            sampling={
                "temperature": request.temperature,
                "max_tokens": request.max_tokens,
                "seed": request.seed,
                "sample_index": request.sample_index,
            },
            finish=sample.response.finish,
        )

    def _unused_id(self, number: int) -> str:
        """`p-s1`, `p-s2`, ... in the problem `p`, behind such names that it brought along."""
        taken = {trajectory.id for trajectory in self._brought}
        first = 1
        while any(f"{self._problem.id}-s{first + n}" in taken for n in range(self._config.samples)):
            first += 1
        return f"{self._problem.id}-s{first + number}"

    def _count(self, samples: list[Trajectory]) -> None:
        tally = self._tally
        tally.problems += 1
        tally.verdicts.update(sample.is_correct for sample in samples)
        tally.cut += sum(sample.finish == "length" for sample in samples)
        tally.lost.update(lost.reason for lost in self._lost.values())
        tally.solved += any(sample.is_correct for sample in samples)
        tally.without_sample += not samples
        tally.brought += len(self._brought)

    def _failure(self) -> Failure:
        first = self._lost[min(self._lost)]
        return Failure(
            id=self._problem.id,
            records=self.records,
            stage=STAGE,
            error=first.reason,
            message=f"none of {self._config.samples} samples came; the first: {first.message}",
            attempts=max(1, *(lost.attempts for lost in self._lost.values())),
        )


def open_sampling(
    group: ProblemGroup, config: CollectConfig, tally: SampleTally
) -> Asked | Failure:
    """The problem with what it asks, or why it cannot be asked about."""
    try:
        requests = sample_requests(group.problem, config)
    except InputError as error:
        return Failure(
            id=group.problem.id,
            records=group.records,
            stage=STAGE,
            error=error.code,
            message=error.message,
        )
    return Asked(SampledProblem(group, config, tally), requests)


def _usable_sample(result: Result) -> _Sample | _Lost:
    if result.error is not None:
        return _Lost(result.error.code, str(result.error), result.attempts)
    assert result.response is not None
    what = f"the answer of {result.response.model or 'the model'}"
    if is_missing(result.response.text):
        why = f"{what} is empty (finish: {result.response.finish}). A model that thinks first may "
        return _Lost("empty_answer", why + "need a larger --max-tokens.", result.attempts)
    try:
        return _Sample(read_text(result.response.text, what), result.response)
    except InputError as error:
        return _Lost(error.code, error.message, result.attempts)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
