"""`pr1 doctor`: what each machine is told, with a command for each lack."""

import io
import json
import sqlite3
from importlib import metadata

import pytest
from fake_server import failed, refused, truncated
from rich.console import Console

from pr1 import doctor
from pr1.doctor import Check, as_table, check_endpoint, check_store, exit_code, run_checks
from pr1.llm.chat import ChatResponse
from pr1.llm.store import ResponseStore
from pr1.schemas.config import ModelConfig
from pr1.schemas.manifest import Usage


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PR1_CACHE", str(tmp_path))
    monkeypatch.delenv("PR1_EMBEDDED_MODEL", raising=False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)


def by_name(checks):
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_a_bare_machine_is_not_broken():
    checks = run_checks()
    assert exit_code(checks) == 0
    found = by_name(checks)
    assert found["python"].status == found["pr1"].status == found["disk"].status == "ok"
    assert found["embedded model"].status == "warn"
    assert found["embedded model"].fix == "pr1 doctor --fetch"
    assert "endpoint" not in found
    for check in checks:
        assert check.status == "ok" or check.fix or check.name == "GPU"


def test_keys_are_named_and_never_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-7")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "  ")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_very_secret")
    checks = run_checks()
    found = by_name(checks)
    assert found["OPENAI_API_KEY"] == Check("OPENAI_API_KEY", "ok", "set")
    assert found["ANTHROPIC_API_KEY"].status == "skip"
    assert found["HF_TOKEN"].status == "ok"
    assert "secret" not in json.dumps([check._asdict() for check in checks])


def test_extras_and_packages(monkeypatch):
    version = metadata.version

    def without_xllamacpp_and_with_old_rich(name):
        if name == "xllamacpp":
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "rich" else version(name)

    monkeypatch.setattr(metadata, "version", without_xllamacpp_and_with_old_rich)
    found = by_name(run_checks())
    assert found["pr1[embedded]"].status == "warn"
    assert found["pr1[embedded]"].fix == "pip install 'pr1[embedded]'"
    assert "pr1[dev]" not in found
    assert found["pr1"].status == "fail"
    assert found["pr1"].fix == "pip install 'rich>=14'"


def test_a_named_model_file_that_is_missing_is_broken(monkeypatch, tmp_path):
    monkeypatch.setenv("PR1_EMBEDDED_MODEL", str(tmp_path / "nowhere.gguf"))
    checks = run_checks()
    assert by_name(checks)["embedded model"].fix == "unset PR1_EMBEDDED_MODEL"
    assert exit_code(checks) == 1


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (lambda body: json.dumps({"greeting": wanted_word(body)}), "ok", "honoured"),
        (lambda body: '{"greeting":"hello"}', "fail", "ignored: it answered"),
        (lambda body: "Hello! How can I help?", "fail", "ignored: it answered 'Hello!"),
        (lambda body: truncated('{"greet'), "warn", "cut at"),
        (lambda body: refused(), "warn", "declined"),
    ],
)
def test_whether_the_schema_is_honoured(fake_server, answer, status, words):
    fake_server.answer = answer
    endpoint, schema = check_endpoint(vllm(fake_server.openai_url))
    assert endpoint.status == "ok"
    assert (schema.name, schema.status) == ("json_schema", status)
    assert words in schema.detail
    assert bool(schema.fix) == (status == "fail")
    assert "quixotic" not in json.dumps(fake_server.bodies[0]["messages"])


def wanted_word(body):
    schema = body["response_format"]["json_schema"]["schema"]
    return schema["properties"]["greeting"]["enum"][0]


def test_an_endpoint_that_fails_is_broken(fake_server):
    fake_server.answer = lambda body: failed(404, "The model `m` does not exist")
    endpoint, schema = check_endpoint(vllm(fake_server.openai_url))
    assert (endpoint.status, schema.status) == ("fail", "skip")
    assert "does not exist" in endpoint.detail
    assert endpoint.fix == f"curl {fake_server.openai_url}/models"
    assert exit_code([endpoint, schema]) == 1


def test_an_endpoint_that_nobody_serves_is_broken(unused_port):
    checks = check_endpoint(vllm(f"http://127.0.0.1:{unused_port}/v1"))
    assert exit_code(checks) == 1


def test_a_model_without_its_key_is_broken():
    endpoint, _ = check_endpoint(ModelConfig(name="openai/m"))
    assert endpoint.status == "fail"
    assert "OPENAI_API_KEY" in endpoint.detail


