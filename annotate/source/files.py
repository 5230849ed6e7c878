"""Raw records of a source, one at a time, each with the place where it stands.

A source is a JSON Lines file, a file with one JSON array, a Parquet file, a folder of such files,
or a dataset of the Hugging Face hub. Nothing is interpreted here: what a column means is said in
`columns.py`. JSON Lines and Parquet are streamed; an array is held in memory as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from ...outputs.provenance import file_hashes
from ...outputs.rows import RUN_STATE, read_manifest
from ...schemas.config import SourceConfig
from ...schemas.errors import InputError, UsageError
from . import hub

MAX_LINE_BYTES = 64 * 2**20
PARQUET_BATCH_ROWS = 16
LINES = (".jsonl", ".ndjson")
SPLITS = ("train", "validation", "val", "dev", "test")
# What a stage of pr1 writes beside its rows: no input.
ACCOUNTS = ("dropped.jsonl", "failures.jsonl")


@dataclass(frozen=True)
class RawRecord:
    """One record as its source states it.

    Attributes:
        place: where it stands, e.g. `problems.jsonl:41` or `train.parquet row 7`; rows and items
            are counted from 1.
        values: column -> value.
        folder: where relative paths of pictures start; None for a hub dataset.
    """

    place: str
    values: dict[str, Any]
    folder: Path | None


@dataclass(frozen=True)
class BrokenRecord:
    """A place at which a record stands that cannot be read."""

    place: str
    error: InputError


def read_source(config: SourceConfig) -> Iterator[RawRecord | BrokenRecord]:
    """The source's records in order.

    Raises:
        UsageError: there is no such source, or it is no data. Remedy: as the message says.
    """
    files = input_files(config)
    if files is None:
        for number, values in enumerate(hub.read_rows(config.path, config.split), 1):
            yield RawRecord(f"{config.path} row {number}", values, None)
        return
    root = _root(config)
    for file in files:
        yield from _read_file(file, file.relative_to(root).as_posix())


def source_hashes(config: SourceConfig) -> dict[str, str]:
    """Name of each input file -> its sha256; for a hub dataset, its name -> its fingerprint."""
    if input_files(config) is None:
        return {f"{config.path}/{config.split}": hub.fingerprint(config.path, config.split)}
    return file_hashes(Path(config.path))


def input_files(config: SourceConfig) -> list[Path] | None:
    """The files that hold the source's records, in the order of their names; None for a hub id.

    In a folder this is `problems.jsonl` where there is one; else the JSON Lines and Parquet files
    of the folder, or of its `data/`; of these only the ones named for the split (`train-0.parquet`
    for `train`) where any file is named for a split.

    Raises:
        UsageError: no file is there.
    """
    path = Path(config.path)
    if "\0" in config.path:
        raise UsageError(f"{config.path!r}: a path cannot hold a NUL byte.")
    if path.is_file():
        return [path]
    if path.is_dir():
        return _files_of_folder(path, config.split)
    if hub.is_hub_id(config.path):
        return None
    raise UsageError(
        f"{config.path!r}: no such file or folder, and no hub id (owner/name). Check the path."
    )


def _root(config: SourceConfig) -> Path:
    path = Path(config.path)
    return path if path.is_dir() else path.parent


def _files_of_folder(folder: Path, split: str) -> list[Path]:
    if (folder / RUN_STATE).is_file():
        read_manifest(folder)  # which refuses an unfinished folder
    if (folder / "problems.jsonl").is_file():
        return [folder / "problems.jsonl"]
    files = _data_files(folder) or _data_files(folder / "data")
    if not files:
        raise UsageError(f"{folder}: holds no .jsonl or .parquet file, nor does its data/ folder.")
    named = {name for name in (*SPLITS, split) if any(_is_of(name, file) for file in files)}
    if not named:
        return files
    of_split = [file for file in files if _is_of(split, file)]
    if not of_split:
        found = ", ".join(sorted(named))
        raise UsageError(f"{folder}: has no split {split!r}, but {found}. Choose with --split.")
    return of_split


def _data_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix in (*LINES, ".parquet") and file.is_file() and file.name not in ACCOUNTS
    )


def _is_of(split: str, file: Path) -> bool:
    return file.stem == split or file.stem.startswith((f"{split}-", f"{split}_", f"{split}."))


def _read_file(file: Path, name: str) -> Iterator[RawRecord | BrokenRecord]:
    if file.suffix == ".parquet":
        return _read_parquet(file, name)
    if file.suffix in LINES:
        return _read_lines(file, name)
    if file.suffix == ".json":
        return _read_json(file, name)
    raise UsageError(f"{file}: not a kind of file that is read: .jsonl, .json or .parquet.")


def _read_lines(file: Path, name: str) -> Iterator[RawRecord | BrokenRecord]:
    with _open(file) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            place = f"{name}:{number}"
            if len(line) > MAX_LINE_BYTES:
                _skip_line(stream, line)
                message = f"{place}: the line is longer than {MAX_LINE_BYTES >> 20} MiB. Split it."
                yield BrokenRecord(place, InputError("text_too_long", message))
            elif number == 1 and line.startswith(b"\xef\xbb\xbf"):
                yield from _parse_line(line[3:], place, file.parent)
            else:
                yield from _parse_line(line, place, file.parent)


def _skip_line(stream: BufferedReader, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_LINE_BYTES)


def _parse_line(line: bytes, place: str, folder: Path) -> Iterator[RawRecord | BrokenRecord]:
    if not line.strip():
        return
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        reason = f"{place}: not a line of JSON ({error}). Complete or remove the line."
        yield BrokenRecord(place, InputError("broken_json", reason))
        return
    yield _as_record(value, place, folder)


def _read_json(file: Path, name: str) -> Iterator[RawRecord | BrokenRecord]:
    """A `.json` file is an array, or JSON Lines by another name."""
    with _open(file) as stream:
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"["):
        return _read_array(file, name)
    if start.split(b"\n", 1)[0].strip() == b"{":
        raise UsageError(f"{file}: is one JSON object. Make it an array, or one object a line.")
    return _read_lines(file, name)


def _read_array(file: Path, name: str) -> Iterator[RawRecord | BrokenRecord]:
    with _open(file) as stream:
        try:
            items = json.loads(stream.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{file}: not a JSON array ({error}). Repair the file.") from error
    for number, value in enumerate(items, 1):
        yield _as_record(value, f"{name} item {number}", file.parent)


def _as_record(value: Any, place: str, folder: Path) -> RawRecord | BrokenRecord:
    if isinstance(value, dict):
        return RawRecord(place, value, folder)
    message = f"{place}: a record is a JSON object, here is a {type(value).__name__}."
    return BrokenRecord(place, InputError("not_an_object", message))


def _read_parquet(file: Path, name: str) -> Iterator[RawRecord | BrokenRecord]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file) as table:
            for batch in _batches(table):
                for index in range(batch.num_rows):
                    number += 1
                    yield _row_of(batch, index, f"{name} row {number}", file.parent)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{file}: not a readable Parquet file ({reason}).") from error


def _batches(table: Any) -> Iterator[Any]:
    # One row group at a time: a pass over all of them keeps what it has read until its end.
    for group in range(table.num_row_groups):
        yield from table.iter_batches(batch_size=PARQUET_BATCH_ROWS, row_groups=[group])


def _row_of(batch: Any, index: int, place: str, folder: Path) -> RawRecord | BrokenRecord:
    try:
        return RawRecord(place, batch.slice(index, 1).to_pylist()[0], folder)
    except (ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        message = f"{place}: a value cannot be read ({reason}). Repair or remove the row."
        return BrokenRecord(place, InputError("wrong_type", message))


def _open(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}).") from error
