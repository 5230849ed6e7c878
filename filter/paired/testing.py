"""The tests of the paired pass: does the policy do better when it is told what the picture shows?

**Selection.** For each problem Fisher's exact mid-p, one-sided, on its rollouts under `a` and `b`:
they have no natural pairs, so McNemar's test does not apply. Over all problems Benjamini-Hochberg:
among thousands of problems many differ by luck. *Candidates* are unsolved under `a`, solved under
`b`, and have q ≤ level.

**Confirmation.** A candidate may owe its place to luck, or to a hint as such: a policy may think
longer when it is told anything at all. It is rolled out afresh under `a`, `b` and `s`, another
problem's annotations, and `b` must beat *both*: its p-value is the larger of the two
(an intersection-union test). Over the candidates Benjamini-Hochberg once more, at the same level.

The second correction is what keeps the promise. That `b` beats `a` may be true of every candidate
and yet be the hint's work in most of them; with a fixed level of .05 a false one in twenty hints
would pass, however few true ones stand beside them. On fresh rollouts the bound holds whatever the
candidates are.

Source: Fisher's mid-p and Benjamini-Hochberg as in `stats/`; the intersection-union test: Berger,
Technometrics 24 (1982) 295-300. Error rates and recall by simulation: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...schemas.records import Condition
from ...stats import benjamini_hochberg, fisher_midp
from .counts import NOTHING, ByCondition, Rolled
from .thresholds import states_of

FRESH = 16
"""Fresh rollouts of a candidate under each of `a`, `b` and `s`: 8 confirm a third as many, 32 a few
more, where hints abound (docs/statistics.md)."""


def is_tested(problem: Rolled) -> bool:
    """Whether the problem has rollouts under both conditions, so that they can be compared."""
    return all(problem.selected.get(condition, NOTHING).tried for condition in ("a", "b"))


def p_value(counts: ByCondition, than: Condition) -> float:
    """One-sided: were `b` no better than the other condition, how likely were such counts?"""
    other, told = counts.get(than, NOTHING), counts.get("b", NOTHING)
    return fisher_midp(other.solved, other.tried, told.solved, told.tried)


def selection_q_values(problems: Sequence[Rolled]) -> dict[str, float]:
    """By id, the q-value of `b` over `a` among all problems tested."""
    tested = [problem for problem in problems if is_tested(problem)]
    q_values = benjamini_hochberg([p_value(problem.selected, "a") for problem in tested])
    return {problem.id: q for problem, q in zip(tested, q_values, strict=True)}


def candidates(problems: Sequence[Rolled], level: float) -> list[Rolled]:
    """The problems to roll out afresh: those that seem perception-limited.

    Args:
        problems: all of them, with distinct ids, after the last stage of their schedule.
        level: the share of false ones among those called perception-limited, e.g. .1.
    """
    q_values = selection_q_values(problems)
    return [
        problem
        for problem in problems
        if problem.id in q_values and _seems_limited(problem) and q_values[problem.id] <= level
    ]


def _seems_limited(problem: Rolled) -> bool:
    states = states_of(problem.selected, problem.threshold)
    return (states["a"], states["b"]) == ("unsolved", "solved") and states["blind"] != "solved"


def confirmation_p_value(problem: Rolled) -> float:
    """Were `b` no better than `a`, or no better than `s`, how likely were the fresh counts?

    At least .5 where a condition has no fresh rollout.
    """
    return max(p_value(problem.fresh, "a"), p_value(problem.fresh, "s"))


def confirmation_q_values(tried_again: Sequence[Rolled]) -> dict[str, float]:
    """By id, the q-value of the confirmation among all candidates."""
    q_values = benjamini_hochberg([confirmation_p_value(problem) for problem in tried_again])
    return {problem.id: q for problem, q in zip(tried_again, q_values, strict=True)}
