"""Reading what `pr1 judge` judges: completions with their annotations, as others wrote them.

JSON Lines or Parquet, a row at a time. A row that cannot be used costs only itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..outputs.rows import data_files, read_manifest
from ..schemas.errors import UsageError
from ..schemas.manifest import Failure
from ..schemas.records import AnnotationKind, NonEmpty, TrainAnnotation

STAGE = "judge"
ROWS_AT_A_TIME = 64
MOST_CHARACTERS = 4_000_000


class _AskedAnnotation(BaseModel):
    """An annotation as a row states it; what else it has is not looked at."""

    model_config = ConfigDict(frozen=True)

    id: int | None = Field(default=None, ge=1)
    statement: NonEmpty
    kind: AnnotationKind = "other"
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class CompletionRow(BaseModel):
    """One row; columns beside these are not looked at.

    Attributes:
        annotations: texts, or records with `statement` and perhaps `id`, `kind`, `weight`.
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    id: NonEmpty
    completion: str = Field(max_length=MOST_CHARACTERS)
    answer: NonEmpty
    question: str = ""
    choices: list[str] | None = None
    annotations: list[_AskedAnnotation]

    @field_validator("annotations", mode="before")
    @classmethod
    def _as_records(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [{"statement": one} if isinstance(one, str) else one for one in value]

    @field_validator("question", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return "" if value is None else value

    def asked(self) -> tuple[TrainAnnotation, ...]:
        """The annotations as the judge takes them, numbered where they have no numbers.

        Raises:
            ValueError: two have the same number.
        """
        ids = [annotation.id for annotation in self.annotations]
        numbered = [id_ for id_ in ids if id_ is not None]
        if len(set(numbered)) < len(numbered):
            raise ValueError("two annotations have the same id")
        chosen = numbered if len(numbered) == len(ids) else list(range(1, len(ids) + 1))
        return tuple(
            TrainAnnotation(id=id_, statement=one.statement, kind=one.kind, weight=one.weight)
            for id_, one in zip(chosen, self.annotations, strict=True)
        )


class Read(NamedTuple):
    """A row that can be judged."""

    row: CompletionRow
    annotations: tuple[TrainAnnotation, ...]


class CompletionReader:
    """The rows of a file, in its order.

    Args:
        path: a JSONL or Parquet file, or a folder that a stage wrote.
        limit: read at most this many.

    Attributes:
        read: rows so far, the unusable ones included.

    Raises:
        UsageError: there is no such file, or it is of another kind.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self.read = 0
        self._files = _files(path)
        self._limit = limit
        self._ids: set[str] = set()

    def __iter__(self) -> Iterator[Read | Failure]:
        """Each row, or why it cannot be used."""
        for file in self._files:
            for place, values in _rows(file):
                if self._limit is not None and self.read >= self._limit:
                    return
                self.read += 1
                yield self._row(place, values)

    def _row(self, place: str, values: object) -> Read | Failure:
        if isinstance(values, str):
            return _failed(place, "broken_json", f"{place}: {values} Complete or remove the line.")
        try:
            row = CompletionRow.model_validate(values)
            annotations = row.asked()
        except ValidationError as error:
            return _failed(place, "wrong_row", f"{place}: {_fault(error)}")
        except ValueError as error:
            return _failed(place, "wrong_row", f"{place}: {error}. Number them apart, or not.")
        if row.id in self._ids:
            message = f"{place}: an earlier row has the id {row.id!r}. Give each its own."
            return _failed(place, "duplicate_id", message)
        self._ids.add(row.id)
        return Read(row, annotations)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        read_manifest(path)
        return data_files(path)
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file. Give a JSONL or Parquet file.")
    if path.suffix not in (".jsonl", ".ndjson", ".parquet"):
        raise UsageError(f"{path}: not a kind of file that is read: .jsonl or .parquet.")
    return [path]


def _rows(file: Path) -> Iterator[tuple[str, object]]:
    """The place and the values of each row; in the values' stead, what is wrong with the line."""
    try:
        yield from _parquet_rows(file) if file.suffix == ".parquet" else _lines(file)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"{file} cannot be read ({reason}). Give a whole file.") from error


def _lines(file: Path) -> Iterator[tuple[str, object]]:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            try:
                yield f"{file.name}:{number}", _object(json.loads(text.decode()))
            except (ValueError, RecursionError) as error:
                yield f"{file.name}:{number}", f"not a line of JSON ({error})."


def _object(value: Any) -> object:
    return "a line of JSON, but no object." if isinstance(value, str) else value


def _parquet_rows(file: Path) -> Iterator[tuple[str, object]]:
    with pq.ParquetFile(file) as parquet:
        known = [name for name in parquet.schema_arrow.names if name in CompletionRow.model_fields]
        number = 0
        for batch in parquet.iter_batches(batch_size=ROWS_AT_A_TIME, columns=known):
            for values in batch.to_pylist():
                number += 1
                yield f"{file.name} row {number}", values


def _failed(place: str, code: str, message: str) -> Failure:
    return Failure(id=place, stage=STAGE, error=code, message=message)


def _fault(error: ValidationError) -> str:
    """What is wrong with a row, and what to do."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "the row"
    if where == "annotations" and first["type"] == "missing":
        return "'annotations' is missing. `pr1 annotate` makes them; an empty list asks for none."
    return f"{where!r}: {first['msg']}. Fix the row."
