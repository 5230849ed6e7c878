"""`kill -9` at any moment costs at most the requests that were in flight, and a rerun nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mock_server import SHARED, compiled, serving
from PIL import Image

ROWS, CONCURRENCY = 240, 16
ENGINE_ROWS = Path(__file__).parents[2] / "bench" / "engine_rows.py"
FACT = {"quote": "AB is 12 cm", "statement": "AB is 12 cm", "kind": "length"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("mockllm"))


def start(command, mock, folder):
    settings = {"N": ROWS, "CONC": CONCURRENCY, "BASE_URL": mock.openai_url, "WORK": folder}
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    environment |= {"PYTHONPATH": str(SHARED), "PYTHONDONTWRITEBYTECODE": "1"}
    log = (folder / "log.txt").open("ab")
    with log:
        return subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def run(command, mock, folder):
    process = start(command, mock, folder)
    try:
        code = process.wait(timeout=120)
    finally:
        end(process)
    assert code == 0, (folder / "log.txt").read_text()


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_until_killed(command, mock, folder, share):
    process = start(command, mock, folder)
    try:
        give_up = time.monotonic() + 120
        while mock.stats()["rows_ok"] < share * ROWS:
            assert process.poll() is None, (folder / "log.txt").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.002)
    finally:
        end(process)
    assert process.returncode == -signal.SIGKILL
    while mock.stats()["inflight"]:  # the mock does not answer whom it sees hang up
        time.sleep(0.01)


def killed_and_rerun(command, mock, folder, share):
    """The mock's counts when the rerun has ended."""
    run_until_killed(command, mock, folder, share)
    assert mock.stats()["repeat_ok"] == 0
    run(command, mock, folder)
    stats = mock.stats()
    assert stats["rows_ok"] == ROWS
    return stats


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_killed_engine_repeats_at_most_what_was_in_flight(program, tmp_path, share):
    command = [str(ENGINE_ROWS), "vllm"]
    with serving(program, "--latency", "fixed:200") as mock:
        stats = killed_and_rerun(command, mock, tmp_path, share)
        assert stats["repeat_ok"] <= CONCURRENCY
        run(command, mock, tmp_path)
        assert mock.stats()["req"] == stats["req"]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == list(range(ROWS))
    assert all(f"number {line['id']} " in line["a"][0] for line in lines)


def test_a_killed_command_repeats_at_most_what_was_in_flight(program, tmp_path):
    write_source(tmp_path)
    (tmp_path / "facts.json").write_text(json.dumps({"facts": [FACT]}))
    with serving(
        program, "--latency", "fixed:200", "--content", str(tmp_path / "facts.json")
    ) as mock:
        command = ["-m", "pr1", "annotate", "rows.jsonl", "--output", "out"]
        command += ["--model", "vllm/mock", "--base-url", mock.openai_url]
        command += ["--concurrency", str(CONCURRENCY)]
        stats = killed_and_rerun(command, mock, tmp_path, 0.5)
        assert stats["repeat_ok"] <= CONCURRENCY
        run([*command, "--overwrite"], mock, tmp_path)
        assert mock.stats()["req"] == stats["req"]
    counts = json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]
    assert (counts["read"], counts["rows"]) == (ROWS, ROWS)


def write_source(folder):
    Image.new("RGB", (32, 32), "white").save(folder / "figure.png")
    with (folder / "rows.jsonl").open("w") as source:
        for number in range(ROWS):
            row = {
                "id": f"row-{number}",
                "question": "How long is AC?",
                "answer": "13",
                "image": "figure.png",
                "trajectory": f"ROW-{number} The figure shows that AB is 12 cm. Answer: 13.",
            }
            source.write(json.dumps(row) + "\n")
