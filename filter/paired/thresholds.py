"""When is a problem solved? Above which solve rate, and how sure must one be?

The threshold lies halfway between guessing and always being right: .5 for an open question, .625
with four options, .75 for True or False. A rate itself is never known; under a uniform prior its
posterior after s solved of n is Beta(1 + s, 1 + n − s). A problem is *solved* when the rate exceeds
the threshold with a probability above .9, *unsolved* when with one below .1, else *undetermined*.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from ...answers.choices import lettered_options, read_options
from ...answers.shapes import read_polarity
from ...answers.text import plain
from ...schemas.records import Condition
from ...stats import posterior_above
from .counts import NOTHING, ByCondition, Counts

State = Literal["solved", "unsolved", "undetermined"]

SURE = 0.9
TRUE_OR_FALSE = 1 / 2
LETTER_ONLY = 1 / 4
"""Where the reference is a letter and the options stand in the picture: taken for four."""


def chance(choices: Sequence[str] | None, question: str, answer: str) -> float:
    """The probability of guessing right: one over the number of options, 0 for an open question.

    Options are those given, else those that the question lists. A reference that is yes or no, true
    or false, has two.

    Args:
        choices: the texts of the options, or None; a single option is none.
        question: the question.
        answer: the reference answer.

    Example:
        >>> chance(["3", "4", "5", "6"], "How long?", "B")
        0.25
        >>> chance(None, "Is AB vertical?", "yes")
        0.5
    """
    options = read_options(choices, question)
    if options is not None and len(options.texts) > 1:
        return 1 / len(options.texts)
    wanted = plain(answer)
    if read_polarity(wanted) is not None:
        return TRUE_OR_FALSE
    return LETTER_ONLY if lettered_options(wanted) else 0.0


def solve_threshold(chance: float) -> float:
    """The solve rate halfway between guessing and always being right: .5 to below 1."""
    return chance + (1 - chance) / 2


@lru_cache(maxsize=65_536)  # thousands of problems have the same few counts
def posterior(counts: Counts, threshold: float) -> float:
    """The probability that the solve rate exceeds the threshold."""
    return posterior_above(counts.solved, counts.tried, threshold)


def state_of(counts: Counts, threshold: float) -> State:
    """Whether the problem is solved under the condition that these counts are of."""
    probability = posterior(counts, threshold)
    if probability > SURE:
        return "solved"
    return "unsolved" if probability < 1 - SURE else "undetermined"


def states_of(selected: ByCondition, threshold: float) -> dict[Condition, State]:
    """Whether the problem is solved, by condition; undetermined where nothing was tried."""
    conditions: tuple[Condition, ...] = ("a", "b", "blind")
    return {name: state_of(selected.get(name, NOTHING), threshold) for name in conditions}


def needs_more(selected: ByCondition, threshold: float) -> bool:
    """Whether `a` or `b` is undetermined, so that both are to be rolled out further.

    By the posteriors alone. Stopping by a p-value would make it a p-value no more: looking at it
    after 8, 16 and 32 rollouts finds a difference at .05 in up to a tenth of problems without any
    (docs/statistics.md).
    """
    states = states_of(selected, threshold)
    return "undetermined" in (states["a"], states["b"])


def schedule(first: int, most: int) -> list[int]:
    """How many rollouts each condition is to have in all, stage by stage: doubled up to `most`.

    Args:
        first: of the first stage, 1 or more (K).
        most: of the last; below `first` there is one stage only.

    Example:
        >>> schedule(8, 32), schedule(6, 32), schedule(8, 8)
        ([8, 16, 32], [6, 12, 24, 32], [8])
    """
    totals = [first]
    while totals[-1] < most:
        totals.append(min(2 * totals[-1], most))
    return totals
