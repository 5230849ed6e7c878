"""Would a learned filter extract better than the rules of the validation?

    python bench/learned_filter.py TRAJECTORIES.jsonl

A logistic regression (L2) says which candidates are visual annotations (`filter_candidates.py`), by
the validation's own reason, the stance, the kind, the place in the text, words that observe or
deduce, whether a number follows from earlier ones, what the question says, and the words. First
comes what a perfect filter of the same candidates would score; then the regression, against the
pipeline as it is, on folds that part the problems or the sources of the text, the threshold being
chosen within each training part. Brackets are 95% bootstrap intervals of the gain. It reads
development labels only and takes some minutes; docs/quality.md says what came out.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filter_candidates import Case, Features
from labelled import LABELS, ROOT, read_gold, read_own, read_real
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scores import Tally, scores

L2 = 2.0
FOLDS, INNER_FOLDS = 8, 4
THRESHOLDS = [number / 20 for number in range(4, 17)]
RAREST = 3
"""Of how many candidates a feature must be to have a weight."""
ROUNDS = 2_000


class Fold(NamedTuple):
    """What is fitted on, and what is measured on."""

    train: list[Case]
    test: list[Case]


def predicted(train: list[Case], test: list[Case]) -> Iterator[np.ndarray]:
    """For each case of `test`, the probability that each of its candidates is right."""
    counts = Counter(name for case in train for features in case.features for name in features)
    names = {name: i for i, name in enumerate(n for n, count in counts.items() if count >= RAREST)}
    x = _matrix([features for case in train for features in case.features], names)
    y = np.array([right for case in train for right in case.is_right], dtype=float)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ weights[:-1] + weights[-1]
        miss = 1 / (1 + np.exp(-z)) - y
        gradient = np.append(x.T @ miss + L2 * weights[:-1], miss.sum())
        return (np.logaddexp(0, z) - y * z).sum() + L2 / 2 * (weights[:-1] ** 2).sum(), gradient

    weights = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    for case in test:
        yield 1 / (1 + np.exp(-(_matrix(case.features, names) @ weights[:-1] + weights[-1])))


def _matrix(rows: list[Features], names: dict[str, int]) -> csr_matrix:
    cells = [(i, names[n], v) for i, row in enumerate(rows) for n, v in row.items() if n in names]
    row, column, value = zip(*cells, strict=True) if cells else ((), (), ())
    return csr_matrix((value, (row, column)), shape=(len(rows), len(names)))


def tallies(folds: list[Fold]) -> Iterator[tuple[Case, Tally]]:
    """Each case with how the regression does on it that was fitted on the others."""
    for train, test in folds:
        inner = [
            (case, probabilities)
            for fit_on, choose_on in by_problem(train, INNER_FOLDS, "inner")
            for case, probabilities in zip(choose_on, predicted(fit_on, choose_on), strict=True)
        ]
        threshold = max(
            THRESHOLDS, key=lambda t: scores([case.tally(tuple(p > t)) for case, p in inner]).f1
        )
        for case, probabilities in zip(test, predicted(train, test), strict=True):
            yield case, case.tally(tuple(probabilities > threshold))


def by_problem(cases: list[Case], count: int, salt: str) -> list[Fold]:
    """Folds that part the problems."""

    def number(case: Case) -> int:
        return hashlib.sha256((salt + case.one.problem.id).encode()).digest()[0] % count

    return _folds(cases, number)


def by_source(cases: list[Case]) -> list[Fold]:
    """Folds that part the collections of labels."""
    return _folds(cases, lambda case: case.collection)


def _folds(cases: list[Case], key: Callable[[Case], object]) -> list[Fold]:
    keys = {key(case): None for case in cases}
    return [
        Fold([c for c in cases if key(c) != k], [c for c in cases if key(c) == k]) for k in keys
    ]


def report(name: str, pairs: list[tuple[Case, Tally]]) -> None:
    """Print, for each collection, F1 as it is and with these tallies."""
    print(name)
    for collection in dict.fromkeys(case.collection for case, _ in pairs):
        now = np.array([case.now for case, _ in pairs if case.collection == collection])
        then = np.array([tally for case, tally in pairs if case.collection == collection])
        draws = np.random.default_rng(0).integers(0, len(now), (ROUNDS, len(now)))
        gains = _f1(then[draws].sum(1)) - _f1(now[draws].sum(1))
        low, high = np.quantile(gains, [0.025, 0.975])
        hit, found, labelled = then.sum(0)
        print(
            f"  {collection:5} {len(now):4} trajectories  F1 {_f1(now.sum(0)):.3f} -> "
            f"{_f1(then.sum(0)):.3f}  gain {_f1(then.sum(0)) - _f1(now.sum(0)):+.3f} "
            f"[{low:+.3f}, {high:+.3f}]  (P {hit / found:.3f}, R {hit / labelled:.3f})"
        )


def _f1(sums: np.ndarray) -> np.ndarray:
    return 2 * sums[..., 0] / (sums[..., 1] + sums[..., 2])


def main() -> None:
    """Print what a perfect filter and a learned one would score."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trajectories", type=Path)
    trajectories = parser.parse_args().trajectories
    real = [LABELS / f"{name}.jsonl" for name in ("real_dev", "real_more")]
    cases = [Case(one, "gold") for one in read_gold(ROOT / "data/gold/tune.jsonl")]
    cases += [Case(one, "ours") for one in read_own(LABELS / "own_dev.yaml")]
    cases += [Case(one, "real") for path in real for one in read_real(path, trajectories)]
    report("a perfect filter", [(case, case.best) for case in cases])
    report("learned, by problem", list(tallies(by_problem(cases, FOLDS, "outer"))))
    report("learned, by source", list(tallies(by_source(cases))))


if __name__ == "__main__":
    main()
