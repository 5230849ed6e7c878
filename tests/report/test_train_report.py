"""`pr1 report` on a training run: the page that `pr1 train` wrote, made anew from the folder."""

import json

import pytest
from hostile_html import PAYLOADS, Elements
from published_sets import train_manifest
from typer.testing import CliRunner

from pr1.cli import app
from pr1.train.outcomes import Outcome, write_outcomes


@pytest.fixture
def run_folder(tmp_path):
    """A finished run: of 40 problems 10 were right before and 20 after, completions hostile."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "manifest.json").write_text(train_manifest().model_dump_json())
    for step, right in ((0, 10), (250, 20)):
        outcomes = [
            Outcome(f"{PAYLOADS[n]} {n}", int(n < right), 0.5, PAYLOADS[n]) for n in range(40)
        ]
        write_outcomes(out / "evaluation", step, outcomes)
    lines = [{"step": step, "reward": 0.1 * step, "reward_std": 0.1} for step in range(1, 4)]
    (out / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out


def report(out):
    run = CliRunner().invoke(app, ["report", str(out)])
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    return run


def test_the_page_tells_the_run_and_obeys_no_text(run_folder):
    run = report(run_folder)
    assert run.stdout.strip() == str(run_folder / "report.html"), run.stderr
    page = Elements((run_folder / "report.html").read_text())
    words = " ".join(page.words.split())
    assert "Qwen/Qwen2.5-VL-7B-Instruct, trained for 250 steps over 1,000 rows" in words
    assert "Of 40 problems, 10 were answered right before training and 20 after it" in words
    assert "10 gained, 0 lost, +25.0 points [+" in words
    assert "McNemar's exact test, two-sided: p = 0.002" in words
    assert "held out for evaluation" in words
    assert "script" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert all(one.startswith("data:image/png;base64,") for one in page.addresses)
    assert len(page.addresses) == len(list((run_folder / "curves").iterdir())) == 2


@pytest.mark.parametrize("line", ["{", "[1]", '{"id": "a"}'])
def test_a_damaged_log_is_refused_in_one_line(run_folder, line):
    (run_folder / "evaluation" / "step-000000.jsonl").write_text(line + "\n")
    run = report(run_folder)
    assert run.exit_code == 2
    assert "its logs cannot be read" in run.stderr
    assert len(run.stderr.splitlines()) == 1
