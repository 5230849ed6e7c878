"""Labelled trajectories, in one form: our gold, real ones, and those of our own to develop on."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml
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


def read_own(path: Path) -> list[Labelled]:
    """The development trajectories of our own making.

    Raises:
        SystemExit: a text does not hold the words of a label.
    """
    found = []
    for problem in yaml.safe_load(path.read_text(encoding="utf-8")):
        for number, trajectory in enumerate(problem["trajectories"], 1):
            name = f"{problem['id']}-{number}"
            facts = [
                {
                    "statement": statement,
                    "kind": kind,
                    "places": _places(trajectory["text"], words, name),
                    "in_question": statement in problem.get("in_question", []),
                    "equals_answer": statement in problem.get("equals_answer", []),
                }
                for kind, statement, *words in trajectory["facts"]
            ]
            row = {"choices": None, **problem}
            style, text = trajectory["style"], trajectory["text"]
            found.append(_labelled(name, style, row, text, {"facts": facts}))
    return found


def _places(text: str, quotes: list[str], name: str) -> list[dict[str, int]]:
    missing = [quote for quote in quotes if quote not in text]
    if missing:
        raise SystemExit(f"{name}: these words do not stand in the text: {missing}")
    found = (match.span() for quote in quotes for match in re.finditer(re.escape(quote), text))
    return [{"start": start, "end": end} for start, end in sorted(found)]


def is_first_half(one: Labelled) -> bool:
    """Whether the trajectory is of the half to tune on, and not of the half to check with."""
    return hashlib.sha256(one.problem.id.encode()).digest()[0] % 2 == 1


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
