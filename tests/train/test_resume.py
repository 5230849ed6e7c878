"""A run that was interrupted ends with the weights of one that was not, bit for bit."""

import json
import os
import signal

import pytest
import yaml
from train_sets import tiny_recipe
from typer.testing import CliRunner

from pr1.cli import app
from pr1.schemas.errors import UsageError
from pr1.train.run import train

pytestmark = pytest.mark.slow
# Seven rows to train on, two to a step: the second and the third pass begin at steps 3 and 6.
SETTINGS = {
    "max_steps": 7,
    "save_steps": 2,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
}
EVALUATION = {"rows": 3, "every": 3}
VARYING = {"step_time", "train_runtime"}


def weights(out):
    return (out / "model" / "model.safetensors").read_bytes()


def metrics(out):
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: it for name, it in line.items() if name not in VARYING} for line in lines]


def completions(out):
    import pyarrow.parquet as pq

    files = sorted((out / "completions").iterdir())
    return [file.name for file in files], [
        row for file in files for row in pq.read_table(file).to_pylist()
    ]


def terminate_at(step):
    def on_progress(progress):
        if progress.done == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return on_progress


@pytest.fixture(scope="module")
def recipe(tiny_model):
    return tiny_recipe(tiny_model, SETTINGS, evaluation=EVALUATION)


@pytest.fixture(scope="module")
def whole(recipe, train_set, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    train(recipe, train_set, out)
    return out


def test_it_learnt_something(whole, tiny_model):
    lines = metrics(whole)
    assert [line["step"] for line in lines] == list(range(1, 8))
    assert all(line["grad_norm"] > 0 for line in lines)
    assert weights(whole) != (tiny_model / "model.safetensors").read_bytes()


@pytest.mark.parametrize("step", [1, 4])  # in the first pass, and after the second has begun
def test_an_interrupted_run_goes_on_as_if_it_had_not_stopped(
    recipe, train_set, whole, tmp_path, step
):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train(recipe, train_set, out, on_progress=terminate_at(step))
    assert not (out / "manifest.json").exists()
    train(recipe, train_set, out)
    assert weights(out) == weights(whole)
    assert metrics(out) == metrics(whole)
    assert completions(out)[1] == completions(whole)[1]
    evaluations = sorted(path.name for path in (whole / "evaluation").iterdir())
    assert evaluations == [f"step-{step:06}.jsonl" for step in (0, 3, 6, 7)]
    for name in evaluations:
        assert (out / "evaluation" / name).read_bytes() == (
            whole / "evaluation" / name
        ).read_bytes()


def test_a_run_that_uses_its_completions_twice_stops_between_batches(
    tiny_model, train_set, tmp_path
):
    recipe = tiny_recipe(tiny_model, {"num_iterations": 2, "max_steps": 6, "save_steps": 4})
    train(recipe, train_set, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, train_set, tmp_path / "cut", on_progress=terminate_at(2))
    checkpoints = (tmp_path / "cut" / "checkpoints").glob("checkpoint-*")
    assert [path.name for path in checkpoints] == ["checkpoint-4"]  # not 3: steps 3 and 4 share
    train(recipe, train_set, tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_a_killed_run_takes_its_last_steps_anew(recipe, train_set, whole, tmp_path):
    out = tmp_path / "out"

    class Killed(BaseException):
        pass

    def on_progress(progress):
        if progress.done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, train_set, out, on_progress=on_progress)
    half = out / "checkpoints" / "checkpoint-6"  # cut off while it was written
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert metrics(out)[-1]["step"] == 4
    train(recipe, train_set, out)
    assert weights(out) == weights(whole)
    assert metrics(out) == metrics(whole)
    assert completions(out) == completions(whole)


def test_a_run_killed_behind_its_last_step_is_finished(
    recipe, train_set, whole, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("pr1.train.run.write_report", None)
        with pytest.raises(TypeError):
            train(recipe, train_set, out)
    manifest = train(recipe, train_set, out)
    assert manifest.facts["steps"] == 7
    assert weights(out) == weights(whole)
    assert completions(out) == completions(whole)


def test_a_finished_run_is_not_written_over(recipe, train_set, whole, tiny_model):
    before = (whole / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match=r"is finished .* Give --overwrite"):
        train(recipe, train_set, whole)
    other = tiny_recipe(tiny_model, {**SETTINGS, "beta": 0.1}, evaluation=EVALUATION)
    with pytest.raises(UsageError, match="is finished"):
        train(other, train_set, whole)
    assert (whole / "manifest.json").read_bytes() == before


def test_another_recipe_does_not_go_on_with_the_run(tiny_model, train_set, tmp_path):
    out = tmp_path / "out"
    recipe = tiny_recipe(tiny_model)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, train_set, out, on_progress=terminate_at(1))
    other = tiny_recipe(tiny_model, {"learning_rate": 1e-4, "save_steps": 5}, seed=3)
    with pytest.raises(UsageError, match=r"differs in config\.grpo\.learning_rate, config\.seed\."):
        train(other, train_set, out)
    assert (out / "checkpoints" / "checkpoint-2").is_dir()
    train(other, train_set, out, overwrite=True)
    assert [line["step"] for line in metrics(out)] == [1, 2]
    assert metrics(out)[0]["learning_rate"] == 1e-4


def test_the_command_says_how_to_go_on(tiny_model, train_set, tmp_path, monkeypatch):
    recipe, out = tmp_path / "r.yaml", tmp_path / "out"
    recipe.write_text(yaml.safe_dump(tiny_recipe(tiny_model).model_dump(mode="json")))

    class Interrupting:
        def __enter__(self):
            return terminate_at(1)

        def __exit__(self, *error):
            pass

    monkeypatch.setattr("pr1.screen.shown_progress", lambda label: Interrupting())
    arguments = ["train", str(train_set), "-o", str(out), "--config", str(recipe)]
    monkeypatch.setattr("sys.argv", ["pr1", *arguments])
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 130
    assert f"go on with: pr1 train {train_set} -o {out} --config" in run.stderr
    assert run.stdout == ""
