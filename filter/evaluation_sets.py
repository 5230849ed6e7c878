"""Reading the files and folders of `--decontaminate`: questions and pictures, by usual columns.

A set that can be read only in part would let through what it should stop, so a broken file or line
stops the command. Pictures that cannot be opened are counted instead: many sets come without them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ..images import load_image, perceptual_hash, read_image_file
from ..schemas.errors import InputError, UsageError
from .contamination import EvaluationIndex

QUESTION_COLUMNS = ("question", "problem", "query", "original_question")
_IMAGE_COLUMN = re.compile(r"(decoded_)?images?(_\d{1,3})?")


@dataclass(frozen=True)
class EvaluationSet:
    """What was read.

    Attributes:
        index: the problems, to be searched for overlap.
        problems: rows read.
        unreadable_pictures: pictures that rows name or hold and that could not be opened.
    """

    index: EvaluationIndex
    problems: int
    unreadable_pictures: int


class _EvaluationRow(NamedTuple):
    place: str
    values: Mapping[str, Any]
    folder: Path


async def read_evaluation_sets(paths: list[Path]) -> EvaluationSet:
    """All problems of the files and folders, in one index.

    Args:
        paths: JSONL or Parquet files, or folders of them. The question is in the column `question`,
            `problem`, `query` or `original_question`, pictures in `image`, `images`, `image_1`, …,
            `decoded_image`: as bytes, as `datasets` embeds them, or as paths beside the file.

    Raises:
        UsageError: a path does not exist, a file is empty or broken, or it has none of the columns.
    """
    index = EvaluationIndex()
    problems = unreadable = 0
    for file in (file for path in paths for file in evaluation_files(path)):
        rows = _parquet_rows(file) if file.suffix == ".parquet" else _jsonl_rows(file)
        found = 0
        for row in rows:
            hashes = list(_picture_hashes(row))
            index.add(row.place, _question(row), [hash_ for hash_ in hashes if hash_ is not None])
            unreadable += hashes.count(None)
            found += 1
            await asyncio.sleep(0)  # a Ctrl-C is heard
        if not found:
            raise UsageError(f"{file} holds no problems. Give a whole file to --decontaminate.")
        problems += found
    return EvaluationSet(index, problems, unreadable)


def evaluation_files(path: Path) -> list[Path]:
    """The JSONL and Parquet files that a path of `--decontaminate` stands for.

    Raises:
        UsageError: there are none.
    """
    if path.is_file() and path.suffix in {".jsonl", ".parquet"}:
        return [path]
    hint = "Give a JSONL file, a Parquet file or a folder of them to --decontaminate."
    if not path.is_dir():
        found = "is no .jsonl or .parquet file" if path.exists() else "does not exist"
        raise UsageError(f"{path} {found}. {hint}")
    inside = path / "data" if (path / "manifest.json").is_file() else path
    files = [
        file
        for file in sorted(inside.rglob("*"))
        if file.suffix in {".jsonl", ".parquet"}
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(inside).parts)
    ]
    if not files:
        raise UsageError(f"{path} holds no .jsonl or .parquet file. {hint}")
    return files


def _jsonl_rows(file: Path) -> Iterator[_EvaluationRow]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{file.name}:{number}"
            try:
                values = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"{file}:{number} is not JSON ({error}). Repair the line: a set that is read "
                    "in part cannot keep its problems out."
                ) from error
            if not isinstance(values, dict):
                raise UsageError(f"{file}:{number} is no JSON object. Repair the line.")
            _check_columns(file, values)
            yield _EvaluationRow(place, values, file.parent)


def _parquet_rows(file: Path) -> Iterator[_EvaluationRow]:
    number = 0
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            _check_columns(file, dict.fromkeys(names))
            used = [n for n in names if n in QUESTION_COLUMNS or _IMAGE_COLUMN.fullmatch(n)]
            for batch in parquet.iter_batches(batch_size=32, columns=used):
                for values in batch.to_pylist():
                    number += 1
                    yield _EvaluationRow(f"{file.name}:{number}", values, file.parent)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{file} cannot be read ({reason}). Give a whole Parquet file.") from error


def _check_columns(file: Path, values: Mapping[str, Any]) -> None:
    if not any(name in QUESTION_COLUMNS or _IMAGE_COLUMN.fullmatch(name) for name in values):
        has = ", ".join(sorted(map(str, values))[:20]) or "none"
        raise UsageError(
            f"{file} has neither a question column ({', '.join(QUESTION_COLUMNS)}) nor an image "
            f"column (image, images, ...); it has: {has}. Rename the columns."
        )


def _question(row: _EvaluationRow) -> str:
    texts = (row.values.get(name) for name in QUESTION_COLUMNS)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _picture_hashes(row: _EvaluationRow) -> Iterator[int | None]:
    """The hash of each picture of the row; None for one that cannot be opened."""
    for name, value in row.values.items():
        if not _IMAGE_COLUMN.fullmatch(name):
            continue
        for picture in value if isinstance(value, list) else [value]:
            if picture is None or picture == "":
                continue
            try:
                data = _picture_bytes(picture, row)
                yield perceptual_hash(load_image(data, row.place))
            except InputError:
                yield None  # counted, and told in the manifest and the card


def _picture_bytes(picture: Any, row: _EvaluationRow) -> bytes:
    if isinstance(picture, dict):
        picture = picture.get("bytes") or picture.get("path")
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, str):
        return read_image_file(picture, row.folder, row.place).bytes
    raise InputError("unreadable_image", f"{row.place}: {type(picture).__name__} is no picture.")
