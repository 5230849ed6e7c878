"""`pr1 train` end to end on a tiny model: what it writes is what the next one reads."""

import json
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import yaml
from train_sets import tiny_recipe, train_rows, write_train_set
from typer.testing import CliRunner

from pr1.cli import app
from pr1.outputs.rows import read_manifest
from pr1.train.outcomes import Outcome, changes, evaluation_facts, summary, write_outcomes
from pr1.train.run import train

SCRIPT = "<script>alert(1)</script>"


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.sources, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def trained(tiny_model, tmp_path_factory):
    """A finished run on rows with hostile names."""
    folder = tmp_path_factory.mktemp("run")
    rows = [row.model_copy(update={"id": f"{SCRIPT} {row.id}"}) for row in train_rows(9)]
    dataset = write_train_set(folder / "set", rows)
    out = folder / "out"
    recipe = tiny_recipe(
        tiny_model,
        {"max_steps": 3, "save_total_limit": 1},
        evaluation={"rows": 5, "every": 2},
        report_to=["tensorboard"],
    )
    train(recipe, dataset, out)
    return out


@pytest.mark.slow
def test_the_folder_is_complete(trained):
    names = {path.name for path in trained.iterdir()}
    assert names == {
        *(".pr1", "model", "evaluation", "completions", "curves", "checkpoints"),
        *("metrics.jsonl", "dropped.jsonl", "failures.jsonl", "report.html", "manifest.json"),
    }
    manifest = read_manifest(trained)
    assert manifest.stage == "train"
    assert (manifest.counts.read, manifest.counts.in_rows, manifest.counts.rows) == (9, 9, 4)
    assert {"torch", "trl", "transformers"} <= manifest.versions.keys()
    assert manifest.config["grpo"]["max_steps"] == 3
    assert any(name.endswith("model.safetensors") for name in manifest.parents)
    assert str(trained.parent) not in manifest.model_dump_json()
    assert [path.name for path in (trained / "checkpoints").glob("checkpoint-*")] == [
        "checkpoint-3"
    ]
    assert list((trained / "checkpoints").rglob("events.out.tfevents*"))


@pytest.mark.slow
def test_the_model_is_loaded_as_any_other(trained):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    assert AutoProcessor.from_pretrained(trained / "model").image_processor is not None
    model = AutoModelForImageTextToText.from_pretrained(trained / "model")
    assert model.num_parameters() == 51_040
    assert not list((trained / "model").glob("*.bin"))


@pytest.mark.slow
def test_completions_carry_their_verdicts_and_parts(trained):
    from datasets import load_dataset

    rows = load_dataset("parquet", data_files=str(trained / "completions" / "*"), split="train")
    assert len(rows) == 24
    assert set(rows["step"]) == {0, 1, 2}
    for row in rows:
        parts = [0.1 * row["format"], 0.9 * row["accuracy"], 0.7 * row["visual"], row["length"]]
        assert row["reward"] == pytest.approx(sum(parts) + row["repetition"])
        assert row["verdicts"].count("1") == row["verdicts"].count("2") == 1


@pytest.mark.slow
def test_evaluations_are_what_compare_reads(trained):
    first, last = (trained / "evaluation" / f"step-{step:06}.jsonl" for step in (0, 3))
    assert len(first.read_text().splitlines()) == 5
    run = CliRunner().invoke(app, ["compare", str(first), str(last)])
    assert run.exit_code == 0, run.output
    facts = read_manifest(trained).facts
    assert set(facts["evaluation"]) == {"0", "2", "3"}
    assert facts["against_the_starting_model"]["accuracy"]["problems"] == 5


@pytest.mark.slow
def test_the_report_needs_nothing_and_runs_nothing(trained):
    text = (trained / "report.html").read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    curves = {path.stem for path in (trained / "curves").glob("*.png")}
    assert {"reward_parts", "zero_variance", "judge_failures", "length", "entropy"} <= curves
    assert len(page.sources) == len(curves)
    words = " ".join(page.words)
    assert "McNemar's exact test" in words
    assert "4 rows" in words
    assert words.count(SCRIPT) == 5


@pytest.mark.slow
def test_training_rests_on_the_seed_alone(tiny_model, train_set, tmp_path):
    folders = {name: tmp_path / name for name in "abc"}
    evaluation = {"dataset": str(train_set), "rows": 5, "every": 1}
    for out, seed, it in zip(folders.values(), (1, 1, 2), (None, evaluation, None), strict=True):
        recipe = tiny_recipe(tiny_model, {"save_steps": 9}, seed=seed, evaluation=it)
        assert train(recipe, train_set, out).counts.rows == 10
    a, b, c = ((out / "model/model.safetensors").read_bytes() for out in folders.values())
    assert a == b != c  # and evaluating changes nothing


@pytest.mark.slow
def test_two_processes_write_one_folder(tiny_model, train_set, tmp_path):
    recipe = tiny_recipe(
        tiny_model,
        {"per_device_train_batch_size": 4},
        processes=2,
        evaluation={"rows": 3, "every": 1},
    )
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    # What `accelerate launch` calls for several GPUs; for CPUs it wants MPI.
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
        *("-m", "pr1", "train", str(train_set)),
        *("--config", str(tmp_path / "r.yaml"), "-o", str(tmp_path / "out")),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.splitlines() == [str(tmp_path / "out")]
    manifest = read_manifest(tmp_path / "out")
    assert (manifest.counts.rows, manifest.facts["steps"]) == (7, 2)
    files = sorted(path.name for path in (tmp_path / "out" / "completions").iterdir())
    assert files == [f"steps-{s:06}-{s:06}-{p:03}.parquet" for s in (0, 1) for p in (0, 1)]
    evaluated = (tmp_path / "out" / "evaluation" / "step-000002.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in evaluated}) == 3


# -- evaluations in figures -------------------------------------------------------------------


def outcomes(*pairs):
    return [Outcome(f"p{n}", correct, seen, "c") for n, (correct, seen) in enumerate(pairs)]


def test_what_was_not_scored_is_in_no_mean_and_in_no_test(tmp_path):
    first = outcomes((1, 1.0), (0, 0.5), (None, None), (0, None), (1, 0.0))
    last = outcomes((1, 0.5), (1, 1.0), (1, 1.0), (None, 1.0), (0, 0.0))
    found = summary(first)
    assert found == {"problems": 5, "accuracy": 0.5, "perception": 0.5, "all_reflected": 1 / 3}
    compared = changes(first, last)
    assert compared["accuracy"] == (3, 2, 2, 1, 1, 1.0)
    assert compared["all_reflected"] == (3, 1, 1, 1, 1, 1.0)
    write_outcomes(tmp_path, 0, first)
    lines = [json.loads(line) for line in (tmp_path / "step-000000.jsonl").read_text().splitlines()]
    assert lines[2] == {"id": "p2", "correct": None, "perception": None, "completion": "c"}


def test_the_test_is_mcnemars_exact_one():
    first = outcomes(*[(0, 0.0)] * 12, *[(1, 0.0)] * 4)
    last = outcomes(*[(1, 0.0)] * 10, *[(0, 0.0)] * 2, *[(1, 0.0)] * 2, *[(0, 0.0)] * 2)
    change = changes(first, last)["accuracy"]
    assert (change.lost, change.gained) == (2, 10)
    assert change.p_value == pytest.approx(0.0386, abs=1e-4)


def test_one_evaluation_is_compared_with_nothing():
    assert evaluation_facts({}) == {}
    assert evaluation_facts({0: outcomes((1, 1.0))}).keys() == {"evaluation"}
