"""The paired difficulty pass on planted problems: `python bench/difficulty_simulation.py`.

Their truth is known (`planted_problems.py`), and the product's own functions decide. Printed as
Markdown, for docs/statistics.md:

- how often a problem without any difference has p ≤ .05 (computed: `type_one_error.py`);
- of the problems called perception-limited, how many are not (false share), and of those planted,
  how many are found (recall), by the number of rollouts;
- which criterion of confirmation keeps its promise where any hint helps;
- in which bucket each kind of problem ends; what choosing does to the estimated effect.

Seeded; minutes on one core. `--quick` takes seconds and says the same less exactly.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from planted_problems import (
    LEVEL,
    POPULATIONS,
    TRUE_KINDS,
    Planted,
    draw,
    rollouts_per_problem,
)
from type_one_error import NOMINAL, type_one_table

from pr1.filter.paired.buckets import decide
from pr1.filter.paired.testing import FRESH, confirmation_p_value, p_value
from pr1.schemas.records import PairedOutcome

LIMITED = "perception-limited"
SETTINGS = [(8, 8), (16, 16), (8, 32)]
BY_NAME = {population.name: population for population in POPULATIONS}


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="The paired difficulty pass, simulated.")
    parser.add_argument("--quick", action="store_true", help="fewer drawings: seconds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    drawings = 3 if options.quick else 40
    for title, lines in (
        ("Type-I error at .05", _markdown(type_one_table())),
        ("False share and recall", recall_table(drawings, options.seed)),
        ("Criteria of confirmation", criteria_table(drawings, options.seed)),
        ("Buckets", buckets_table(drawings, options.seed)),
        ("Effects", effects_table(drawings, options.seed)),
    ):
        print(f"### {title}\n", *lines, sep="\n", end="\n\n", flush=True)


def decided(planted: Sequence[Planted]) -> list[tuple[Planted, PairedOutcome]]:
    """Each problem with the product's outcome."""
    outcomes = decide([p.problem for p in planted], LEVEL)
    return list(zip(planted, outcomes, strict=True))


class Found(NamedTuple):
    """What a criterion found in many drawings.

    Attributes:
        false_share: of those found, the ones that are not limited by perception; mean of the
            drawings, 0 where none was found.
        error: standard error of that mean.
        recall: of those planted, the ones found; nan where none was planted.
    """

    false_share: float
    error: float
    recall: float


def found(drawings: Iterable[tuple[int, int, int]]) -> Found:
    """From (true ones found, false ones found, true ones planted) of each drawing."""
    right, wrong, planted = np.array(list(drawings)).T
    shares = wrong / np.maximum(right + wrong, 1)
    recall = right.sum() / planted.sum() if planted.sum() else float("nan")
    return Found(shares.mean(), shares.std() / len(shares) ** 0.5, recall)


def tally(planted: Sequence[Planted], chosen: set[str]) -> tuple[int, int, int]:
    """True ones chosen, false ones chosen, true ones planted."""
    true = {p.problem.id for p in planted if p.kind in TRUE_KINDS}
    return len(true & chosen), len(chosen - true), len(true)


def by_test_alone(planted: Sequence[Planted]) -> set[str]:
    """The candidates, taken at once: no confirmation."""
    return {p.problem.id for p in planted if p.problem.fresh}


def by_better_than_a(planted: Sequence[Planted]) -> set[str]:
    """Confirmed against `a` alone, p ≤ .05."""
    return {
        p.problem.id
        for p in planted
        if p.problem.fresh and p_value(p.problem.fresh, "a") <= NOMINAL
    }


def by_fixed_level(planted: Sequence[Planted]) -> set[str]:
    """Confirmed against `a` and `s`, each p ≤ .05."""
    return {
        p.problem.id
        for p in planted
        if p.problem.fresh and confirmation_p_value(p.problem) <= NOMINAL
    }


def by_product(planted: Sequence[Planted]) -> set[str]:
    """Confirmed as the product does it: the larger p of two, q ≤ .1 over the candidates."""
    return {p.problem.id for p, outcome in decided(planted) if outcome.bucket == LIMITED}


