"""`pr1 push-to-hub` as a user meets it: the summary, the question, the answers on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from fake_hub import TOKEN, FakeHub
from published_sets import train_row, train_set, trained_model
from typer.testing import CliRunner

from pr1.cli import app

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "lab/set"


def pr1(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["push-to-hub", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_yes_sends_and_says_what(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    first = pr1(folder, REPO, "--yes")
    assert (first.exit_code, first.stdout) == (0, f"{hub.endpoint}/datasets/{REPO}\n")
    for said in ("private dataset, branch main", "mit", "own bars: MIT, 2 rows", "no secret"):
        assert said in " ".join(first.stderr.split())
    second = pr1(folder, REPO, "--yes")
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert "All of it is there; nothing was sent." in second.stderr
    assert hub.commits == 1


def test_a_model_and_a_pull_request(hub: FakeHub, tmp_path: Path) -> None:
    folder = trained_model(tmp_path / "RUN")
    assert pr1(folder, REPO, "--yes").stdout == f"{hub.endpoint}/{REPO}\n"
    (folder / "model/config.json").write_text('{"changed": 1}')
    proposed = pr1(folder, REPO, "--yes", "--create-pr")
    assert proposed.stdout == f"{hub.endpoint}/{REPO}/discussions/1\n"
    again = pr1(folder, REPO, "--yes", "--create-pr")
    assert "The pull request is open already; nothing was sent." in again.stderr
    assert again.stdout == proposed.stdout


def test_without_a_terminal_it_says_what_to_give(hub: FakeHub, tmp_path: Path) -> None:
    result = pr1(train_set(tmp_path / "OUT"), REPO)
    assert result.exit_code == 2
    assert "no terminal to ask at" in result.stderr
    assert "--yes" in result.stderr
    assert hub.requests == []


def test_a_dry_run_is_json_and_sends_nothing(hub: FakeHub, tmp_path: Path) -> None:
    result = pr1(train_set(tmp_path / "OUT"), REPO, "--dry-run", "--public", "--revision", "v2")
    plan = json.loads(result.stdout)
    assert (plan["kind"], plan["private"], plan["revision"]) == ("dataset", False, "v2")
    assert "PUBLIC dataset, branch v2" in " ".join(result.stderr.split())
    assert max(map(len, result.stderr.splitlines())) <= 80
    assert hub.requests == []


def test_to_writes_and_needs_neither_token_nor_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    folder = train_set(tmp_path / "OUT")
    result = pr1(folder, "--to", tmp_path / "to", "--as", "perception-r1")
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "to"))
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == [
        "README.md",
        "data",
        "provenance.json",
    ]


@pytest.mark.parametrize("more", [[], ["lab/set", "--to", "x"]])
def test_one_place_is_needed(tmp_path: Path, more: list[str]) -> None:
    result = pr1(tmp_path, *more)
    assert result.exit_code == 2
    assert "either a repository, as owner/name, or --to FOLDER" in result.stderr


def test_what_was_found_is_listed_before_it_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    texts = [f"see /home/ada/{number}.png" for number in range(3)]
    rows = [train_row(number, question=text) for number, text in enumerate(texts)]
    folder = train_set(tmp_path / "OUT", *rows, train_row(9, source="MathVista"))
    result = pr1(folder, REPO, "--yes", "--allow-source", "MathVista")
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "0 secrets, 3 local paths" in said
    assert said.count("column question: a home folder") == 3
    assert "MathVista: MIT, 1 row. FORBIDS IT" in said
    assert "ada" not in said.partition("publish ")[2].replace(str(tmp_path), "")
    assert pr1(folder, REPO, "--yes", "--allow-source", "mathvista", "--allow-paths").exit_code == 0


def test_hostile_names_move_no_cursor(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT", train_row(source="x\x1b[2J\r\nscan      all is well"))
    result = pr1(folder, REPO, "--dry-run")
    assert "\x1b" not in result.stderr
    assert "\nscan      all is well" not in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_at_a_terminal_it_asks_before_the_first_byte(
    hub: FakeHub, tmp_path: Path, answer: str, code: int
) -> None:
    folder = train_set(tmp_path / "OUT")
    ours, theirs = os.openpty()
    environment = os.environ | {
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
    }
    os.write(ours, f"{answer}\n".encode())
    run = subprocess.run(
        [sys.executable, "-m", "pr1", "push-to-hub", str(folder), REPO],
        stdin=theirs,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert run.returncode == code, run.stderr
    assert "Send it? [y/N]:" in run.stderr
    assert run.stderr.index("no secret and no local path") < run.stderr.index("Send it?")
    assert bool(hub.requests) == (answer == "y")
    assert ("Nothing was sent." in run.stderr) == (answer == "n")
