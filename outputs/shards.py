"""Rows into Parquet files of bounded size, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..schemas.errors import InputError
from ..schemas.records import Record
from .columns import arrow_schema, to_columns

# The hub's viewer reads a whole row group to show one row, hence small ones.
ROWS_PER_GROUP = 100
BYTES_PER_GROUP = 32 * 1024 * 1024
BYTES_PER_SHARD = 256 * 1024 * 1024
# An open file holds what its footer will say in memory: 60 kB for a group of 100 annotated rows.
GROUPS_PER_SHARD = 100


class ShardWriter:
    """Appends rows to numbered Parquet files; holds one row group in memory.

    Args:
        folder: an existing folder that holds nothing else.
        row_model: the class of every row.
    """

    def __init__(self, folder: Path, row_model: type[Record]) -> None:
        self._folder = folder
        self._schema = arrow_schema(row_model)
        self._paths: list[Path] = []
        self._shard: pq.ParquetWriter | None = None
        self._shard_bytes = self._shard_groups = 0
        self._group: list[dict[str, Any]] = []
        self._group_bytes = 0

    def write(self, row: Record) -> None:
        """Append one row.

        Raises:
            InputError: `unencodable_value`: half a surrogate pair in a text, or a number beyond 64
                bits; the row was not written.
        """
        try:
            columns = to_columns(row)
        except (UnicodeEncodeError, OverflowError) as error:
            raise InputError(
                "unencodable_value",
                f"row {getattr(row, 'id', '')!a} holds a value that no column can hold "
                f"({_reason(error)}). Repair the row.",
            ) from error
        self._group.append(columns)
        self._group_bytes += _bytes_of(columns)
        if len(self._group) >= ROWS_PER_GROUP or self._group_bytes >= BYTES_PER_GROUP:
            self._write_group()

    def finish(self) -> list[Path]:
        """The files written, in row order: at least one, so that an empty set has its columns."""
        if self._group:
            self._write_group()
        if not self._paths:  # without any row group: `datasets` cannot read an empty one
            self._open_shard()
        self.close()
        return self._paths

    def close(self) -> None:
        """Release the open file, without the rows of an unfinished group."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None

    def _write_group(self) -> None:
        shard = self._shard or self._open_shard()
        table = pa.Table.from_pylist(self._group, schema=self._schema)
        shard.write_table(table, row_group_size=ROWS_PER_GROUP)
        self._shard_bytes += self._group_bytes
        self._shard_groups += 1
        self._group, self._group_bytes = [], 0
        if self._shard_bytes >= BYTES_PER_SHARD or self._shard_groups >= GROUPS_PER_SHARD:
            self.close()

    def _open_shard(self) -> pq.ParquetWriter:
        path = self._folder / f"{len(self._paths):05}.parquet"
        self._shard = pq.ParquetWriter(path, self._schema, write_page_index=True)
        self._shard_bytes = self._shard_groups = 0
        self._paths.append(path)
        return self._shard


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"the unpaired surrogate {error.object[error.start]!a} in a text"
    return " ".join(str(error).split())[:200]


def _bytes_of(value: Any) -> int:
    """Of all texts and pictures in a column's value; the rest is little beside them."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    return sum(map(_bytes_of, value)) if isinstance(value, list) else 0