def vllm(base_url):
    return ModelConfig(name="vllm/m", base_url=base_url)


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("echo 'NVIDIA H100, 81559 MiB'", "ok", "NVIDIA H100, 81559 MiB"),
        ("echo no driver >&2; exit 9", "warn", "exit status 9"),
    ],
)
def test_gpu(tmp_path, monkeypatch, script, status, words):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    gpu = by_name(run_checks())["GPU"]
    assert gpu.status == status
    assert words in gpu.detail


def test_little_disk_and_memory_are_told(monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_DISK", 10**18)
    monkeypatch.setattr(doctor, "LEAST_MEMORY", 10**18)
    found = by_name(run_checks())
    assert found["disk"].status == found["machine"].status == "warn"
    assert "PR1_CACHE" in found["disk"].fix


def test_the_table_fits_80_columns_and_loses_nothing():
    checks = [
        Check("pr1[embedded]", "warn", "not installed", "pip install 'pr1[embedded]'"),
        Check("embedded model", "fail", "/a/path" * 40 + " [bold] is no markup"),
    ]
    console = Console(width=200, file=io.StringIO())
    with console.capture() as capture:
        console.print(as_table(checks))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    shown = "".join(line.strip() for line in lines).replace(" ", "")
    assert "pr1[embedded]" in shown
    assert "[bold]" in shown
    assert "pipinstall'pr1[embedded]'" in shown


def a_store(folder, answers=3):
    path = folder / ".pr1" / "responses.sqlite"
    with ResponseStore(path) as store:
        for number in range(answers):
            answer = ChatResponse(text="x" * 2000, finish="stop", model=f"eye-{number % 2}")
            usage = Usage(tokens_in=1000, tokens_out=5, cost_usd=0.5, requests=1)
            store.put(f"{number:064x}", "collect", answer, usage)
    return path


def test_a_whole_store_says_what_it_holds(tmp_path):
    path = a_store(tmp_path)
    before = path.read_bytes()
    store, answers, spent = check_store(tmp_path)
    assert {check.status for check in (store, answers, spent)} == {"ok"}
    assert f"{path}: 3 answers, all whole" in store.detail
    assert "unfinished" not in store.detail
    assert answers.detail == "collect 2 (eye-0), collect 1 (eye-1)"
    assert spent.detail == "3 requests, 3,000 tokens in, 15 out, cost 1.50 US dollars"
    assert path.read_bytes() == before
    (tmp_path / ".pr1" / "run.json").write_text("{}")
    assert "its command goes on from here" in check_store(tmp_path)[0].detail
    assert by_name(run_checks(store=tmp_path))["store"].status == "ok"


def test_a_store_that_a_run_writes_to_is_read(tmp_path):
    with ResponseStore(a_store(tmp_path)) as running:
        running.put(f"{9:064x}", "judge", ChatResponse(text="", finish="stop", model="m"))
        assert "4 answers" in check_store(tmp_path)[0].detail


def test_an_empty_store_and_one_of_before_there_were_costs(tmp_path):
    path = a_store(tmp_path, answers=0)
    assert check_store(tmp_path)[1].detail == "none"
    change_store(path, "DROP TABLE spent")
    assert "older version" in check_store(tmp_path)[2].detail


def change_store(path, statement):
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()


def spoil_page(path):
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 3 + 200] = bytes(range(200))
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "not a usable"),
        (lambda path: path.write_text("id,answer\n" * 500), "not a database"),
        (spoil_page, "not a usable"),
        (lambda path: change_store(path, "UPDATE answers SET response = '{'"), "30 answers are"),
        (lambda path: change_store(path, "UPDATE answers SET key = 'k-' || key"), "the first k-0"),
        (lambda path: change_store(path, "DROP TABLE answers"), "no such table"),
        (lambda path: change_store(path, "PRAGMA user_version = 9"), "another program or version"),
    ],
)
def test_a_damaged_store_is_moved_away(tmp_path, damage, words):
    path = a_store(tmp_path, answers=30)
    damage(path)
    (check,) = check_store(tmp_path)
    assert words in check.detail
    assert check.fix == f"mv {path} {path}.damaged"
    assert exit_code([check]) == 1


def test_a_folder_without_a_store(tmp_path):
    (check,) = check_store(tmp_path)
    assert (check.status, check.fix) == ("fail", "")
    assert "Name the output folder of a run" in check.detail
