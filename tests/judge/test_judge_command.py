"""`pr1 judge` as a user types it: exit code, stdout, stderr, and the files."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_server import asked_text, failed
from typer.testing import CliRunner

from pr1.cli import app
from pr1.llm import health, pacing, sending
from pr1.outputs.rows import read_manifest, read_rows
from pr1.schemas.outcomes import JudgedRow

LABELS = Path(__file__).parents[2] / "data/judge_labels/tune.jsonl"
RIGHT = (
    "<think>\nred is 2. blue is 7. blue 7 + red 2 = 9.\n</think>\n<answer>\n\\boxed{9}\n</answer>"
)
ROW = {"id": "1", "completion": RIGHT, "answer": "9", "annotations": ["red is 2", "blue is 6"]}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(pacing, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(health, "PATIENCE_AT_FIRST_S", 0.1)
    monkeypatch.setattr(health, "PATIENCE_S", 0.1)
    monkeypatch.setenv("COLUMNS", "100")


class Run(NamedTuple):
    code: int
    out: str
    err: str


def judge(*arguments: str | Path) -> Run:
    result = CliRunner().invoke(app, ["judge", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Run(result.exit_code, result.stdout, result.stderr)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return path


def judged_rows(out: Path) -> dict[str, JudgedRow]:
    return {row.id: row for row in read_rows(out, JudgedRow)}


def failures(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]


def test_rows_come_back_with_verdicts_and_scores(tmp_path):
    source = lines(tmp_path / "rows.jsonl", ROW, {**ROW, "id": 2, "annotations": []})
    run = judge(source, "-o", tmp_path / "out", "--model", "rules")
    assert (run.code, run.out.strip()) == (0, str(tmp_path / "out"))
    rows = judged_rows(tmp_path / "out")
    verdicts = [one.verdict for one in rows["1"].judgement.verdicts]
    assert verdicts == ["reflected", "contradicted"]
    reward = rows["1"].reward
    assert (reward.format, reward.accuracy, reward.visual, reward.total) == (1, 1, 0, None)
    assert "repetition" in reward.reason
    assert rows["2"].reward.visual is None
    manifest = read_manifest(tmp_path / "out")
    assert (manifest.stage, manifest.counts.rows) == ("judge", 2)
    assert manifest.facts["rows_without_annotations"] == 1
    assert manifest.facts["verdicts"] == {"contradicted": 1, "reflected": 1}


def test_the_penalty_is_an_option(tmp_path):
    source = lines(tmp_path / "rows.jsonl", ROW)
    run = judge(source, "-o", tmp_path / "o", "--model", "rules", "--contradiction-penalty", "0")
    assert run.code == 0
    assert judged_rows(tmp_path / "o")["1"].reward.visual == 0.5


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ("{", "broken_json", "rows.jsonl:2"),
        ("[1]", "wrong_row", "rows.jsonl:2"),
        ('"text"', "broken_json", "no object"),
        ({**ROW, "id": "2", "completion": 3.5}, None, ""),  # a number is a text that was not quoted
        ({**ROW, "id": ""}, "wrong_row", "'id'"),
        ({**ROW, "id": "2", "answer": " "}, "wrong_row", "'answer'"),
        ({**ROW, "id": "1"}, "duplicate_id", "rows.jsonl:2"),
        ({"id": "2", "completion": "x", "answer": "1"}, "wrong_row", "pr1 annotate"),
        ({**ROW, "id": "2", "annotations": "AB = 5"}, "wrong_row", "'annotations'"),
        ({**ROW, "id": "2", "annotations": [""]}, "wrong_row", "annotations.0"),
        ({**ROW, "id": "2", "annotations": [{"id": 1, "statement": "x"}] * 2}, "wrong_row", "id"),
        (
            {**ROW, "id": "2", "annotations": [{"statement": "x", "weight": 0}]},
            "wrong_row",
            "weight",
        ),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path, row, error, words):
    source = lines(tmp_path / "rows.jsonl", ROW, row, {**ROW, "id": "3"})
    out = tmp_path / "out"
    run = judge(source, "-o", out, "--model", "rules", "--max-failures", "0.5")
    assert run.code == 0
    assert {"1", "3"} <= set(judged_rows(out))
    counts = read_manifest(out).counts
    assert counts.read == 3 == counts.in_rows + counts.failed
    if error is None:
        assert counts.failed == 0
    else:
        (failure,) = failures(out)
        assert failure["error"] == error
        assert words in failure["message"]
    strict = judge(source, "-o", tmp_path / "strict", "--model", "rules")
    assert strict.code == (0 if error is None else 1)


def test_annotations_may_be_records_of_any_stage(tmp_path):
    annotation = {"id": 7, "statement": "red is 2", "kind": "count", "weight": 2.0, "quote": "red"}
    source = lines(tmp_path / "rows.jsonl", {**ROW, "annotations": [annotation]})
    assert judge(source, "-o", tmp_path / "out", "--model", "rules").code == 0
    (row,) = judged_rows(tmp_path / "out").values()
    assert (row.annotations[0].id, row.annotations[0].weight) == (7, 2.0)
    assert row.judgement.verdicts[0].annotation_id == 7


def test_parquet_reads_as_json_lines_do(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([ROW, {**ROW, "id": "2"}]), path)
    assert judge(path, "-o", tmp_path / "out", "--model", "rules", "--limit", "1").code == 0
    assert set(judged_rows(tmp_path / "out")) == {"1"}


def test_what_was_judged_can_be_judged_again(tmp_path):
    source = lines(tmp_path / "rows.jsonl", ROW)
    assert judge(source, "-o", tmp_path / "a", "--model", "rules").code == 0
    assert judge(tmp_path / "a", "-o", tmp_path / "b", "--model", "rules").code == 0
    assert judged_rows(tmp_path / "a") == judged_rows(tmp_path / "b")


def test_a_dry_run_sends_nothing_and_says_what_would_be_sent(fake_server, tmp_path):
    rows = [{**ROW, "id": str(n), "completion": f"text {n % 3}"} for n in range(6)]
    source = lines(tmp_path / "rows.jsonl", *rows, "{")
    run = judge(
        source, "-o", tmp_path / "out", "--dry-run",
        "--model", "vllm/x", "--base-url", fake_server.openai_url,
    )  # fmt: skip
    plan = json.loads(run.out)
    assert run.code == 0
    assert (plan["rows_read"], plan["requests"], plan["annotations"]) == (7, 3, 12)
    assert plan["failed_by_error"] == {"broken_json": 1}
    assert plan["destination"] == fake_server.openai_url
    assert not fake_server.bodies
    assert not (tmp_path / "out").exists()
    rules = judge(source, "-o", tmp_path / "out", "--dry-run", "--model", "rules")
    assert json.loads(rules.out)["annotations_decided_by_rules"] == 12


def test_a_judge_that_dies_midway_is_gone_on_with(fake_server, tmp_path):
    rows = [{**ROW, "id": str(n), "completion": f"text {n}"} for n in range(12)]
    source = lines(tmp_path / "rows.jsonl", *rows)
    command = (
        source, "-o", tmp_path / "out", "--model", "vllm/x", "--concurrency", "1",
        "--base-url", fake_server.openai_url,
    )  # fmt: skip
    fake_server.answer = lambda body: (
        '{"verdicts":"1r2a"}' if len(fake_server.bodies) <= 5 else failed(401, "key withdrawn")
    )
    stopped = judge(*command)
    assert stopped.code == 1
    assert "same command goes on" in stopped.err
    asked = len(fake_server.bodies)
    fake_server.answer = lambda body: '{"verdicts":"1r2a"}'
    assert judge(*command).code == 0
    assert len(judged_rows(tmp_path / "out")) == 12
    assert len(fake_server.bodies) == asked + 12 - 5
    again = judge(*command)
    assert again.code == 2
    assert "--overwrite" in again.err


def test_rows_keep_their_order_and_a_broken_one_its_place(fake_server, tmp_path):
    rows = [{**ROW, "id": str(n), "completion": f"text {n}"} for n in range(20)]
    source = lines(tmp_path / "rows.jsonl", *rows)
    fake_server.answer = lambda body: (
        "prose" if "text 7\n" in asked_text(body) else '{"verdicts":"1r2a"}'
    )
    run = judge(
        source, "-o", tmp_path / "o", "--model", "vllm/x", "--base-url", fake_server.openai_url
    )
    assert run.code == 0
    rows_there = judged_rows(tmp_path / "o")
    assert list(rows_there) == [str(n) for n in range(20)]
    assert rows_there["7"].reward.visual == 0
    assert rows_there["7"].judgement.failure.cause == "completion"
    assert "malformed" in rows_there["7"].reward.reason
    assert rows_there["8"].reward.visual == 0.5
    assert read_manifest(tmp_path / "o").facts["rows_that_broke_the_judge"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "FILE"),
        (["nothing.jsonl", "-o", "o"], "no such file"),
        (["{file}", "-o", "o", "--model", "rules", "--hybrid"], "hybrid needs a model"),
        (["{file}", "-o", "o", "--model", "openai/x"], "OPENAI_API_KEY"),
        (["{file}", "-o", "o", "--model", "x/y"], "no chat model"),
        (["{file}", "--calibrate", "x.jsonl"], "takes no FILE"),
        (["--calibrate", "nothing.jsonl", "--model", "rules"], "cannot be read"),
    ],
)
def test_a_command_that_cannot_start_says_why(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    source = lines(tmp_path / "rows.jsonl", ROW)
    run = judge(*(str(source) if argument == "{file}" else argument for argument in arguments))
    assert run.code == 2
    assert words in run.err


def test_calibration_prints_a_table_or_json():
    table = judge("--calibrate", LABELS, "--model", "rules")
    assert table.code == 0
    assert "accuracy" in table.out
    as_json = judge("--calibrate", LABELS, "--model", "rules", "--json")
    assert json.loads(as_json.out)["judge"] == "rules"
