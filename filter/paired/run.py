"""The paired difficulty pass over the problems that the cheap filters left.

    select    K rollouts under a and b (and blind, where asked); then as many again, under a and b,
              of each problem of which either is undetermined, up to the most that is allowed
    confirm   fresh rollouts under a, b and s of the problems that seem perception-limited
    decide    a bucket for each problem

The problems are read anew for each of these rounds, so that memory holds counts and no pictures.
Which rollouts are asked for follows from the answers alone: a resumed run asks for the same ones,
and finds them in the response store.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ...llm.engine import Engine
from ...schemas.config import PolicyConfig
from ...schemas.manifest import Failure
from ...schemas.progress import OnProgress, Progress
from ...schemas.records import AnnotatedProblem, Condition, PairedOutcome
from ..checks import usable_annotations
from .buckets import decide
from .conditions import Wanted, rollouts
from .counts import NOTHING, ByCondition, Rolled
from .donors import Donor, Donors
from .rollouts import Asked, Ended, roll_out
from .summary import PairedSummary, refuse_unscored, summarise
from .testing import FRESH, candidates
from .thresholds import chance, needs_more, schedule, solve_threshold

LEVEL = 0.1
"""The share of false ones among the problems called perception-limited, at most."""


@dataclass(frozen=True)
class Findings:
    """What came of the pass.

    Attributes:
        outcomes: by problem id, in the order of the problems.
        failures: why problems could not be judged, by problem id.
        reasons: what completions were without being answers, and why they were not scored.
        without_donor: candidates for which no other problem could lend its annotations.
    """

    outcomes: Mapping[str, PairedOutcome]
    failures: Mapping[str, Failure]
    summary: PairedSummary
    reasons: Counter[str]
    without_donor: int


Want = Callable[[AnnotatedProblem], Mapping[Condition, Wanted]]


class PairedPass:
    """One pass.

    Args:
        engine: asks the policy.
        problems: reads the problems, with distinct ids, from the start whenever it is called.
        pictures: by problem id, the perceptual hashes of its pictures.
        policy: how it is rolled out.
        seed: of everything random.
        on_progress: told whenever problems have ended.
    """

    def __init__(
        self,
        engine: Engine,
        problems: Callable[[], Iterator[AnnotatedProblem]],
        pictures: Mapping[str, Sequence[int]],
        policy: PolicyConfig,
        seed: int,
        on_progress: OnProgress,
    ) -> None:
        self._engine = engine
        self._problems = problems
        self._pictures = pictures
        self._policy = policy
        self._seed = seed
        self._on_progress = on_progress
        self._rolled: dict[str, Rolled] = {}
        self._failures: dict[str, Failure] = {}
        self._reasons: Counter[str] = Counter()
        self._without_donor = 0

    async def run(self) -> Findings:
        """What the pass finds.

        Raises:
            TooManyFailures: too many rollouts could not be graded to conclude anything.
            ServiceDown, BudgetSpent, RunStopped: as `Engine.run`; the same pass over the same
                response store goes on.
        """
        asked = 0
        for total in schedule(self._policy.rollouts, self._policy.max_rollouts):
            await self._select(asked, total)
            asked = total
        refuse_unscored(list(self._rolled.values()))
        await self._confirm()
        problems = list(self._rolled.values())
        refuse_unscored(problems)
        outcomes = decide(problems, LEVEL)
        return Findings(
            outcomes={rolled.id: found for rolled, found in zip(problems, outcomes, strict=True)},
            failures=self._failures,
            summary=summarise(problems, outcomes, LEVEL, self._seed),
            reasons=self._reasons,
            without_donor=self._without_donor,
        )

    async def _select(self, asked: int, total: int) -> None:
        """Give each problem that needs it `total` rollouts, of which it has `asked`."""
        ids: Collection[str] = self._pictures.keys()
        if asked:
            ids = {
                rolled.id
                for rolled in self._rolled.values()
                if needs_more(rolled.selected, rolled.threshold)
            }

        def want(problem: AnnotatedProblem) -> Mapping[Condition, Wanted]:
            if asked:
                return _both(problem, range(asked, total))
            self._rolled[problem.id] = _unrolled(problem)
            return first_round(problem, self._policy)

        async for ended in self._round(ids, want, f"rollouts {asked + 1} to {total}"):
            rolled = self._rolled[ended.id]
            self._rolled[ended.id] = replace(
                rolled, selected=_together(rolled.selected, ended.counts)
            )

    async def _confirm(self) -> None:
        """Roll the candidates out afresh, beside the control."""
        found = candidates(list(self._rolled.values()), LEVEL)
        if not found:
            return
        lent = await self._lent({rolled.id for rolled in found})
        self._without_donor = len(found) - len(lent)

        def want(problem: AnnotatedProblem) -> Mapping[Condition, Wanted]:
            return {
                "a": Wanted("confirm", range(FRESH)),
                "b": Wanted("confirm", range(FRESH), facts_of(problem)),
                "s": Wanted("control", range(FRESH), lent[problem.id]),
            }

        async for ended in self._round(lent.keys(), want, "confirmation"):
            self._rolled[ended.id] = replace(self._rolled[ended.id], fresh=ended.counts)

    async def _lent(self, ids: set[str]) -> dict[str, Sequence[str]]:
        """By id, the facts of another problem; without those for which there are none."""
        donors, own = Donors(), []
        for problem in self._problems():
            donor = Donor(problem.id, facts_of(problem), self._pictures[problem.id])
            donors.add(donor)
            if donor.id in ids:
                own.append(donor)
            await asyncio.sleep(0)  # a Ctrl-C is heard
        found = ((problem.id, donors.find(problem, self._seed)) for problem in own)
        return {id_: donor.facts for id_, donor in found if donor is not None}

    async def _round(
        self, ids: Collection[str], want: Want, doing: str
    ) -> AsyncGenerator[Ended, None]:
        """What became of the rollouts of the problems `ids`; failed ones leave the pass."""

        def asked() -> Iterator[Asked]:
            for problem in self._problems():
                if problem.id in ids:
                    wanted = rollouts(problem, want(problem), self._policy, self._seed)
                    yield Asked(problem, wanted)

        if not ids:
            return
        done = 0
        failed = Counter(failure.error for failure in self._failures.values())
        async with aclosing(roll_out(self._engine, asked())) as round_:
            async for ended in round_:
                done += 1
                if ended.failure is None:
                    self._reasons += ended.reasons
                    yield ended
                else:
                    del self._rolled[ended.id]
                    self._failures[ended.id] = ended.failure
                    failed[ended.failure.error] += 1
                self._on_progress(
                    Progress(done, len(ids), failed, self._engine.traffic(), doing=doing)
                )


def _unrolled(problem: AnnotatedProblem) -> Rolled:
    by_chance = chance(problem.choices, problem.question, problem.answer)
    return Rolled(problem.id, solve_threshold(by_chance), selected={})


def first_round(problem: AnnotatedProblem, policy: PolicyConfig) -> dict[Condition, Wanted]:
    """What is asked about every problem."""
    indices = range(policy.rollouts)
    blind: dict[Condition, Wanted] = {"blind": Wanted("select", indices)} if policy.blind else {}
    return _both(problem, indices) | blind


def _both(problem: AnnotatedProblem, indices: range) -> dict[Condition, Wanted]:
    return {"a": Wanted("select", indices), "b": Wanted("select", indices, facts_of(problem))}


def facts_of(problem: AnnotatedProblem) -> list[str]:
    """What the policy is told under `b`: the statements that the reward asks for."""
    return [annotation.statement for annotation in usable_annotations(problem)]


def _together(first: ByCondition, second: ByCondition) -> ByCondition:
    return {
        **first,
        **{name: first.get(name, NOTHING).plus(counts) for name, counts in second.items()},
    }
