"""Problems whose truth is known, rolled out as `pr1 filter --policy` does, for simulations.

The true solve rates of a problem under each condition are drawn by its kind, rollouts from those,
and the product's own functions (`filter/paired/`) say when to stop and which to roll out afresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pr1.filter.paired.counts import ByCondition, Counts, Rolled
from pr1.filter.paired.testing import candidates
from pr1.filter.paired.thresholds import needs_more, schedule
from pr1.schemas.records import Condition

LEVEL = 0.1
THRESHOLD = 0.5


class Rates(NamedTuple):
    """The true solve rates of one problem."""

    a: float
    b: float
    s: float
    blind: float


Draw = Callable[[np.random.Generator], Rates]


def limited(rng: np.random.Generator) -> Rates:
    """The picture is misread: Beta(2, 8) from it, mean .2; Beta(8, 2) when told, mean .8."""
    alone = rng.beta(2, 8)
    return Rates(alone, max(alone, rng.beta(8, 2)), alone, 0.05)


def sharply_limited(rng: np.random.Generator) -> Rates:
    """.2 from the picture, .8 when told, for all of them alike."""
    return Rates(0.2, 0.8, 0.2, 0.05)


def hinted(rng: np.random.Generator) -> Rates:
    """As `limited`, but any annotations help, those of another problem as much as its own."""
    rates = limited(rng)
    return rates._replace(s=rates.b)


def hard(rng: np.random.Generator) -> Rates:
    """Reasoning-limited: Beta(1.5, 8), mean .16, told or not."""
    return _same(rng.beta(1.5, 8), blind=0.05)


def easy(rng: np.random.Generator) -> Rates:
    """Mastered: Beta(8, 1.5), mean .84, told or not."""
    return _same(rng.beta(8, 1.5), blind=0.05)


def between(rng: np.random.Generator) -> Rates:
    """Neither: uniform from 0 to 1, told or not."""
    return _same(rng.uniform(), blind=0.05)


def guessable(rng: np.random.Generator) -> Rates:
    """Solved without the picture: Beta(9, 1), mean .9."""
    rate = rng.beta(9, 1)
    return _same(rate, blind=rate)


def _same(rate: float, blind: float) -> Rates:
    return Rates(rate, rate, rate, blind)


@dataclass(frozen=True)
class Population:
    """So many problems of each kind."""

    name: str
    kinds: dict[Draw, int]


POPULATIONS = [
    Population("sharp", {sharply_limited: 90, hard: 70, easy: 70, between: 70}),
    Population("mixed", {limited: 90, hard: 60, easy: 60, between: 60, guessable: 30}),
    Population("rare", {sharply_limited: 15, hard: 95, easy: 95, between: 95}),
    Population("hints", {limited: 15, hinted: 135, hard: 50, easy: 50, between: 50}),
    Population("none", {hard: 100, easy: 100, between: 100}),
]
TRUE_KINDS = {"limited", "sharply_limited"}


class Planted(NamedTuple):
    """A problem with its truth; the id of `problem` begins with its kind."""

    problem: Rolled
    rates: Rates

    @property
    def kind(self) -> str:
        """The name of the function that drew it."""
        return self.problem.id.split()[0]


def select_rollouts(rates: Rates, first: int, most: int, rng: np.random.Generator) -> ByCondition:
    """The counts by which a problem is chosen, topped up as the product does it."""
    counts: dict[Condition, Counts] = {"a": Counts(), "b": Counts()}
    counts["blind"] = _more(Counts(), rates.blind, first, rng)
    for total in schedule(first, most):
        counts["a"] = _more(counts["a"], rates.a, total, rng)
        counts["b"] = _more(counts["b"], rates.b, total, rng)
        if not needs_more(counts, THRESHOLD):
            break
    return counts


def _more(so_far: Counts, rate: float, total: int, rng: np.random.Generator) -> Counts:
    tried = total - so_far.tried
    return so_far.plus(Counts(int(rng.binomial(tried, rate)), tried))


def run_pass(
    population: Population, first: int, most: int, fresh: int, rng: np.random.Generator
) -> list[Planted]:
    """The pass over one drawing of the population, fresh rollouts of its candidates included."""
    planted = []
    for kind, many in population.kinds.items():
        for number in range(many):
            rates = kind(rng)
            selected = select_rollouts(rates, first, most, rng)
            problem = Rolled(f"{kind.__name__} {number}", THRESHOLD, selected)
            planted.append(Planted(problem, rates))
    chosen = {problem.id for problem in candidates([p.problem for p in planted], LEVEL)}
    return [_tried_again(p, fresh, rng) if p.problem.id in chosen else p for p in planted]


def _tried_again(planted: Planted, fresh: int, rng: np.random.Generator) -> Planted:
    rates = planted.rates
    counts: ByCondition = {
        "a": _more(Counts(), rates.a, fresh, rng),
        "b": _more(Counts(), rates.b, fresh, rng),
        "s": _more(Counts(), rates.s, fresh, rng),
    }
    return planted._replace(problem=replace(planted.problem, fresh=counts))


def draw(
    population: Population, first: int, most: int, fresh: int, drawings: int, seed: int
) -> list[list[Planted]]:
    """The pass over so many drawings of the population."""
    rng = np.random.default_rng(seed)
    return [run_pass(population, first, most, fresh, rng) for _ in range(drawings)]


def rollouts_per_problem(drawn: list[list[Planted]]) -> float:
    """Mean number of rollouts that a problem took, all conditions together."""
    taken = [
        sum(
            counts.asked for use in (p.problem.selected, p.problem.fresh) for counts in use.values()
        )
        for planted in drawn
        for p in planted
    ]
    return sum(taken) / len(taken)
