"""The commands end to end, as a user types them: exit code, stdout, stderr, and the files."""

import io
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fake_server import Body, FakeServer, Reply, failed, junk, refused, silent, truncated
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from pr1.cli import app
from pr1.llm import health, pacing, sending
from pr1.outputs.rows import read_manifest, read_rows
from pr1.schemas.manifest import Manifest
from pr1.schemas.records import AnnotatedProblem, TrainRow

WORD_LISTS = {f"words/{name}.yaml" for name in ("clauses", "kinds", "stances")}
KEY = "sk-planted-0123456789abcdef"
QUESTIONS = (
    "How long is AC?",
    "What is the perimeter of the quadrilateral that the dotted lines enclose?",
    "By how many votes does the tallest bar exceed the shortest one?",
    "Find the radius of the inscribed circle.",
    "Which share of the total does the second slice hold?",
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once: what is tested is that they come, and how often."""
    monkeypatch.setattr(sending, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(pacing, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(health, "PATIENCE_AT_FIRST_S", 0.1)
    monkeypatch.setattr(health, "PATIENCE_S", 0.1)
    monkeypatch.setenv("COLUMNS", "80")


class Run(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


def pr1(*arguments: str | Path) -> Run:
    """The command in this process; an exception that is no exit code is a bug and raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return Run(result.exit_code, result.stdout, result.stderr)


def error_line(run: Run, code: int) -> str:
    """The one line that tells the user what is wrong."""
    assert run.code == code, run
    (line,) = [line for line in run.err.splitlines() if line.startswith("pr1: ")]
    return line


def png(number: int = 0, size: tuple[int, int] = (96, 72)) -> bytes:
    """A picture that differs from those of other numbers, to the eye as well."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for bit in range(6):
        x, y = 16 * bit, 12 * ((number * 7 + bit * bit) % 6)
        draw.rectangle((x, y, x + 12, y + 10), fill=("black", "red", "blue")[(number + bit) % 3])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def trajectory(number: int, answer: int = 9) -> str:
    """A text that states two facts, whose numbers are its own."""
    return (
        f"In the figure, AB = {10 + number}. CD is parallel to EF.\n\n"
        f"So AC = {answer}. The answer is \\boxed{{{answer}}}."
    )


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Problem p`number`; None takes a column away."""
    whole = {
        "id": f"p{number}",
        "question": QUESTIONS[number % len(QUESTIONS)],
        "answer": "9",
        "image": f"{number}.png",
        "trajectory": trajectory(number),
        "source": "ours",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def write(folder: Path, *lines: dict[str, Any] | str, pictures: int = 5) -> Path:
    """A source with these records, or lines as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        (folder / f"{number}.png").write_bytes(png(number))
    path = folder / "problems.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "set", *map(record, range(5)))


def rows(out: Path) -> list[AnnotatedProblem]:
    return list(read_rows(out, AnnotatedProblem))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def adds_up(out: Path) -> Manifest:
    """The manifest, after its counts were compared with the files."""
    manifest = read_manifest(out)
    counts = manifest.counts
    assert counts.read == counts.in_rows + counts.dropped + counts.failed
    assert counts.dropped == sum(line["records"] for line in lines_of(out / "dropped.jsonl"))
    assert counts.failed == sum(line["records"] for line in lines_of(out / "failures.jsonl"))
    return manifest


def asked_text(body: Body) -> str:
    """The trajectory that a request asks about."""
    turns = [m["content"] for m in body["messages"] if m.get("role") != "assistant"]
    texts = [turn if isinstance(turn, str) else turn[0]["text"] for turn in turns]
    data = [text for text in texts if text.startswith('{"text": ')]
    return str(json.loads(data[-1])["text"])


def facts_of(body: Body) -> str:
    """What a good model answers: the two facts, a computed one, and one that is not in the text."""
    (length,) = re.findall(r"AB = \d+", asked_text(body))
    stated = {
        length: "length",
        "CD is parallel to EF": "relation",
        "So AC = 9": "length",
        "GH = 3": "length",
    }
    facts = [{"quote": q, "statement": q, "kind": kind} for q, kind in stated.items()]
    return json.dumps({"facts": facts})


def answer_all(body: Body) -> str:
    """Trajectories when asked for free text, facts when asked for facts."""
    if "response_format" in body:
        return facts_of(body)
    return trajectory(1 + body["seed"] % 2, answer=9 if body["seed"] % 2 else 8)


def vllm(server: FakeServer) -> tuple[str, ...]:
    return ("--model", "vllm/eye-1", "--base-url", server.openai_url)


def all_bytes(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


# The whole way.


def test_from_problems_to_a_published_set(tmp_path, fake_server):
    problems = write(tmp_path / "set", *(record(n, trajectory=None) for n in range(3)))
    fake_server.answer = answer_all
    collected, annotated, chosen = (tmp_path / name for name in ("one", "two", "three"))

    run = pr1("collect", problems, "-o", collected, *vllm(fake_server), "--samples", "6")
    assert (run.code, run.out.strip()) == (0, str(collected))
    assert adds_up(collected).counts.rows == 3
    assert all(len(row.trajectories) == 6 and not row.annotations for row in rows(collected))

    run = pr1("annotate", collected, "-o", annotated, *vllm(fake_server))
    assert (run.code, run.out.strip()) == (0, str(annotated)), run.err
    assert adds_up(annotated).counts.rows == 3
    for row in rows(annotated):
        right = {t.id for t in row.trajectories if t.is_correct}
        assert 0 < len(right) < 6
        texts = {t.id: t.text for t in row.trajectories}
        assert [a.id for a in row.annotations] == list(range(1, len(row.annotations) + 1))
        for annotation in row.annotations:
            assert annotation.trajectory_id in right
            text = texts[annotation.trajectory_id]
            assert text[annotation.start : annotation.end] == annotation.quote
            assert annotation.support == len(right)
            assert annotation.extractor == "vllm/eye-1"

    run = pr1("filter", annotated, "-o", chosen, "--size", "2")
    assert (run.code, run.out.strip()) == (0, str(chosen)), run.err
    manifest = adds_up(chosen)
    assert manifest.counts.dropped_by_reason == {"not_selected": 1}
    assert [past.stage for past in manifest.history] == ["collect", "annotate"]
    assert manifest.history[1].config["model"]["name"] == "vllm/eye-1"
    assert not any(past.history for past in manifest.history)
    for row in read_rows(chosen, TrainRow):
        assert row.annotations
        assert not [a for a in row.annotations if "AC" in a.statement or "GH" in a.statement]

    run = pr1("push-to-hub", chosen, "somebody/set", "--dry-run")
    assert run.code == 0
    sent = {file["path"] for file in json.loads(run.out)["files"]}
    (shard,) = (chosen / "data").iterdir()
    assert sent == {"README.md", "manifest.json", f"data/{shard.name}"}
    assert "HF_TOKEN" in error_line(pr1("push-to-hub", chosen, "somebody/set", "--yes"), 2)


def test_rules_need_no_model(source, tmp_path):
    run = pr1("annotate", source, "-o", tmp_path / "out", "--model", "rules")
    assert (run.code, run.out.strip()) == (0, str(tmp_path / "out"))
    assert "5 records read" in run.err
    manifest = adds_up(tmp_path / "out")
    assert manifest.config["model"]["name"] == "rules"
    assert set(manifest.prompts) == WORD_LISTS
    assert manifest.usage.requests == 0
    for number, row in enumerate(rows(tmp_path / "out")):
        statements = [annotation.statement for annotation in row.annotations]
        assert statements == [f"AB = {10 + number}", "CD is parallel to EF"]
        assert {annotation.extractor for annotation in row.annotations} == {"rules"}
        (rejected,) = [entry for entry in row.rejected if "AC" in entry.statement]
        assert rejected.reason in ("deduction", "conclusion")


def test_wrong_trajectories_are_left_out_unless_asked_for(tmp_path):
    right, wrong = trajectory(0), trajectory(7, answer=8)
    path = write(
        tmp_path / "set",
        record(0, trajectory=None, trajectories=[right, wrong]),
        record(1, trajectory=wrong),
    )
    assert pr1("annotate", path, "-o", tmp_path / "a", "--model", "rules").code == 0
    manifest = adds_up(tmp_path / "a")
    assert manifest.counts.dropped_by_reason == {"no_correct_trajectory": 1}
    (row,) = rows(tmp_path / "a")
    assert [t.is_correct for t in row.trajectories] == [True, False]
    assert "AB = 17" not in [a.statement for a in row.annotations]

    run = pr1("annotate", path, "-o", tmp_path / "b", "--model", "rules", "--keep-wrong")
    assert run.code == 0
    assert "AB = 17" in [a.statement for a in rows(tmp_path / "b")[0].annotations]
    assert len(rows(tmp_path / "b")) == 2


def test_min_support_asks_for_agreement(tmp_path):
    several = [trajectory(0), trajectory(0) + " Indeed.", trajectory(1)]
    path = write(tmp_path / "set", record(0, trajectory=None, trajectories=several))
    args = ("annotate", path, "-o", tmp_path / "out", "--model", "rules", "--min-support", "3")
    assert pr1(*args).code == 0
    (row,) = rows(tmp_path / "out")
    assert [(a.statement, a.support) for a in row.annotations] == [("CD is parallel to EF", 3)]
    assert sorted(r.statement for r in row.rejected if r.reason == "low_support") == [
        "AB = 10",
        "AB = 11",
    ]


def test_the_folder_opens_with_datasets(source, tmp_path):
    import datasets

    out = tmp_path / "out"
    assert pr1("annotate", source, "-o", out, "--model", "rules").code == 0
    opened = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    features = opened.features
    assert features["question"] == datasets.Value("string")
    assert features["images"] == datasets.List(datasets.Image())
    (annotation,) = [features["annotations"].feature]
    assert annotation["start"].dtype == "int64"
    assert annotation["in_question"].dtype == "bool"
    assert opened["id"][:] == [f"p{n}" for n in range(5)]
    assert all(row["images"][0].size == (96, 72) for row in opened)


# Models: how they answer, and how they do not.


def test_a_model_proposes_and_validation_decides(source, tmp_path, fake_server):
    fake_server.answer = facts_of
    run = pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert run.code == 0
    manifest = adds_up(tmp_path / "out")
    assert len(fake_server.bodies) == manifest.usage.requests == 5
    assert manifest.usage.tokens_out == 100
    assert set(manifest.prompts) == {"extract.txt", "extract_examples.yaml"} | WORD_LISTS
    assert manifest.counts.rejected_by_reason["quote_not_found"] == 5
    for number, row in enumerate(rows(tmp_path / "out")):
        assert [a.statement for a in row.annotations] == [
            f"AB = {10 + number}",
            "CD is parallel to EF",
        ]
        assert {a.extractor for a in row.annotations} == {"vllm/eye-1"}
        assert all(a.prompt_hash for a in row.annotations)


def test_rows_keep_the_order_of_the_source(source, tmp_path, fake_server):
    def slow_first(body: Body) -> Reply:
        number = int(asked_text(body).partition("AB = 1")[2][0])
        return Reply(facts_of(body), delay_s=0.1 * (4 - number))

    fake_server.answer = slow_first
    assert pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server)).code == 0
    assert fake_server.most_at_once == 5
    assert [row.id for row in rows(tmp_path / "out")] == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.parametrize(
    ("reply", "error", "attempts"),
    [
        (refused(), "refused", 1),
        (Reply("no JSON at all"), "malformed", 3),
        (Reply('{"facts": [{"quote": "AB = 10"}]}'), "malformed", 3),
        (Reply('{"facts": [{"quote": "x", "statement": "y", "kind": "size"}]}'), "malformed", 3),
        (truncated('{"facts": ['), "truncated", 3),
        (junk(), "malformed", 3),
        pytest.param(
            *(failed(413, "too long"), "bad_request", 1),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_useless_answer_costs_its_row_alone(
    reply, error, attempts, source, tmp_path, fake_server
):
    fake_server.answer = lambda body: reply if "AB = 12" in asked_text(body) else facts_of(body)
    out = tmp_path / "out"
    run = pr1("annotate", source, "-o", out, *vllm(fake_server), "--concurrency", "1")
    assert "1 of 5 records failed" in error_line(run, 1)
    assert run.out.strip() == str(out)
    assert adds_up(out).counts.rows == 4
    (failure,) = lines_of(out / "failures.jsonl")
    assert failure["id"] == "p2"
    assert failure["error"].replace("_", "") == error.replace("_", "")
    assert failure["attempts"] == attempts
    assert "\n" not in failure["message"]
    assert len(fake_server.bodies) == 4 + attempts


def test_a_trajectory_that_cannot_be_read_leaves_the_others(tmp_path, fake_server):
    path = write(
        tmp_path / "set", record(0, trajectory=None, trajectories=[trajectory(0), trajectory(5)])
    )
    fake_server.answer = lambda b: refused() if "AB = 15" in asked_text(b) else facts_of(b)
    assert pr1("annotate", path, "-o", tmp_path / "out", *vllm(fake_server)).code == 0
    (row,) = rows(tmp_path / "out")
    assert "AB = 10" in [a.statement for a in row.annotations]
    (entry,) = [entry for entry in row.rejected if entry.reason == "not_extracted"]
    assert "declined" in entry.statement


def test_a_server_that_is_down_stops_the_run(source, tmp_path, unused_port):
    url = f"http://127.0.0.1:{unused_port}/v1"
    args = ("annotate", source, "-o", tmp_path / "out", "--model", "vllm/x", "--base-url", url)
    message = error_line(pr1(*args), 1)
    assert f"127.0.0.1:{unused_port}" in message
    assert "same command goes on" in message
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_rejected_key_stops_the_run(source, tmp_path, fake_server, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    fake_server.answer = lambda body: failed(401, f"Incorrect API key provided: {KEY}")
    run = pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server), "--concurrency", "1")
    assert "same command goes on" in error_line(run, 1)
    assert len(fake_server.bodies) == 1
    assert KEY not in run.out + run.err
    assert [path for path, data in all_bytes(tmp_path / "out") if KEY.encode() in data] == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("openai/gpt-5", "OPENAI_API_KEY"),
        ("anthropic/claude", "ANTHROPIC_API_KEY"),
        ("vllm/x", "--base-url"),
        ("gpt-5", "no chat model that pr1 knows"),
        ("openai/", "no chat model that pr1 knows"),
        pytest.param("", "--model"),
    ],
)
def test_a_model_that_cannot_be_used(model, message, source, tmp_path):
    out = tmp_path / "out"
    assert message in error_line(pr1("annotate", source, "-o", out, "--model", model), 2)
    assert not out.exists()


@pytest.mark.parametrize("model", ["rules", "embedded"])
def test_collect_needs_a_model_that_sees(model, source, tmp_path):
    run = pr1("collect", source, "-o", tmp_path / "out", "--model", model)
    assert "cannot see pictures" in error_line(run, 2)


@pytest.mark.parametrize(
    ("provider", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")]
)
def test_other_providers_annotate_alike(
    provider, variable, source, tmp_path, fake_server, monkeypatch
):
    monkeypatch.setenv(variable, KEY)
    fake_server.answer = facts_of
    url = fake_server.anthropic_url if provider == "anthropic" else fake_server.openai_url
    model = ("--model", f"{provider}/eye-1", "--base-url", url)
    assert pr1("annotate", source, "-o", tmp_path / "out", *model).code == 0
    found = [[a.statement for a in row.annotations] for row in rows(tmp_path / "out")]
    assert found == [[f"AB = {10 + n}", "CD is parallel to EF"] for n in range(5)]
    assert read_manifest(tmp_path / "out").usage.requests == 5


# Sources.


def test_columns_of_other_names(tmp_path):
    names = {"id": "key", "answer": "gold", "trajectory": "response"}
    renamed = [{names.get(k, k): v for k, v in record(n).items()} for n in range(2)]
    path = write(tmp_path / "set", *renamed)
    mapping = ",".join(f"{ours}={theirs}" for ours, theirs in names.items())
    args = ("annotate", path, "-o", tmp_path / "out", "--model", "rules", "--columns", mapping)
    assert pr1(*args).code == 0
    assert [row.id for row in rows(tmp_path / "out")] == ["p0", "p1"]


def test_the_limit_reads_the_first_problems(source, tmp_path):
    args = ("annotate", source, "-o", tmp_path / "out", "--model", "rules", "--limit", "2")
    assert pr1(*args).code == 0
    assert adds_up(tmp_path / "out").counts.read == 2
    assert [row.id for row in rows(tmp_path / "out")] == ["p0", "p1"]


def test_the_sample_of_the_repository(tmp_path):
    sample = Path(__file__).parents[1] / "data" / "sample"
    assert pr1("annotate", sample, "-o", tmp_path / "a", "--model", "rules").code == 0
    assert adds_up(tmp_path / "a").counts.failed == 0
    for row in rows(tmp_path / "a"):
        texts = {t.id: t.text for t in row.trajectories}
        for annotation in row.annotations:
            quoted = texts[annotation.trajectory_id][annotation.start : annotation.end]
            assert annotation.quote == quoted
            assert quoted.strip()
    assert pr1("filter", tmp_path / "a", "-o", tmp_path / "f").code == 0
    assert adds_up(tmp_path / "f").counts.rows > 10


# Again: resumed, refused, made anew.


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path, fake_server):
    path = write(tmp_path / "set", *(record(n, image="0.png") for n in range(20)))
    args = ("annotate", path, "-o", tmp_path / "out", *vllm(fake_server), "--concurrency", "1")
    up = 4
    fake_server.answer = lambda body: (
        facts_of(body) if len(fake_server.bodies) <= up else failed(503, "overloaded")
    )
    assert "4 answers are kept" in error_line(pr1(*args), 1)
    assert not (tmp_path / "out" / "manifest.json").exists()
    asked = {asked_text(body) for body in fake_server.bodies[:up]}

    fake_server.bodies.clear()
    fake_server.answer = facts_of
    assert pr1(*args).code == 0
    assert len(fake_server.bodies) == 16
    assert not asked & {asked_text(body) for body in fake_server.bodies}
    assert adds_up(tmp_path / "out").counts.rows == 20
    assert read_manifest(tmp_path / "out").usage.requests == 16


def test_a_finished_folder_is_refused_and_made_anew_from_its_store(source, tmp_path, fake_server):
    fake_server.answer = facts_of
    args = ("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert pr1(*args).code == 0
    before = dict(all_bytes(tmp_path / "out" / "data"))

    message = error_line(pr1(*args), 2)
    assert "--overwrite" in message
    assert "5 rows" in message
    assert before == dict(all_bytes(tmp_path / "out" / "data"))

    assert pr1(*args, "--overwrite").code == 0
    assert len(fake_server.bodies) == 5, "nothing is sent twice"
    assert before == dict(all_bytes(tmp_path / "out" / "data"))
    assert read_manifest(tmp_path / "out").usage.requests == 0

    write(source.parent, *map(record, range(5)), record(5, image="0.png"))
    assert pr1(*args, "--overwrite").code == 0
    assert len(fake_server.bodies) == 6, "a source that grew costs its new rows"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        (("--seed", "1"), "config.seed"),
        (("--min-support", "2"), "config.min_support"),
        (("--keep-wrong",), "config.keep_wrong"),
        (("--limit", "3"), "config.limit"),
        (("--model-revision", "b"), "config.model.revision"),
    ],
)
def test_an_unfinished_run_is_resumed_as_it_was(changes, key, source, tmp_path, fake_server):
    fake_server.answer = lambda body: failed(401)
    args = ("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert pr1(*args).code == 1
    fake_server.answer = facts_of
    message = error_line(pr1(*args, *changes), 2)
    assert f"differs in {key}." in message
    assert pr1(*args, "--concurrency", "2", "--max-failures", "0.5").code == 0


def test_a_changed_source_is_another_identity(source, tmp_path, fake_server):
    fake_server.answer = lambda body: failed(401)
    args = ("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert pr1(*args).code == 1
    write(source.parent, *map(record, range(4)))
    assert "parents.problems.jsonl" in error_line(pr1(*args), 2)


def test_a_folder_of_somebody_else_is_left_alone(source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    message = error_line(pr1("annotate", source, "-o", out, "--model", "rules"), 2)
    assert "pr1 did not make" in message
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_a_stage_reads_only_what_is_finished_and_meant_for_it(source, tmp_path):
    error_line(pr1("filter", source.parent, "-o", tmp_path / "x"), 2)
    assert pr1("annotate", source, "-o", tmp_path / "a", "--model", "rules").code == 0
    assert pr1("filter", tmp_path / "a", "-o", tmp_path / "b").code == 0
    error_line(pr1("filter", tmp_path / "b", "-o", tmp_path / "c"), 2)
    error_line(pr1("filter", tmp_path / "a", "-o", tmp_path / "a"), 2)
    (tmp_path / "a" / "manifest.json").unlink()
    error_line(pr1("filter", tmp_path / "a", "-o", tmp_path / "d"), 2)
    error_line(pr1("push-to-hub", tmp_path / "a", "somebody/set", "--dry-run"), 2)


# What would be done, and with which settings.


@pytest.mark.parametrize("command", ["collect", "annotate"])
def test_a_dry_run_sends_nothing_and_needs_no_key(command, source, tmp_path):
    run = pr1(command, source, "-o", tmp_path / "out", "--model", "openai/gpt-5", "--dry-run")
    assert run.code == 0
    plan = json.loads(run.out)
    assert plan["destination"] == "https://api.openai.com/v1"
    assert plan["requests"] == (20 if command == "collect" else 5)
    assert plan["config"]["model"]["name"] == "openai/gpt-5"
    assert not (tmp_path / "out").exists()


def test_a_dry_run_leaves_a_server_alone(source, tmp_path, fake_server):
    pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server), "--dry-run")
    pr1("collect", source, "-o", tmp_path / "out", *vllm(fake_server), "--dry-run")
    assert fake_server.bodies == []


def dry_config(source: Path, *options: str | Path) -> dict[str, Any]:
    run = pr1("annotate", source, "-o", "out", "--dry-run", *options)
    assert run.code == 0, run.err
    return dict(json.loads(run.out)["config"])


def test_a_file_gives_defaults_and_options_override_it(source, tmp_path):
    settings = tmp_path / "run.yaml"
    settings.write_text(
        "model: rules\nkeep-wrong: true\nmin_support: 2\nseed: 7\nlimit: 3\nmax_failures: 0.5\n"
    )
    config = dry_config(source, "--config", settings)
    assert config["model"]["name"] == "rules"
    assert (config["keep_wrong"], config["min_support"], config["seed"]) == (True, 2, 7)
    assert config["limit"] == 3
    assert config["execution"]["max_failures"] == 0.5
    config = dry_config(source, "--seed", "8", "--config", settings, "--limit", "4")
    assert (config["seed"], config["limit"], config["min_support"]) == (8, 4, 2)


def test_a_file_can_name_source_and_output(source, tmp_path):
    settings = tmp_path / "run.yaml"
    settings.write_text(f"source: {source}\noutput: {tmp_path / 'out'}\nmodel: rules\n")
    run = pr1("annotate", "--config", settings)
    assert (run.code, run.out.strip()) == (0, str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: rules\n", "modle is no option of `pr1 annotate`"),
        ("- rules\n", "holds no `option: value` lines"),
        ("", "holds no `option: value` lines"),
        ("model: [\n", "cannot be read"),
        ("min_support: many\n", "--min-support"),
        ("min_support: 0\n", "--min-support"),
        ("model: null\nformat: nonsense\n", "nonsense"),
    ],
)
def test_a_file_that_cannot_be_used(text, message, source, tmp_path):
    settings = tmp_path / "run.yaml"
    settings.write_text(text)
    run = pr1("annotate", source, "-o", tmp_path / "out", "--config", settings)
    assert run.code == 2
    assert message in run.err
    assert not (tmp_path / "out").exists()


def test_the_message_about_a_broken_file_is_one_line(source, tmp_path):
    settings = tmp_path / "run.yaml"
    settings.write_text("model: [\n")
    run = pr1("annotate", source, "-o", tmp_path / "out", "--config", settings)
    assert len(run.err.strip().splitlines()) == 1


# What bad input gets.


def oversized() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (9000, 9000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (record(1, answer=""), "empty_answer", "'answer'"),
        (record(1, answer=None), "empty_answer", "'answer'"),
        (record(1, image="broken.png"), "unreadable_image", "PNG"),
        (record(1, image="huge.png"), "oversized_image", "9000 x 9000"),
        (record(1, image="absent.png"), "image_not_found", "absent.png"),
        (record(1, image="../secret.png"), "image_outside_folder", "leaves"),
        (record(1, image="/etc/passwd"), "image_outside_folder", "leaves"),
        (record(1, image="link.png"), "image_outside_folder", "leaves"),
        (record(1, image="a\0.png"), "nul_byte", "NUL"),
        (record(1, question="How\0?"), "nul_byte", "NUL"),
        (record(1, trajectory="AB = 5.\0"), "nul_byte", "NUL"),
        (record(1, trajectory="AB = 5. " * 1_310_720), "text_too_long", "'trajectory'"),
        (record(1, trajectory="AB \ud800"), "broken_text", "surrogate"),
        (json.dumps(record(1))[:60], "broken_json", "JSON"),
        ("[1, 2]", "not_an_object", "list"),
        (record(0, answer="8"), "conflicting_problem", "'answer'"),
        (record(0, image="1.png"), "conflicting_problem", "'images'"),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else "",
)
def test_a_bad_row_fails_alone(bad, code, words, tmp_path):
    path = write(tmp_path / "set", record(0), bad, record(2))
    (path.parent / "broken.png").write_bytes(b"<html>")
    (path.parent / "huge.png").write_bytes(oversized())
    (tmp_path / "secret.png").write_bytes(png())
    (path.parent / "link.png").symlink_to(tmp_path / "secret.png")
    out = tmp_path / "out"

    run = pr1("annotate", path, "-o", out, "--model", "rules")

    message = error_line(run, 1)
    assert "1 of 3 records failed" in message
    assert str(out / "failures.jsonl") in message
    assert "--max-failures" in message
    (failure,) = lines_of(out / "failures.jsonl")
    assert failure["error"] == code
    assert "problems.jsonl:2" in failure["message"]
    assert words in failure["message"]
    assert "\n" not in failure["message"]
    assert len(failure["message"]) < 400
    assert failure["message"].endswith((".", ")"))
    assert [row.id for row in rows(out)] == ["p0", "p2"]
    adds_up(out)


def test_failures_under_the_limit_do_not_fail_the_run(tmp_path):
    path = write(tmp_path / "set", record(0), record(1, answer=""), record(2))
    args = ("annotate", path, "-o", tmp_path / "out", "--model", "rules", "--max-failures", "0.4")
    assert pr1(*args).code == 0
    assert adds_up(tmp_path / "out").counts.failed == 1


def test_a_source_without_a_good_row_ends_in_order(tmp_path):
    path = write(tmp_path / "set", record(0, answer=""), record(1, image=None))
    error_line(pr1("annotate", path, "-o", tmp_path / "out", "--model", "rules"), 1)
    assert adds_up(tmp_path / "out").counts.rows == 0


def set_of(text: str, name: str = "problems.jsonl") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        return folder / name

    return make


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (set_of(""), (), ["problems.jsonl", "no records"]),
        (set_of("\n\n"), (), ["problems.jsonl", "no records"]),
        (set_of("[]", "problems.json"), (), ["problems.json", "no records"]),
        (set_of("[{", "problems.json"), (), ["problems.json", "JSON"]),
        (set_of("x", "problems.parquet"), (), ["problems.parquet", "Parquet"]),
        (set_of("x", "problems.csv"), (), ["problems.csv", ".jsonl"]),
        (lambda folder: folder / "absent.jsonl", (), ["absent.jsonl", "no such file"]),
        (lambda folder: "nobody/nothing", (), ["nobody/nothing", "Check the name"]),
        (
            lambda folder: write(folder, record(0)),
            ("--columns", "answer=gold"),
            ["'gold'", "image"],
        ),
        (lambda folder: write(folder, record(0)), ("--columns", "anwser=gold"), ["'anwser'"]),
        (lambda folder: write(folder, record(0)), ("--columns", "answer"), ["'answer'", "="]),
        (lambda folder: write(folder, record(0)), ("--format", "nonsense"), ["nonsense"]),
        (lambda folder: write(folder, record(0, answer=None)), (), ["'answer'", "--columns"]),
        (lambda folder: write(folder, record(0, trajectory=None)), (), ["'trajectory'", "collect"]),
        (lambda folder: "a\0b", (), ["NUL"]),
    ],
)
def test_a_source_that_cannot_be_used(make, options, words, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    out = tmp_path / "out"
    source = make(tmp_path / "set")
    message = error_line(pr1("annotate", source, "-o", out, "--model", "rules", *options), 2)
    for word in words:
        assert word in message
    assert not out.exists()


# Secrets.


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(None, id="good"),
        pytest.param(failed(400, f"bad request with {KEY}"), id="rejected"),
        pytest.param(failed(500, f"request with {KEY}"), id="overloaded"),
    ],
)
@pytest.mark.parametrize("command", ["collect", "annotate"])
def test_a_key_is_written_nowhere(command, reply, source, tmp_path, fake_server, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    out = tmp_path / "out"

    def answer(body: Body) -> str | Reply:
        is_bad = reply is not None and len(fake_server.bodies) > 1
        return reply if is_bad and reply is not None else answer_all(body)

    fake_server.answer = answer
    run = pr1(command, source, "-o", out, *vllm(fake_server), "--concurrency", "1")
    assert fake_server.headers[0]["authorization"] == f"Bearer {KEY}", "else nothing is tested"
    assert KEY not in run.out + run.err
    assert [path for path, data in all_bytes(out) if KEY.encode() in data] == []


def test_a_page_that_echoes_the_key_is_not_kept(source, tmp_path, fake_server, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    page = junk(f"<html>Authorization: Bearer {KEY}</html>".encode())
    fake_server.answer = lambda body: page if "AB = 12" in asked_text(body) else facts_of(body)
    run = pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert run.code == 1
    assert [path for path, data in all_bytes(tmp_path / "out") if KEY.encode() in data] == []


def test_the_store_holds_answers_and_no_key(source, tmp_path, fake_server, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    fake_server.answer = facts_of
    assert pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server)).code == 0
    store = sqlite3.connect(tmp_path / "out" / ".pr1" / "responses.sqlite")
    dump = "\n".join(store.iterdump())
    store.close()
    assert "AB = 1" in dump
    assert KEY not in dump


def test_a_base_url_with_a_password_is_refused_and_not_shown(source, tmp_path):
    url = f"http://me:{KEY}@localhost:1/v1"
    run = pr1("annotate", source, "-o", tmp_path / "out", "--model", "vllm/x", "--base-url", url)
    error_line(run, 2)
    assert KEY not in run.out + run.err


# As a process of its own.


def shell(*arguments: str | Path, **env: str) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "pr1", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "80"} | env,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def test_the_module_is_the_command(source, tmp_path):
    run = shell("annotate", source, "-o", tmp_path / "out", "--model", "rules")
    assert (run.code, run.out) == (0, f"{tmp_path / 'out'}\n")
    assert "5 records read" in run.err
    again = shell("annotate", source, "-o", tmp_path / "out", "--model", "rules")
    assert (again.code, again.out) == (2, "")
    assert again.err.count("\n") == 1
    assert again.err.startswith("pr1: ")


def test_an_unknown_option_is_an_error_of_usage():
    run = shell("annotate", "--nonsense")
    assert (run.code, run.out) == (2, "")
    assert "--nonsense" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_answers_and_goes_on(
    signal_number, source, tmp_path, fake_server
):
    hangs = silent()
    slow = Reply(facts_of({"messages": [{"content": json.dumps({"text": "AB = 12"})}]}), delay_s=2)

    def answer(body):
        return hangs if len(fake_server.bodies) > 3 else slow

    fake_server.answer = answer
    args = ("annotate", source, "-o", tmp_path / "out", *vllm(fake_server), "--concurrency", "5")
    started = subprocess.Popen(
        [sys.executable, "-m", "pr1", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while len(fake_server.bodies) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        started.send_signal(signal_number)
        out, err = started.communicate(timeout=30)
    finally:
        started.kill()
    assert (started.returncode, out) == (130, "")
    command = shlex.join(["pr1", *map(str, args)])
    assert err.strip() == f"pr1: interrupted. What was answered is kept; go on with: {command}"

    fake_server.bodies.clear()
    fake_server.answer = facts_of
    assert pr1(*args).code == 0
    assert len(fake_server.bodies) == 2  # the three slow answers were waited for
    assert adds_up(tmp_path / "out").counts.rows == 5


def test_a_services_words_do_not_command_the_terminal(source, tmp_path, fake_server):
    fake_server.answer = lambda body: failed(401, "no \x1b[2J\x1b]0;mine\x07 key")
    run = pr1("annotate", source, "-o", tmp_path / "out", *vllm(fake_server))
    assert run.code != 0
    assert "mine" in run.err
    assert "\x1b" not in run.err
