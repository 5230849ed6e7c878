"""Precision, recall and F1 over trajectories, with bootstrap intervals."""

from __future__ import annotations

import random
from typing import NamedTuple

ROUNDS = 10_000
SEED = 0


class Tally(NamedTuple):
    """What one trajectory adds: facts hit, annotations found, facts labelled."""

    hit: int
    found: int
    labelled: int


class Scores(NamedTuple):
    """Over all annotations and facts (micro); 1 where there is nothing to find."""

    precision: float
    recall: float
    f1: float


def scores(tallies: list[Tally]) -> Scores:
    """The scores of some trajectories together."""
    hit, found, labelled = (sum(column) for column in zip(*tallies, strict=True))
    return Scores(
        hit / found if found else 1.0,
        hit / labelled if labelled else 1.0,
        2 * hit / (found + labelled) if found + labelled else 1.0,
    )


def interval(tallies: list[Tally]) -> list[tuple[float, float]]:
    """The middle 95% of each score when trajectories are drawn anew."""
    draw = random.Random(SEED)
    drawn = [scores(draw.choices(tallies, k=len(tallies))) for _ in range(ROUNDS)]
    columns = (sorted(column) for column in zip(*drawn, strict=True))
    return [(c[round(0.025 * ROUNDS)], c[round(0.975 * ROUNDS) - 1]) for c in columns]


def summary(tallies: list[Tally]) -> str:
    """One line: the three scores with their intervals, and the counts."""
    hit, found, labelled = (sum(column) for column in zip(*tallies, strict=True))
    figures = [
        f"{name} {value:.3f} [{low:.3f}, {high:.3f}]"
        for name, value, (low, high) in zip(
            ("P", "R", "F1"), scores(tallies), interval(tallies), strict=True
        )
    ]
    return f"{'  '.join(figures)}  ({hit} hit, {found} found, {labelled} labelled)"
