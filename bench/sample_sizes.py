"""How many problems and samples are needed for which effect: the tables of docs/statistics.md.

    python bench/sample_sizes.py

Everything is computed (`pr1.stats.power`, and Fisher's mid-p by counting all outcomes); nothing is
random.
"""

from __future__ import annotations

import math

from scipy.stats import binom

from pr1.stats import (
    detectable_difference,
    fisher_midp,
    mcnemar_exact,
    mcnemar_midp,
    mcnemar_power,
    mcnemar_problems,
    mean_problems,
    odds_ratio,
    risk_difference,
)

POWER = 0.8
PAPER = [(1, 5), (2, 4), (2, 10)]
DISCORDANT = (0.05, 0.10, 0.20, 0.30, 0.40)
DIFFERENCES = (0.02, 0.03, 0.05, 0.08, 0.10, 0.15)
PROBLEMS = (50, 100, 200, 400, 1000, 3000)
SAMPLES = (1, 2, 4, 8, 16, 32)
WITHIN = 1 / 6
"""Mean of p(1 − p) where solve rates are spread evenly over 0 to 1."""
PAIRS_OF_RATES = ((0.2, 0.8), (0.1, 0.6), (0.4, 0.8), (0.3, 0.5))


def the_papers_tests() -> None:
    """Three tests on 50 problems, with what they leave open."""
    print("| lost | gained | exact p | mid-p | difference, points | odds ratio |")
    print("|---:|---:|---:|---:|---|---|")
    for lost, gained in PAPER:
        value, low, high = risk_difference(50 - lost - gained, lost, gained, 0)
        ratio = odds_ratio(lost, gained)
        print(
            f"| {lost} | {gained} | {mcnemar_exact(lost, gained):.3f} | "
            f"{mcnemar_midp(lost, gained):.3f} | {_points(value)} [{_points(low)}, {_points(high)}]"
            f" | {ratio.value:.1f} [{ratio.low:.2f}, {ratio.high:.1f}] |"
        )


def power_by_problems() -> None:
    """At true rates of .02 lost and .10 gained."""
    print("| problems | power, exact | power, mid-p |\n|---:|---:|---:|")
    for problems in (50, 100, 150, 200, 300, 400):
        exact, midp = (mcnemar_power(problems, 0.02, 0.10, is_midp=kind) for kind in (False, True))
        print(f"| {problems} | {exact:.2f} | {midp:.2f} |")
    exact, midp = (mcnemar_problems(POWER, 0.02, 0.10, is_midp=kind) for kind in (False, True))
    print(f"\n.80 from {exact} problems on (mid-p: {midp}).")


def problems_needed() -> None:
    """By true difference and share of discordant problems."""
    print("| difference | " + " | ".join(f"{100 * d:.0f}% differ" for d in DISCORDANT) + " |")
    print("|---:|" + "---:|" * len(DISCORDANT))
    for difference in DIFFERENCES:
        cells = []
        for discordant in DISCORDANT:
            lost = (discordant - difference) / 2
            is_possible = lost >= -1e-12
            needed = mcnemar_problems(POWER, max(0.0, lost), max(0.0, lost) + difference)
            cells.append(f"{needed:,}" if is_possible else "–")
        print(f"| {100 * difference:.0f} points | " + " | ".join(cells) + " |")


def detectable_differences() -> None:
    """By number of problems and share of discordant problems."""
    print("| problems | " + " | ".join(f"{100 * d:.0f}% differ" for d in DISCORDANT) + " |")
    print("|---:|" + "---:|" * len(DISCORDANT))
    for problems in PROBLEMS:
        cells = [f"{100 * detectable_difference(problems, d):.1f}" for d in DISCORDANT]
        print(f"| {problems:,} | " + " | ".join(cells) + " |")


def problems_by_samples() -> None:
    """For a true difference of 5 points, by samples per problem and how much effects vary."""
    spreads = (0.0, 0.1, 0.2)
    print("| samples | " + " | ".join(f"effects vary by {s:.1f}" for s in spreads) + " |")
    print("|---:|" + "---:|" * len(spreads))
    for samples in SAMPLES:
        needed = [
            mean_problems(POWER, 0.05, math.sqrt(spread**2 + 2 * WITHIN / samples))
            for spread in spreads
        ]
        print(f"| {samples} | " + " | ".join(f"{n:,}" for n in needed) + " |")


def rollouts_of_one_problem() -> None:
    """Power of Fisher's mid-p, one-sided, on K rollouts under either condition."""
    print(
        "| rollouts | level | " + " | ".join(f"{a:.1f} → {b:.1f}" for a, b in PAIRS_OF_RATES) + " |"
    )
    print("|---:|---:|" + "---:|" * len(PAIRS_OF_RATES))
    for rollouts in (4, 8, 16, 32):
        for level in (0.05, 0.005):
            cells = [f"{fisher_power(rollouts, a, b, level):.2f}" for a, b in PAIRS_OF_RATES]
            print(f"| {rollouts} | {level} | " + " | ".join(cells) + " |")


def fisher_power(rollouts: int, rate_1: float, rate_2: float, level: float) -> float:
    """How often the test finds that the second rate is greater, over all outcomes."""
    counts = range(rollouts + 1)
    return sum(
        binom.pmf(first, rollouts, rate_1) * binom.pmf(second, rollouts, rate_2)
        for first in counts
        for second in counts
        if fisher_midp(first, rollouts, second, rollouts) <= level
    )


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def main() -> None:
    """Print every table with its title."""
    for table in (
        the_papers_tests,
        power_by_problems,
        problems_needed,
        detectable_differences,
        problems_by_samples,
        rollouts_of_one_problem,
    ):
        print(f"\n## {table.__name__.replace('_', ' ')}: {table.__doc__}\n")
        table()


if __name__ == "__main__":
    main()
