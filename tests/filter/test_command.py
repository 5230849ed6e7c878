"""`pr1 filter` as a user types it: its options, its dry run, and being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from annotated_sets import annotated, told
from click.testing import Result
from fake_server import Body, FakeServer, Reply, failed
from scripted_policy import MASTERED, PERCEPTION, REASONING, UNSURE, Policy, read
from typer.testing import CliRunner

from pr1.cli import app
from pr1.filter.paired.testing import FRESH
from pr1.outputs.rows import read_manifest

CONCURRENCY = 8


def pr1(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return annotated(tmp_path / "in", [told(number) for number in range(4)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--policy", "vllm/m", "--keep", "easy"], "--keep names 'easy', which is no bucket"),
        (["--policy", "vllm/m", "--keep", ""], "--keep names '', which is no bucket"),
        (["--policy", "vllm/m", "--keep", "mastered,Mastered"], "Known ones: mastered, percep"),
        (["--policy", "vllm/m", "--keep", "mastered,mastered"], "names a bucket twice"),
        (["--keep", "mastered"], "--keep is about a policy's rollouts. Name one: --policy"),
        (["--blind"], "--blind is about a policy's rollouts"),
        (["--base-url", "http://localhost/v1"], "--base-url is about a policy's rollouts"),
        (["--policy", ""], "--policy is empty"),
        (["--policy", "vllm/m"], "needs --base-url"),
        (["--policy", "rules"], "cannot see pictures"),
        (["--policy", "vllm/m", "--temperature", "0"], "temperature: Input should be greater than"),
        (["--policy", "vllm/m", "--min-annotations", "0"], "Give 1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    source: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    for more in ([], ["--dry-run"]):
        run = pr1("filter", source, "-o", tmp_path / "out", *options, *more)
        assert run.exit_code == 2
        assert message in run.stderr
        assert not (tmp_path / "out").exists()


def command(source: Path, out: Path, server: FakeServer, *more: object) -> list[object]:
    model = ["--policy", "vllm/policy", "--base-url", server.openai_url]
    return ["filter", source, "-o", out, *model, "--concurrency", CONCURRENCY, *more]


def test_a_dry_run_prints_a_plan_and_sends_nothing(
    source: Path, tmp_path: Path, fake_server: FakeServer
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("vllm: {models: {policy: {input: 1.0, output: 2.0}}}")
    out = tmp_path / "out"
    options = ["--dry-run", "--rollouts", 4, "--max-tokens", 100, "--prices", prices]
    run = pr1(*command(source, out, fake_server, *options))
    plan = json.loads(run.stdout)["policy"]
    assert run.exit_code == 0
    assert plan["requests"] == 4 * 2 * 4
    assert plan["tokens_out"] == 100 * plan["requests"]
    expected = plan["tokens_in"] / 1e6 + 2 * plan["tokens_out"] / 1e6
    assert plan["cost_usd"] == pytest.approx(expected, abs=1e-6)
    assert plan["cost_usd_at_most"] > plan["cost_usd"]
    assert plan["destination"] == fake_server.openai_url
    assert fake_server.bodies == []
    assert not out.exists()
    without = json.loads(pr1("filter", source, "-o", out, "--dry-run").stdout)
    assert (without["policy"], without["left"]) == (None, 4)


def test_options_come_from_a_file_and_into_the_manifest(
    source: Path, tmp_path: Path, fake_server: FakeServer
) -> None:
    fake_server.answer = Policy(dict.fromkeys(range(4), MASTERED))
    settings = tmp_path / "filter.yaml"
    settings.write_text("rollouts: 6\nmax-rollouts: 6\nkeep: mastered\nmax_tokens: 99\n")
    out = tmp_path / "out"
    run = pr1(*command(source, out, fake_server, "--config", settings, "--blind"))
    assert (run.exit_code, run.stdout) == (0, f"{out}\n")
    config = read_manifest(out).config["policy"]
    assert (config["rollouts"], config["max_tokens"], config["blind"]) == (6, 99, True)
    assert config["keep"] == ["mastered"]
    assert len(fake_server.bodies) == 4 * 3 * 6
    assert {body["max_tokens"] for body in fake_server.bodies} == {99}
    refused = pr1(*command(source, out, fake_server))
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr


def test_too_many_failures_are_exit_1_and_the_rest_is_written(
    source: Path, tmp_path: Path, fake_server: FakeServer
) -> None:
    policy = fake_server.answer = Policy(dict.fromkeys(range(4), UNSURE))
    policy.special[1, "a"] = failed(400, "too long")
    run = pr1(*command(source, tmp_path / "out", fake_server, "--rollouts", 2))
    assert run.exit_code == 1
    assert "1 of 4 records failed, more than --max-failures 0.01 allows" in run.stderr
    assert read_manifest(tmp_path / "out").counts.rows == 3


def start(arguments: list[object], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "pr1", *map(str, arguments)],
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
        )


def ended_by(signal_: int, arguments: list[object], folder: Path, server: FakeServer) -> int:
    """The exit code, when the signal is sent in the middle of the run."""
    before = len(server.bodies)
    process = start(arguments, folder)
    try:
        give_up = time.monotonic() + 60
        while len(server.bodies) < before + 40:
            assert process.poll() is None, (folder / "log.txt").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.005)
        process.send_signal(signal_)
        return process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_killed_pass_pays_for_no_rollout_twice(
    source: Path, tmp_path: Path, fake_server: FakeServer
) -> None:
    policy = Policy(dict(enumerate([PERCEPTION, MASTERED, REASONING, UNSURE])))

    def slowly(body: Body) -> Reply:
        reply = policy(body)
        assert isinstance(reply, str)
        return Reply(reply, delay_s=0.05)

    fake_server.answer = slowly
    arguments = command(source, tmp_path / "out", fake_server)
    assert ended_by(signal.SIGKILL, arguments, tmp_path, fake_server) == -signal.SIGKILL
    assert ended_by(signal.SIGINT, arguments, tmp_path, fake_server) == 130
    assert "What was answered is kept; go on with" in (tmp_path / "log.txt").read_text()
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert start(arguments, tmp_path).wait(timeout=120) == 0

    asked = Counter[Any]((*read(body), body["seed"]) for body in fake_server.bodies)
    assert asked.total() - len(asked) <= CONCURRENCY, "what was in flight when it was killed"
    different = Counter((number, condition) for number, condition, _ in asked)
    assert different[0, "a"] == different[0, "b"] == 8 + FRESH
    assert different[0, "s"] == FRESH
    assert different[1, "a"] == different[2, "b"] == 8
    sent = len(fake_server.bodies)
    assert start([*arguments, "--overwrite"], tmp_path).wait(timeout=120) == 0
    assert len(fake_server.bodies) == sent
    manifest = read_manifest(tmp_path / "out")
    assert manifest.usage.requests == 0
    assert manifest.usage_in_all is not None
    assert len(asked) <= manifest.usage_in_all.requests <= sent
