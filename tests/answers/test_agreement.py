"""The benchmark against verdicts that came with real responses, where those are at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAJECTORIES = ROOT.parent / "shared" / "real" / "trajectories.jsonl"
BENCHMARK = ROOT / "bench" / "answers_agreement.py"


def run_benchmark(trajectories: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARK), str(trajectories)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.skipif(not TRAJECTORIES.exists(), reason="../shared/real is not at hand")
def test_every_disagreement_with_upstream_is_adjudicated_for_us() -> None:
    result = run_benchmark(TRAJECTORIES)
    assert result.returncode == 0, result.stderr


def test_labels_and_rows_that_do_not_match_are_reported(tmp_path: Path) -> None:
    row = {
        "id": "made-up",
        "benchmark": "ours",
        "model": "none",
        "question": "1 + 1 = ?",
        "choices": None,
        "gold": "2",
        "response": "The answer is 2.",
        "correct": False,
    }
    trajectories = tmp_path / "rows.jsonl"
    trajectories.write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = run_benchmark(trajectories)
    assert result.returncode == 1
    assert "made-up: AnswerCheck(is_correct=True" in result.stderr
    assert "labelled, but not among the rows" in result.stderr


def test_labels_hold_no_text_of_the_sources() -> None:
    labels = (ROOT / "bench" / "labels" / "answers_adjudicated.jsonl").read_text(encoding="utf-8")
    for label in map(json.loads, labels.splitlines()):
        assert set(label) == {"record_id", "response_sha256", "verdict", "why"}
        assert label["verdict"] in ("ours", "undecidable")
        assert label["why"]
