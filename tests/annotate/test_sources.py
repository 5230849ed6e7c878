"""Raw records and their places, for each kind of source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pr1.annotate.source import files as source_files
from pr1.annotate.source import hub
from pr1.annotate.source.files import (
    BrokenRecord,
    RawRecord,
    input_files,
    read_source,
    source_hashes,
)
from pr1.schemas.config import SourceConfig
from pr1.schemas.errors import UsageError


def read(path: Path, **options: Any) -> list[tuple[str, Any]]:
    """(place, values or error code) of each record."""
    return [
        (raw.place, raw.error.code if isinstance(raw, BrokenRecord) else raw.values)
        for raw in read_source(SourceConfig(path=str(path), **options))
    ]


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def put_parquet(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('\ufeff{"a": 1}\r\n\n{"a": 2}', [("x.jsonl:1", {"a": 1}), ("x.jsonl:3", {"a": 2})]),
        ('{"a": 1}\n{"a": ', [("x.jsonl:1", {"a": 1}), ("x.jsonl:2", "broken_json")]),
        (b'{"a": "\xff"}\n{}', [("x.jsonl:1", "broken_json"), ("x.jsonl:2", {})]),
        ('7\n"a"\nnull', [(f"x.jsonl:{n}", "not_an_object") for n in (1, 2, 3)]),
        ('{"a": ' + "9" * 5000 + "}", [("x.jsonl:1", "broken_json")]),
        ("", []),
    ],
)
def test_lines(content: str | bytes, expected: list[Any], tmp_path: Path) -> None:
    assert read(put(tmp_path / "x.jsonl", content)) == expected


def test_an_endless_line_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "MAX_LINE_BYTES", 1000)
    path = put(tmp_path / "x.jsonl", b"[" * 2005 + b"\n{}\n")
    assert read(path) == [("x.jsonl:1", "text_too_long"), ("x.jsonl:2", {})]


def test_a_json_array(tmp_path: Path) -> None:
    path = put(tmp_path / "x.json", '\ufeff\n [{"a": 1}, 2]')
    assert read(path) == [("x.json item 1", {"a": 1}), ("x.json item 2", "not_an_object")]


def test_lines_in_a_json_file(tmp_path: Path) -> None:
    assert read(put(tmp_path / "x.json", '{"a": 1}\n{}')) == [
        ("x.json:1", {"a": 1}),
        ("x.json:2", {}),
    ]


def test_parquet_rows(tmp_path: Path) -> None:
    path = put_parquet(tmp_path / "x.parquet", *({"a": n, "b": {"c": [n]}} for n in range(40)))
    assert read(path)[39] == ("x.parquet row 40", {"a": 39, "b": {"c": [39]}})


def test_a_parquet_value_that_cannot_be_read_breaks_its_row(tmp_path: Path) -> None:
    texts = pa.array([b"a", b"\xff", b"c"]).view(pa.string())
    dates = pa.array([0, 0, 2**60]).cast(pa.timestamp("ms"))
    pq.write_table(pa.table({"text": texts, "date": dates}), tmp_path / "x.parquet")
    records = read(tmp_path / "x.parquet")
    assert records[0][1]["text"] == "a"
    assert records[1:] == [("x.parquet row 2", "wrong_type"), ("x.parquet row 3", "wrong_type")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.parquet", "PAR1", "not a readable Parquet file"),
        ("x.json", '[{"a": 1}, {', "not a JSON array"),
        ("x.json", '{\n"1": {}\n}', "is one JSON object"),
        ("x.csv", "a,b", "not a kind of file that is read"),
    ],
)
def test_files_that_are_no_data(name: str, content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        read(put(tmp_path / name, content))
    assert "\n" not in str(raised.value)


FOLDERS: dict[str, tuple[str, str]] = {
    "ours": ("problems.jsonl gold.jsonl images/a.jsonl", "problems.jsonl"),
    "all files": ("b.jsonl a.parquet notes.txt", "a.parquet b.jsonl"),
    "a split": ("train.jsonl test.jsonl train-2.parquet", "train-2.parquet train.jsonl"),
    "data beneath": ("README.md data/train-0.parquet data/test-0.parquet", "data/train-0.parquet"),
    "a stage's accounts": ("data/train-0.parquet dropped.jsonl", "data/train-0.parquet"),
    "nearly a split": ("training.jsonl trainer.jsonl", "trainer.jsonl training.jsonl"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_files_of_a_folder(case: str, tmp_path: Path) -> None:
    names, expected = FOLDERS[case]
    for name in names.split():
        put(tmp_path / name, "")
    files = input_files(SourceConfig(path=str(tmp_path)))
    assert [file.relative_to(tmp_path).as_posix() for file in files or []] == expected.split()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "holds no .jsonl or .parquet"),
        (["notes.txt", "deep/er/train.jsonl"], "holds no .jsonl or .parquet"),
        (["test.jsonl", "validation-0.parquet"], "has no split 'train', but test, validation"),
        (["data/train-0.parquet", ".pr1/run.json"], "unfinished"),
    ],
)
def test_folders_without_records(names: list[str], words: str, tmp_path: Path) -> None:
    for name in names:
        put(tmp_path / name, "{}")
    with pytest.raises(UsageError, match=words):
        input_files(SourceConfig(path=str(tmp_path)))


def test_places_in_a_folder_name_the_file(tmp_path: Path) -> None:
    put(tmp_path / "data" / "a.jsonl", "{}")
    put_parquet(tmp_path / "data" / "b.parquet", {"a": 1})
    assert [place for place, _ in read(tmp_path)] == ["data/a.jsonl:1", "data/b.parquet row 1"]
    folders = {
        raw.folder
        for raw in read_source(SourceConfig(path=str(tmp_path)))
        if isinstance(raw, RawRecord)
    }
    assert folders == {tmp_path / "data"}


@pytest.mark.parametrize("path", ["nowhere.jsonl", "a/b/c", "~/x", "../up", "a\0b", "owner/"])
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(UsageError):
        list(read_source(SourceConfig(path=path)))


def test_a_hub_id_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="'nobody/nothing-at-all': no such file") as raised:
        list(read_source(SourceConfig(path="nobody/nothing-at-all")))
    assert "\n" not in str(raised.value)


def test_hub_rows_are_the_stored_values(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    features = datasets.Features({"id": datasets.Value("string"), "image": datasets.Image()})
    rows = {"id": ["a", "b"], "image": [{"bytes": b"not decoded", "path": "x.png"}, None]}
    stored = datasets.Dataset.from_dict(rows, features=features)
    monkeypatch.setattr(hub, "_load", lambda name, split: stored)

    raws = list(read_source(SourceConfig(path="owner/name")))

    assert raws == [
        RawRecord(
            "owner/name row 1",
            {"id": "a", "image": {"bytes": b"not decoded", "path": "x.png"}},
            None,
        ),
        RawRecord("owner/name row 2", {"id": "b", "image": None}, None),
    ]
    assert source_hashes(SourceConfig(path="owner/name")).keys() == {"owner/name/train"}


def test_hashes_change_with_the_file(tmp_path: Path) -> None:
    path = put(tmp_path / "x.jsonl", json.dumps({"a": 1}))
    config = SourceConfig(path=str(path))
    before = source_hashes(config)
    put(path, json.dumps({"a": 2}))
    assert before.keys() == source_hashes(config).keys() == {"x.jsonl"}
    assert before != source_hashes(config)
