"""What the pass found over all problems, for the dataset card and the screen."""

from __future__ import annotations

import math
import typing
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...schemas.errors import TooManyFailures
from ...schemas.records import Bucket, Condition, PairedOutcome
from ...stats import SignFlip, sign_flip
from .buckets import decide
from .counts import NOTHING, Counts, Rolled
from .testing import candidates, is_tested
from .thresholds import states_of

MOST_UNSCORED = 0.05
"""Above this share of rollouts that could not be graded nothing is concluded."""


class TwoByTwo(NamedTuple):
    """How many problems are solved (a) from the image, (b) with the annotations.

    Attributes:
        undetermined: problems of which either is; in none of the other four.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    undetermined: int


@dataclass(frozen=True)
class PairedSummary:
    """The pass in figures.

    Attributes:
        level: the false-discovery level.
        table: by the posteriors alone; `only_b` is what seems perception-limited before the tests,
            blind-solved problems included.
        buckets: how many problems are in each, all six named.
        tested: problems with rollouts under both conditions.
        candidates: of those, the ones that seem perception-limited; rolled out afresh for
            confirmation where another problem could lend its annotations.
        confirmed: of those, the ones that were confirmed.
        mean_difference: solve rate under `b` minus under `a`, mean over the problems tested; None
            without any.
        global_test: the sign-flip test of that mean; None without any.
        rollouts: by condition, the counts over all problems, fresh ones included.
        buckets_without_cut: the buckets as if no rollout had been cut. A problem that becomes a
            candidate only then has no fresh rollouts, and counts as undetermined.
    """

    level: float
    table: TwoByTwo
    buckets: dict[Bucket, int]
    tested: int
    candidates: int
    confirmed: int
    mean_difference: float | None
    global_test: SignFlip | None
    rollouts: dict[Condition, Counts]
    buckets_without_cut: dict[Bucket, int]


def summarise(
    problems: Sequence[Rolled], outcomes: Sequence[PairedOutcome], level: float, seed: int
) -> PairedSummary:
    """The pass in figures.

    Args:
        problems: all of them, as they were decided on.
        outcomes: of `decide`, in the same order.
        level: the false-discovery level.
        seed: of the sign-flip test, where it has to draw.
    """
    # Sorted, so that signs drawn at random are the same in whatever order the problems come.
    differences = sorted(_difference(problem) for problem in problems if is_tested(problem))
    confirmations = [outcome.confirmation for outcome in outcomes if outcome.confirmation]
    without_cut = decide([problem.without_cut() for problem in problems], level)
    return PairedSummary(
        level=level,
        table=two_by_two(problems),
        buckets=count_buckets(outcomes),
        tested=len(differences),
        candidates=len(candidates(problems, level)),
        confirmed=sum(confirmation.is_confirmed for confirmation in confirmations),
        mean_difference=math.fsum(differences) / len(differences) if differences else None,
        global_test=sign_flip(differences, seed=seed) if differences else None,
        rollouts=count_rollouts(problems),
        buckets_without_cut=count_buckets(without_cut),
    )


def two_by_two(problems: Sequence[Rolled]) -> TwoByTwo:
    """How many problems are solved under either condition, both or neither."""
    states = (states_of(problem.selected, problem.threshold) for problem in problems)
    pairs = Counter((of_problem["a"], of_problem["b"]) for of_problem in states)
    both, neither = pairs["solved", "solved"], pairs["unsolved", "unsolved"]
    only_a, only_b = pairs["solved", "unsolved"], pairs["unsolved", "solved"]
    return TwoByTwo(both, only_a, only_b, neither, len(problems) - both - only_a - only_b - neither)


def count_buckets(outcomes: Sequence[PairedOutcome]) -> dict[Bucket, int]:
    """How many problems are in each bucket, empty ones included."""
    counted = Counter(outcome.bucket for outcome in outcomes)
    return {bucket: counted[bucket] for bucket in typing.get_args(Bucket)}


def count_rollouts(problems: Sequence[Rolled]) -> dict[Condition, Counts]:
    """By condition, the counts over all problems, fresh rollouts included."""
    counted: dict[Condition, Counts] = {}
    for problem in problems:
        for counts in (problem.selected, problem.fresh):
            for condition, of_condition in counts.items():
                counted[condition] = counted.get(condition, NOTHING).plus(of_condition)
    return counted


def refuse_unscored(problems: Sequence[Rolled], most: float = MOST_UNSCORED) -> None:
    """Refuse to conclude anything where too many rollouts could not be graded.

    Looked at condition by condition: a grader that fails under one of them shifts the comparison.

    Raises:
        TooManyFailures: above a share of `most`. Remedy: run the command again; what was answered
            is kept, and what was not graded is graded again.
    """
    for condition, counts in count_rollouts(problems).items():
        if counts.unscored > most * counts.asked:
            raise TooManyFailures(
                f"{counts.unscored:,} of {counts.asked:,} rollouts under condition {condition} "
                f"could not be graded, more than {most:.0%}: nothing can be concluded. Run the "
                "same command again: completions are kept, and graded again."
            )


def _difference(problem: Rolled) -> float:
    alone, told = problem.selected["a"], problem.selected["b"]
    return told.solved / told.tried - alone.solved / alone.tried
