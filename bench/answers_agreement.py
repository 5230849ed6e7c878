"""How often `pr1.answers` agrees with the verdicts that came with real responses.

    python bench/answers_agreement.py ../shared/real/trajectories.jsonl

Prints, for each source, how many rows agree and how each disagreement was adjudicated by hand
(labels/answers_adjudicated.jsonl). Exits with 1 when a disagreement has not been adjudicated or was
decided for the other side, and when one that was decided for us is gone: then we have become wrong.
Rows without a verdict are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pr1.answers import AnswerCheck, AnswerItem, check_answers

LABELS = Path(__file__).parent / "labels" / "answers_adjudicated.jsonl"


class Disagreement(NamedTuple):
    """A row whose verdict upstream differs from ours."""

    row: dict[str, Any]
    check: AnswerCheck

    @property
    def key(self) -> tuple[str, str]:
        """Record id and sha256 of the response, as the labels name it."""
        return self.row["id"], hashlib.sha256(self.row["response"].encode()).hexdigest()


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows that carry an upstream verdict."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["correct"] is not None]


def check_rows(rows: Iterable[dict[str, Any]]) -> list[AnswerCheck]:
    """Our verdict on each row."""
    return check_answers(
        AnswerItem(
            row["response"],
            row["gold"],
            choices=row["choices"],
            question=row["question"],
        )
        for row in rows
    )


def read_labels() -> dict[tuple[str, str], str]:
    """(record id, sha256 of the response) -> the verdict that a reader reached."""
    with LABELS.open(encoding="utf-8") as lines:
        labels = [json.loads(line) for line in lines]
    return {(label["record_id"], label["response_sha256"]): label["verdict"] for label in labels}


def main() -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trajectories", type=Path)
    rows = read_rows(parser.parse_args().trajectories)
    labels = read_labels()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    problems = []
    for row, check in zip(rows, check_rows(rows), strict=True):
        label = labels.pop(Disagreement(row, check).key, None)
        is_agreed = check.is_correct is row["correct"]
        outcome = "agree" if is_agreed else label or "open"
        counts[f"{row['benchmark']} | {row['model']}"] += Counter(rows=1) + Counter([outcome])
        if outcome in ("open", "theirs") or (is_agreed and label == "ours"):
            problems.append(f"{row['id']}: {check} against {row['correct']}, labelled {label}")
    problems += [f"{record}: labelled, but not among the rows" for record, _ in labels]

    columns = ("rows", "agree", "ours", "undecidable", "theirs", "open")
    counts["all"] = sum(counts.values(), Counter[str]())
    print("source".ljust(66), *(column.rjust(11) for column in columns))
    for source, count in sorted(counts.items()):
        print(source.ljust(66), *(str(count[column]).rjust(11) for column in columns))
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
