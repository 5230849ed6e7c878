"""The paper's claim, short: from the shipped base model, both arms through `pr1 train`."""

import shutil
from pathlib import Path

import pytest

from pr1.train.miniature.experiment import read_results, run_arms, write_problems

BASE = Path(__file__).parents[2] / "data/miniature/base"
STEPS = 10


@pytest.mark.slow
def test_the_perception_reward_teaches_to_see_and_the_answer_alone_does_less(tmp_path):
    shutil.copytree(BASE, tmp_path / "base")
    write_problems(tmp_path)
    run_arms(tmp_path, [0], {"max_steps": STEPS})
    (result,) = read_results(tmp_path, [0])
    gain, head_to_head = result.perception.facts, result.facts
    assert gain.problems == head_to_head.problems == 400
    assert gain.gained > gain.lost
    assert gain.p_value < 0.01
    assert head_to_head.gained > head_to_head.lost
    assert head_to_head.p_value < 0.01
