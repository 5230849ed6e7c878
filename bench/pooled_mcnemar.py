"""How often pooling all samples into one McNemar test raises a false alarm: a seeded simulation.

    python bench/pooled_mcnemar.py [--repeats 4000] [--seed 0]

Two models answer N problems K times each. On average over problems they are equally good, but on
each single problem one of them is better by `effect`, one as often as the other. A test at .05
should then reject in 5% of the repetitions. Three are compared: McNemar's on all N·K pairs (sample
j of A beside sample j of B), McNemar's on the first sample of each problem, and the sign-flip test
on the differences of the problems' means, which is what `pr1 compare` does. The last setting has no
effect at all, but in half of the problems all samples of a model are copies of one: what a low
temperature gives.
"""

from __future__ import annotations

import argparse
import itertools
from typing import NamedTuple

import numpy as np

from pr1.stats import Interval, mcnemar_exact, sign_flip, wilson

LEVEL = 0.05
PROBLEMS = (50, 200)
SAMPLES = (4, 8, 16)
SETTINGS = {"±0": (0.0, False), "±.2": (0.2, False), "±.4": (0.4, False), "copies": (0.0, True)}
"""Name -> effect, and whether half of the problems have copies for samples."""


class Alarms(NamedTuple):
    """The share of repetitions in which each test rejects."""

    pooled: float
    single: float
    sign_flip: float


def false_alarms(
    problems: int, samples: int, effect: float, *, is_sticky: bool, repeats: int, seed: int
) -> Alarms:
    """Simulate, test, count.

    Args:
        problems: N.
        samples: K, of each model and problem.
        effect: by how much one model's rate is above the other's on a problem.
        is_sticky: whether the samples of a problem are copies of one in half of the problems.
        repeats: how many comparisons to simulate.
        seed: of all of them.
    """
    draw = np.random.default_rng([seed, problems, samples, round(100 * effect), is_sticky])
    rejections = np.zeros(3)
    for _ in range(repeats):
        a, b = _outcomes(draw, problems, samples, effect, is_sticky)
        lost, gained = (a > b), (b > a)
        p_values = (
            mcnemar_exact(int(lost.sum()), int(gained.sum())),
            mcnemar_exact(int(lost[:, 0].sum()), int(gained[:, 0].sum())),
            sign_flip((b.mean(axis=1) - a.mean(axis=1)).tolist(), seed=seed).p_value,
        )
        rejections += [p <= LEVEL for p in p_values]
    return Alarms(*(rejections / repeats).tolist())


def _outcomes(draw, problems, samples, effect, is_sticky):
    """1 for right and 0 for wrong, (N, K) of either model."""
    middle = draw.uniform(effect / 2, 1 - effect / 2, size=(problems, 1))
    sign = draw.choice([-1, 1], size=(problems, 1))
    outcomes = []
    for rates in (middle - sign * effect / 2, middle + sign * effect / 2):
        answers = (draw.random((problems, samples)) < rates).astype(int)
        if is_sticky:
            copied = draw.random(problems) < 0.5
            answers[copied] = answers[copied, :1]
        outcomes.append(answers)
    return outcomes


def monte_carlo_error(repeats: int) -> Interval:
    """Where the rate of a test that keeps its level lies in 95% of such simulations, about."""
    return wilson(round(LEVEL * repeats), repeats)


def main() -> None:
    """Print a table of the rates, by test and setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    columns = [f"{test} {name}" for test in ("pooled", "first", "flips") for name in SETTINGS]
    print(f"| problems | samples | {' | '.join(columns)} |")
    print("|---:|---:|" + "---:|" * len(columns))
    for problems, samples in itertools.product(PROBLEMS, SAMPLES):
        alarms = [
            false_alarms(
                problems,
                samples,
                effect,
                is_sticky=is_sticky,
                repeats=arguments.repeats,
                seed=arguments.seed,
            )
            for effect, is_sticky in SETTINGS.values()
        ]
        rates = [f"{rate:.3f}" for test in zip(*alarms, strict=True) for rate in test]
        print(f"| {problems} | {samples} | {' | '.join(rates)} |", flush=True)
    low, high = monte_carlo_error(arguments.repeats)
    print(f"\nA rate of .05 shows as {low:.3f} to {high:.3f} ({arguments.repeats} repeats).")


if __name__ == "__main__":
    main()
