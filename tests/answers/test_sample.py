"""The sample's trajectories are right or wrong as their author says."""

import json
from pathlib import Path

import pytest

from pr1.answers import check_answer

DATA = Path(__file__).parents[2] / "data"


def rows(name):
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


SAID = {
    trajectory["trajectory_id"]: trajectory["is_correct"]
    for half in ("tune", "held_out")
    for entry in rows(f"gold/{half}.jsonl")
    for trajectory in entry["trajectories"]
}
WRITTEN = [
    pytest.param(problem, trajectory, id=trajectory["id"])
    for problem in rows("sample/problems.jsonl")
    for trajectory in problem["trajectories"]
]


@pytest.mark.parametrize(("problem", "trajectory"), WRITTEN)
def test_the_author_and_the_check_agree(problem, trajectory):
    check = check_answer(
        trajectory["text"],
        problem["answer"],
        choices=problem["choices"],
        question=problem["question"],
    )
    assert check.is_correct is SAID[trajectory["id"]], check
