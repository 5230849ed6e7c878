"""Two processes on the CPU (gloo) train as one does: loss, None rewards, metrics, folder."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_models import tiny_idefics3
from train_sets import tiny_recipe, train_rows, write_train_set

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning"),  # of TRL 1.16
]
TESTS = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(TESTS),
    "ACCELERATE_USE_CPU": "true",
    "HF_HUB_OFFLINE": "1",
}


def launch(processes, *command):
    """The program, in so many processes of one run."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    run = subprocess.run(
        [sys.executable, *launcher, *map(str, command)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return run.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What one process and two made of the same completions."""
    import torch
    from data_parallel import two_steps

    folder = tmp_path_factory.mktemp("parallel")
    model = tiny_idefics3(folder / "model")
    two_steps(str(model), folder / "one")
    launch(2, TESTS / "data_parallel.py", model, folder / "two")
    return [torch.load(folder / name, weights_only=True) for name in ("one", "two")]


def logged(run, name):
    return [line[name] for line in run["history"] if name in line]


def test_two_processes_have_the_loss_of_one(runs):
    one, two = runs
    assert len(logged(one, "loss")) == 2
    assert any(abs(loss) > 1e-4 for loss in logged(one, "loss"))
    assert logged(two, "loss") == pytest.approx(logged(one, "loss"), abs=2e-6)
    assert logged(two, "grad_norm") == pytest.approx(logged(one, "grad_norm"), rel=1e-3)
    for name, weight in one["weights"].items():
        assert weight.allclose(two["weights"][name], atol=1e-4), name


def test_none_rewards_leave_their_group_whichever_process_has_them(runs):
    one, two = runs
    unscored = [math.isnan(reward) for reward in one["rewards"]]
    assert 0 < sum(unscored) < len(unscored)
    assert two["rewards"] == pytest.approx(one["rewards"], nan_ok=True)
    assert two["advantages"] == pytest.approx(one["advantages"], abs=1e-5)
    pairs = zip(two["advantages"], unscored, strict=True)
    assert {advantage for advantage, is_unscored in pairs if is_unscored} == {0.0}


def test_metrics_are_those_of_all_processes(runs):
    one, two = runs
    for name in ("unscored/total", "unscored/judge", "judge/asked", "parts/format"):
        assert logged(two, name) == pytest.approx(logged(one, name)), name


def test_pr1_train_runs_in_two_processes(tmp_path):
    import pyarrow.parquet as pq

    model = tiny_idefics3(tmp_path / "model")
    dataset = write_train_set(tmp_path / "set", train_rows(8))
    changes = {"per_device_train_batch_size": 4, "loss_type": "dapo"}
    recipe = tmp_path / "recipe.yaml"
    values = tiny_recipe(model, changes, processes=2).model_dump(mode="json")
    recipe.write_text(yaml.safe_dump(values))
    out = tmp_path / "out"
    said = launch(2, "-m", "pr1", "train", dataset, "-o", out, "--config", recipe)
    assert said.split() == [str(out)], "the first process reports, and only it"
    files = sorted((out / "completions").glob("*.parquet"))
    assert {path.stem[-3:] for path in files} == {"000", "001"}
    assert sum(pq.read_metadata(path).num_rows for path in files) == 16
    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert len([line for line in steps if "loss" in line]) == 2
