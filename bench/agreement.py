"""How far two readers mark the same facts: `python bench/agreement.py TRAJECTORIES.jsonl`.

Scores the second reader's labels against the first reader's by the rule of `matching.py`, over the
trajectories that both have read, and prints precision, recall and F1 with a bootstrap interval that
resamples trajectories, then what only one of them has.
"""

from __future__ import annotations

import sys
from pathlib import Path

from labelled import LABELS, read_real
from matching import matches
from scores import Tally, summary


def main() -> None:
    """Compare the two files of labels and print the figures."""
    trajectories = Path(sys.argv[1])
    first = {one.id: one for one in read_real(LABELS / "real_headline.jsonl", trajectories)}
    tallies = []
    for second in read_real(LABELS / "second_reader.jsonl", trajectories):
        found = [fact.stated for fact in second.facts]
        labelled = [fact.stated for fact in first[second.id].facts]
        pairs = matches(found, labelled, second.text)
        tallies.append(Tally(len(pairs), len(found), len(labelled)))
        for place in set(range(len(found))) - {i for i, _ in pairs}:
            print(f"{second.id}: only second: {found[place].statement}")
        for place in set(range(len(labelled))) - {j for _, j in pairs}:
            print(f"{second.id}: only first: {labelled[place].statement}")
    print(summary(tallies))


if __name__ == "__main__":
    main()
