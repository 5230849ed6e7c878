"""What each problem is: mastered, limited by perception or by reasoning, or none of these for sure.

|                        | solved with annotations | not                |
|---                     |---                      |---                 |
| solved from the image  | mastered                | annotations-hurt   |
| not                    | perception-limited      | reasoning-limited  |

By the posteriors alone, but for `perception-limited`, which takes two tests besides
(`testing.py`). A problem that fails either is `undetermined`: it looks limited by perception, and
that may be luck or the hint's work. So is one of which a condition is undetermined. `blind-solved`
goes before all of them: where the picture is not needed, nothing is learnt about seeing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...schemas.records import Bucket, Confirmation, PairedOutcome
from ...stats import Estimate, rate_difference
from .counts import NOTHING, ByCondition, Rolled
from .testing import (
    candidates,
    confirmation_p_value,
    confirmation_q_values,
    p_value,
    selection_q_values,
)
from .thresholds import State, posterior, states_of

_BY_STATES: dict[tuple[State, State], Bucket] = {
    ("solved", "solved"): "mastered",
    ("solved", "unsolved"): "annotations-hurt",
    ("unsolved", "unsolved"): "reasoning-limited",
}


def decide(problems: Sequence[Rolled], level: float) -> list[PairedOutcome]:
    """What each problem is, with the figures that say so; in the order given.

    A problem's outcome depends on the others through the q-values only.

    Args:
        problems: all of them, with distinct ids; candidates (`testing.candidates`) with their fresh
            rollouts. A candidate without any is not confirmed, and undetermined.
        level: the share of false ones among those called perception-limited, e.g. .1.
    """
    q_values = selection_q_values(problems)
    tried_again = [problem for problem in candidates(problems, level) if problem.fresh]
    fresh_q_values = confirmation_q_values(tried_again)
    return [
        _outcome(problem, q_values.get(problem.id), fresh_q_values.get(problem.id), level)
        for problem in problems
    ]


def _outcome(
    problem: Rolled, q_value: float | None, fresh_q_value: float | None, level: float
) -> PairedOutcome:
    confirmation = None
    effect = None
    if fresh_q_value is not None:
        confirmation = _confirmation(problem, fresh_q_value, level)
        effect = _effect(problem.fresh)
    return PairedOutcome(
        **_columns(problem.selected),
        threshold=problem.threshold,
        posterior={
            condition: posterior(counts, problem.threshold)
            for condition, counts in problem.selected.items()
        },
        p_value=None if q_value is None else p_value(problem.selected, "a"),
        q_value=q_value,
        bucket=_bucket(problem, confirmation),
        confirmation=confirmation,
        effect=effect.value if effect else None,
        effect_ci=(effect.low, effect.high) if effect else None,
    )


def _confirmation(problem: Rolled, q_value: float, level: float) -> Confirmation:
    return Confirmation(
        **_columns(problem.fresh),
        p_value=confirmation_p_value(problem),
        q_value=q_value,
        is_confirmed=q_value <= level,
    )


def _effect(fresh: ByCondition) -> Estimate | None:
    """What the annotations add to the solve rate, by the fresh rollouts: the others chose it."""
    alone, told = fresh.get("a", NOTHING), fresh.get("b", NOTHING)
    if not alone.tried or not told.tried:
        return None
    return rate_difference(alone.solved, alone.tried, told.solved, told.tried)


def _bucket(problem: Rolled, confirmation: Confirmation | None) -> Bucket:
    states = states_of(problem.selected, problem.threshold)
    if states["blind"] == "solved":
        return "blind-solved"
    if confirmation is not None and confirmation.is_confirmed:
        return "perception-limited"
    return _BY_STATES.get((states["a"], states["b"]), "undetermined")


def _columns(counts: ByCondition) -> dict[str, Any]:
    """The counts as records hold them: a dictionary by condition for each kind of count."""
    return {
        name: {condition: getattr(of_condition, name) for condition, of_condition in counts.items()}
        for name in ("solved", "tried", "cut", "unscored")
    }
