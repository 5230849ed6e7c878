"""Reading back a folder that a stage has finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from ..schemas.records import Row
from .columns import arrow_schema, from_columns

RowT = TypeVar("RowT", bound=Row)

MANIFEST = "manifest.json"
RUN_FOLDER = ".pr1"
RUN_STATE = f"{RUN_FOLDER}/run.json"
STORE = f"{RUN_FOLDER}/responses.sqlite"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a finished folder.

    Raises:
        UsageError: there is no such folder, its run is unfinished, or pr1 did not make it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder. Give the output folder of a stage.")
    path = folder / MANIFEST
    if not path.is_file():
        if (folder / RUN_STATE).is_file():
            raise UsageError(
                f"{folder} is unfinished. Run the command that makes it once more: it resumes."
            )
        raise UsageError(
            f"{folder} holds no {MANIFEST}, so no pr1 command made it. "
            "Give the output folder of a stage."
        )
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(
            f"{path} is not a manifest that this version of pr1 reads ({place}: {first['msg']}). "
            "Make the folder again with this version."
        ) from error


def past_stages(path: Path) -> list[Manifest]:
    """The manifests behind a stage's input, the oldest first; none where pr1 did not make it."""
    try:
        manifest = read_manifest(path)
    except UsageError:
        return []
    return [*manifest.history, manifest.model_copy(update={"history": []})]


def data_files(folder: Path) -> list[Path]:
    """The folder's Parquet files, in row order."""
    return sorted((folder / "data").glob("train-*.parquet"))


def read_rows(folder: Path, row_model: type[RowT]) -> Iterator[RowT]:
    """The rows of a finished folder in the order they were written, a batch in memory at a time.

    Raises:
        UsageError: as `read_manifest`; or the rows are of another stage, damaged or incomplete.
    """
    manifest = read_manifest(folder)
    found = 0
    for path in data_files(folder):
        for row in _file_rows(path, row_model, manifest):
            yield row
            found += 1
    if found != manifest.counts.rows:
        raise UsageError(
            f"{folder}/data holds {found:,} rows, but the manifest counts "
            f"{manifest.counts.rows:,}. Make the folder again, or restore its files."
        )


def count_rows(folder: Path) -> int:
    """How many rows the folder's files hold, by their footers.

    Raises:
        UsageError: a file is damaged.
    """
    return sum(_footer_rows(path) for path in data_files(folder))


def _footer_rows(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _file_rows(path: Path, row_model: type[RowT], manifest: Manifest) -> Iterator[RowT]:
    try:
        with pq.ParquetFile(path) as file:
            if file.schema_arrow.names != arrow_schema(row_model).names:
                raise UsageError(
                    f"{path} holds the rows of `pr1 {manifest.stage}`, which are no "
                    f"{row_model.__name__} rows. Give the folder of the stage that makes those."
                )
            for batch in file.iter_batches(batch_size=64):
                for values in batch.to_pylist():
                    yield from_columns(values, row_model)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    reason = " ".join(str(error).split())[:300]
    return UsageError(
        f"{path} cannot be read ({reason}). Make the folder again, or restore the file."
    )
