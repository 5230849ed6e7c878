"""Labelled trajectories, from our gold or from the labels of real ones, in one form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from matching import Span, Stated

from pr1.schemas.records import Problem

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data/sample/problems.jsonl"
LABELS = Path(__file__).parent / "labels"


class Fact(NamedTuple):
    """A labelled fact."""

    stated: Stated
    kind: str
    in_question: bool
    equals_answer: bool


class Labelled(NamedTuple):
    """A trajectory with the facts that a reader found in it.

    Attributes:
        source: the gold's style, or the benchmark that a real trajectory comes from.
    """

    id: str
    source: str
    problem: Problem
    text: str
    facts: list[Fact]


def read_gold(path: Path) -> list[Labelled]:
    """The trajectories of one half of the gold."""
    problems = {row["id"]: row for row in _rows(SAMPLE)}
    found = []
    for entry in _rows(path):
        row = problems[entry["problem_id"]]
        texts = {trajectory["id"]: trajectory["text"] for trajectory in row["trajectories"]}
        for labels in entry["trajectories"]:
            name = labels["trajectory_id"]
            found.append(_labelled(name, labels["style"], row, texts[name], labels))
    return found


def read_real(labels: Path, trajectories: Path) -> list[Labelled]:
    """The labelled ones of a file of real trajectories.

    Raises:
        SystemExit: a text is not the one that was labelled.
    """
    records = {row["id"]: row for row in _rows(trajectories)}
    found = []
    for entry in _rows(labels):
        record = records[entry["record_id"]]
        text = record["response"]
        if hashlib.sha256(text.encode()).hexdigest() != entry["response_sha256"]:
            raise SystemExit(f"{entry['record_id']}: the text is not the one that was labelled")
        row = {**record, "id": record["problem_id"], "answer": record["gold"]}
        found.append(_labelled(record["id"], record["benchmark"], row, text, entry))
    return found


def _labelled(
    name: str, source: str, row: dict[str, Any], text: str, labels: dict[str, Any]
) -> Labelled:
    problem = Problem(
        id=row["id"], question=row["question"], choices=row["choices"], answer=row["answer"]
    )
    return Labelled(name, source, problem, text, [_fact(fact) for fact in labels["facts"]])


def _fact(fact: dict[str, Any]) -> Fact:
    places = tuple(Span(place["start"], place["end"]) for place in fact["places"])
    stated = Stated(fact["statement"], places)
    return Fact(stated, fact["kind"], fact["in_question"], fact["equals_answer"])


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