CRITERIA = {
    "no confirmation": by_test_alone,
    "b beats a, p ≤ .05": by_better_than_a,
    "b beats a and s, each p ≤ .05": by_fixed_level,
    "b beats a and s, q ≤ .1 (pr1)": by_product,
}


def recall_table(drawings: int, seed: int) -> list[str]:
    """False share and recall by population and rollouts, with and without confirmation."""
    head = ("population", "rollouts", "per problem", "false, unconfirmed", "false", "recall")
    rows = [(*head, "recall, unconfirmed")]
    for population in POPULATIONS:
        for first, most in SETTINGS:
            drawn = draw(population, first, most, FRESH, drawings, seed)
            alone = found(tally(planted, by_test_alone(planted)) for planted in drawn)
            final = found(tally(planted, by_product(planted)) for planted in drawn)
            rows.append(
                (
                    population.name,
                    _name(first, most),
                    f"{rollouts_per_problem(drawn):.0f}",
                    _share(alone),
                    _share(final),
                    _rate(final.recall),
                    _rate(alone.recall),
                )
            )
    return _markdown(rows)


def criteria_table(drawings: int, seed: int) -> list[str]:
    """Criteria of confirmation where nine in ten seemingly limited problems only took a hint."""
    rows = [("criterion", *(f"{n} fresh: false, recall" for n in (8, 16, 32)))]
    drawn = {n: draw(BY_NAME["hints"], 8, 32, n, drawings, seed) for n in (8, 16, 32)}
    for name, criterion in CRITERIA.items():
        results = [found(tally(p, criterion(p)) for p in drawn[n]) for n in drawn]
        rows.append((name, *(f"{_share(r)}, {_rate(r.recall)}" for r in results)))
    return _markdown(rows)


def buckets_table(drawings: int, seed: int) -> list[str]:
    """Where each kind of the mixed population ends, with 8 → 16 → 32 rollouts."""
    ended: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for planted in draw(BY_NAME["mixed"], 8, 32, FRESH, drawings, seed):
        for one, outcome in decided(planted):
            ended[one.kind, outcome.bucket] += 1
            kinds[one.kind] += 1
    buckets = [LIMITED, "reasoning-limited", "mastered", "blind-solved", "annotations-hurt"]
    buckets.append("undetermined")
    rows = [("planted", *buckets)]
    rows += [(kind, *(_rate(ended[kind, b] / kinds[kind]) for b in buckets)) for kind in kinds]
    return _markdown(rows)


def effects(drawings: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """(Estimate, truth) of candidates' effects, by what they are estimated from; mixed, K = 8."""
    seen: dict[str, list[tuple[float, float]]] = {
        "the rollouts that it was chosen by": [],
        "fresh ones, all candidates": [],
        "fresh ones, confirmed candidates": [],
    }
    chosen_by, fresh, fresh_confirmed = seen.values()
    for planted in draw(BY_NAME["mixed"], 8, 8, FRESH, drawings, seed):
        for one, outcome in decided(planted):
            if outcome.confirmation is None or outcome.effect is None:
                continue
            truth = one.rates.b - one.rates.a
            rates = {c: counts.rate or 0.0 for c, counts in one.problem.selected.items()}
            chosen_by.append((rates["b"] - rates["a"], truth))
            fresh.append((outcome.effect, truth))
            if outcome.confirmation.is_confirmed:
                fresh_confirmed.append((outcome.effect, truth))
    return seen


def effects_table(drawings: int, seed: int) -> list[str]:
    """What choosing does to the estimate."""
    rows = [("estimated from", "mean estimate", "mean truth")]
    for name, pairs in effects(drawings, seed).items():
        estimate, truth = np.mean(pairs, axis=0)
        rows.append((name, _rate(estimate), _rate(truth)))
    return _markdown(rows)


def _name(first: int, most: int) -> str:
    return f"{first}" if first == most else f"{first} → {most}"


def _rate(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _share(result: Found) -> str:
    return f"{result.false_share:.3f} ± {result.error:.3f}"


def _markdown(rows: Sequence[tuple[str, ...]]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|---" * len(rows[0]) + "|", *body]


if __name__ == "__main__":
    main()
