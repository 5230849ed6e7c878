"""How far two readers mark the same facts: `python bench/agreement.py`.

Scores the second reader's labels against the first reader's by the rule of `matching.py`, over the
trajectories both have read, and prints precision, recall and F1 with a bootstrap interval that
resamples trajectories, then what only one of them has.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from matching import Span, Stated, matches

LABELS = Path(__file__).parent / "labels"
ROUNDS = 10_000


def main() -> None:
    """Compare the two files of labels and print the figures."""
    first, second = read(LABELS / "real_headline.jsonl"), read(LABELS / "second_reader.jsonl")
    counts, disputed = [], []
    for record_id, theirs in second.items():
        pairs = matches(theirs, first[record_id])
        counts.append((len(pairs), len(theirs), len(first[record_id])))
        paired, answered = {i for i, _ in pairs}, {j for _, j in pairs}
        disputed += [f"{record_id}: only second: {theirs[i].statement}"
                     for i in range(len(theirs)) if i not in paired]
        disputed += [f"{record_id}: only first: {fact.statement}"
                     for j, fact in enumerate(first[record_id]) if j not in answered]
    low, high = interval(counts)
    both, found, labelled = (sum(column) for column in zip(*counts, strict=True))
    print(f"{len(counts)} trajectories; first {labelled}, second {found}, both {both}")
    print(f"precision {both / found:.3f}  recall {both / labelled:.3f}  "
          f"F1 {f1(counts):.3f}  [{low:.3f}, {high:.3f}]")
    print(*disputed, sep="\n")


def read(path: Path) -> dict[str, list[Stated]]:
    """The facts of each trajectory in a file of labels."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {record["record_id"]: [stated(fact) for fact in record["facts"]] for record in records}


def stated(fact: dict) -> Stated:
    """A label as the scorer takes it."""
    places = tuple(Span(place["start"], place["end"]) for place in fact["places"])
    return Stated(fact["statement"], places)


def f1(counts: list[tuple[int, int, int]]) -> float:
    """F1 over all facts, from (both, second, first) per trajectory; 1 where nobody has one."""
    both, found, labelled = (sum(column) for column in zip(*counts, strict=True))
    return 2 * both / (found + labelled) if found + labelled else 1.0


def interval(counts: list[tuple[int, int, int]]) -> tuple[float, float]:
    """The middle 95 % of F1 when trajectories are drawn anew."""
    draw = random.Random(0)
    scores = sorted(f1(draw.choices(counts, k=len(counts))) for _ in range(ROUNDS))
    return scores[round(0.025 * ROUNDS)], scores[round(0.975 * ROUNDS) - 1]


if __name__ == "__main__":
    main()
