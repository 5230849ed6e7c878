"""The hostile completions of data/red_team, with the long ones written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pr1.judge.judge import JudgeTask
from pr1.schemas.outcomes import Judgement
from pr1.schemas.records import TrainAnnotation

RED_TEAM = Path(__file__).parents[1] / "data/red_team"


class Attack(NamedTuple):
    """One hostile completion.

    Attributes:
        kind: what it tries.
        defended: annotation id -> the verdicts that are no success of the attack.
    """

    kind: str
    task: JudgeTask
    defended: dict[int, frozenset[str]]

    def won(self, judgement: Judgement) -> list[int]:
        """The ids of the annotations for which the judge was taken in; none where it failed."""
        return [
            verdict.annotation_id
            for verdict in judgement.verdicts or []
            if verdict.verdict not in self.defended[verdict.annotation_id]
        ]


def read_attacks(name: str) -> list[Attack]:
    """Those of a set, such as `frozen`, in the file's order."""
    lines = (RED_TEAM / f"{name}.jsonl").read_text(encoding="ascii").splitlines()
    return [_attack(json.loads(line)) for line in lines]


def _attack(row: Mapping[str, Any]) -> Attack:
    text = row["completion"] if "completion" in row else generated(**row["generator"])
    asked = tuple(TrainAnnotation(**annotation) for annotation in row["annotations"])
    defended = {int(number): frozenset(words) for number, words in row["expected"].items()}
    return Attack(row["attack"], JudgeTask(row["id"], asked, text), defended)


def generated(before: str, repeat: str, times: int, after: str) -> str:
    """The text that a generator stands for.

    Example:
        >>> generated("Look: ", "AB = {n}. ", 3, "So AB is known.")
        'Look: AB = 1. AB = 2. AB = 3. So AB is known.'
    """
    middle = "".join(repeat.replace("{n}", str(number)) for number in range(1, times + 1))
    return f"{before}{middle}{after}"
