from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pr1.outputs.provenance import (
    MOST_NAMED,
    command_line,
    file_hashes,
    package_versions,
    publishable,
    without_secrets,
)

KEY = "sk-" + "a1B2" * 8


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "pr1"),
        (["annotate", "rows.jsonl", "-o", "OUT"], "pr1 annotate rows.jsonl -o OUT"),
        (["annotate", "/home/eva/rows.jsonl"], "pr1 annotate rows.jsonl"),
        (["annotate", "C:\\Users\\eva\\rows.jsonl"], "pr1 annotate rows.jsonl"),
        (["annotate", "~/rows.jsonl", "../b.jsonl"], "pr1 annotate rows.jsonl ../b.jsonl"),
        (["annotate", "--config=/etc/run.yaml"], "pr1 annotate --config=run.yaml"),
        (["--columns", "id=pid,answer=gold"], "pr1 --columns id=pid,answer=gold"),
        (["--model", "local//data/qwen"], "pr1 --model local/qwen"),
        (["--model", "openai/gpt-5"], "pr1 --model openai/gpt-5"),
        (["--api-key", "hunter2", "-o", "O"], "pr1 --api-key '***' -o O"),
        (["--token=hunter2"], "pr1 '--token=***'"),
        (["--max-tokens", "4096"], "pr1 --max-tokens 4096"),
        (["--token", "--dry-run"], "pr1 --token --dry-run"),
        (["--note", f"key {KEY}"], "pr1 --note 'key ***'"),
        (["--base-url", "https://eva:pw@host/v1"], "pr1 --base-url 'https://***@host/v1'"),
        (
            ["--base-url", "http://h/v1?api_key=x1&a=b"],
            "pr1 --base-url 'http://h/v1?api_key=***&a=b'",
        ),
        (["a b; rm -rf /", "$(x)"], "pr1 'a b; rm -rf /' '$(x)'"),
    ],
)
def test_the_command_is_shown_without_secrets_and_folders(
    arguments: list[str], expected: str
) -> None:
    assert command_line(["/usr/local/bin/pr1", *arguments]) == expected


def test_a_key_of_the_environment_is_hidden_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_LAB_API_KEY", "correct horse")
    monkeypatch.setenv("SOME_TOKEN", "short")
    assert without_secrets("say correct horse, short") == "say ***, short"


@pytest.mark.parametrize(
    "secret",
    [KEY, "sk-ant-api03-" + "x" * 20, "hf_" + "A" * 34, "ghp_" + "b" * 36, "AIza" + "c" * 35],
)
def test_keys_are_known_by_their_form(secret: str) -> None:
    assert without_secrets(f"a {secret}, b") == "a ***, b"


@pytest.mark.parametrize("text", ["risk-free-investment", "a/b@c", "task_categories", "hf_x"])
def test_words_that_look_alike_stay(text: str) -> None:
    assert without_secrets(text) == text


def test_a_configuration_is_made_publishable_in_depth() -> None:
    config = {
        "source": {"path": "/home/eva/x.jsonl", "columns": {"id": "pid"}},
        "decontaminate": ["/data/a.parquet", "b.parquet"],
        "api_key": "x",
        "token": None,
        "seed": 3,
        "max_tokens": 5,
    }
    assert publishable(config) == {
        "source": {"path": "x.jsonl", "columns": {"id": "pid"}},
        "decontaminate": ["a.parquet", "b.parquet"],
        "api_key": "***",
        "token": None,
        "seed": 3,
        "max_tokens": 5,
    }


def test_hiding_is_linear_in_hostile_text() -> None:
    for text in ("://" * 300_000, "?key=" * 200_000, "sk-" * 300_000, "a" * 1_000_000):
        without_secrets(text)


def sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def test_the_hashes_of_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in"
    (source / "images").mkdir(parents=True)
    (source / ".cache").mkdir()
    (source / "rows.jsonl").write_bytes(b"1")
    (source / "images" / "图.png").write_bytes(b"2")
    (source / ".hidden").write_bytes(b"3")
    (source / ".cache" / "x").write_bytes(b"4")
    (tmp_path / "link").symlink_to(source)
    assert file_hashes(source / "rows.jsonl") == {"rows.jsonl": sha(b"1")}
    expected = {"in/images/图.png": sha(b"2"), "in/rows.jsonl": sha(b"1")}
    assert file_hashes(source) == expected
    assert file_hashes(tmp_path / "link") == expected
    monkeypatch.chdir(source)
    assert file_hashes(Path()) == expected


def test_many_files_have_one_hash_that_no_change_escapes(tmp_path: Path) -> None:
    for number in range(MOST_NAMED):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    assert len(file_hashes(tmp_path)) == MOST_NAMED
    (tmp_path / "last.png").write_bytes(b"x")
    seen = [file_hashes(tmp_path)]
    assert list(seen[0]) == [f"{tmp_path.name}/ ({MOST_NAMED + 1:,} files)"]
    assert file_hashes(tmp_path) == seen[0]
    (tmp_path / "7.png").write_bytes(b"y")
    seen.append(file_hashes(tmp_path))
    (tmp_path / "7.png").rename(tmp_path / "seven.png")
    seen.append(file_hashes(tmp_path))
    assert len({str(hashes) for hashes in seen}) == 3


def test_versions_name_python_and_what_is_installed() -> None:
    versions = package_versions()
    assert {"python", "pr1", "pyarrow", "pillow"} <= versions.keys()
