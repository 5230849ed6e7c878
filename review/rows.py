"""The rows of a folder as a reviewer needs them: any one at once, none of the others in memory.

The stages write Parquet with at most 100 rows to a group (`outputs/shards.py`). A row is read with
its group, without the pictures; these are read when the page asks for one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from ..outputs.columns import arrow_schema, from_columns
from ..outputs.rows import data_files, read_manifest
from ..schemas.errors import InputError, UsageError
from ..schemas.outcomes import JudgedRow
from ..schemas.records import AnnotatedProblem, ProblemImage, Row, TrainRow
from .log import ReviewLog
from .state import ReviewRow, with_decisions
from .views import as_review_row

ReviewRecord = AnnotatedProblem | TrainRow | JudgedRow
ROW_MODELS: dict[str, type[ReviewRecord]] = {
    "annotate": AnnotatedProblem,
    "filter": TrainRow,
    "judge": JudgedRow,
}
GROUPS_KEPT = 8
# What a damaged file, or a row that is none, makes of reading it.
_DAMAGE = (pa.ArrowException, OSError, ValueError, TypeError, AttributeError)
_DUPLICATE = "an earlier row has the same id. Give each its own."


class ReviewSet:
    """A finished folder of `pr1 annotate`, `pr1 filter` or `pr1 judge`, open for random access.

    Attributes:
        stage: which of them made it.
        total: how many rows it has.
        columns: of its rows, without the pictures.
    """

    def __init__(self, folder: Path) -> None:
        """Open the row files; nothing but their footers is read.

        Raises:
            UsageError: there is no such finished folder, its stage has nothing to review, or a file
                is damaged.
        """
        manifest = read_manifest(folder)
        self.folder, self.stage = folder, manifest.stage
        if self.stage not in ROW_MODELS:
            raise UsageError(
                f"{folder} is an output of `pr1 {self.stage}`, which has no annotations to review. "
                "Give the folder of `pr1 annotate`, `pr1 filter` or `pr1 judge`."
            )
        self.name = folder.resolve().name
        self._model = ROW_MODELS[self.stage]
        self.columns = [name for name in arrow_schema(self._model).names if name != "images"]
        self._files = [_opened(path, self._model) for path in data_files(folder)]
        self._groups: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self.total = 0
        for place, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                self._groups.append((place, group))
                self._starts.append(self.total)
                self.total += file.metadata.row_group(group).num_rows
        if self.total != manifest.counts.rows:
            raise UsageError(
                f"{folder}/data holds {self.total:,} rows, but the manifest counts "
                f"{manifest.counts.rows:,}. Make the folder again, or restore its files."
            )
        self._mutex = Lock()
        self._texts_of = lru_cache(maxsize=GROUPS_KEPT)(self._read_texts)
        self._pictures_of = lru_cache(maxsize=2)(self._read_pictures)

    def row(self, number: int, log: ReviewLog) -> ReviewRow:
        """The row with this place, 0 to `total` - 1, as it stands; one with `broken` if damaged.

        Raises:
            IndexError: there is no such row.
        """
        row = self.row_as_written(number)
        return with_decisions(row, log.counting(row.id))

    def row_as_written(self, number: int) -> ReviewRow:
        """The same before anybody decided anything."""
        group, inside = self._place(number)
        id_ = self.ids[number]
        try:
            values = self._texts_of(group).slice(inside, 1).to_pylist()[0]
            pictures = values.pop("pictures")
            record = self._parsed(values | self._no_images())
        except _DAMAGE as error:
            return ReviewRow(number, id_, broken=_first_line(error))
        if record.id != id_:
            return ReviewRow(number, id_, broken=_DUPLICATE)
        return as_review_row(record, number)._replace(pictures=pictures)

    @cached_property
    def ids(self) -> list[str]:
        """The rows' ids in order; `(row 17)` for one that has none of its own or cannot be read."""
        ids = [f"(row {number})" for number in range(self.total)]
        found = set(ids)
        for first, table in self.pieces(["id"]):
            for number, id_ in enumerate(table["id"].to_pylist(), first):
                if id_ and id_ not in found:
                    ids[number] = id_
                    found.add(id_)
        return ids

    def records(self) -> Iterator[ReviewRecord | InputError]:
        """Each row whole, with its pictures, or what is wrong with it; a group in memory."""
        number = 0
        for place, group in self._groups:
            count = self._files[place].metadata.row_group(group).num_rows
            try:
                table = self._read(place, group, None)
            except _DAMAGE as error:
                table = None
                fault = _fault(number, error)
            for inside in range(count):
                yield self._record(number + inside, table, inside) if table else fault
            number += count

    def _record(self, number: int, table: pa.Table, inside: int) -> ReviewRecord | InputError:
        try:
            record = self._parsed(table.slice(inside, 1).to_pylist()[0])
        except _DAMAGE as error:
            return _fault(number, error)
        is_own = record.id == self.ids[number]
        return record if is_own else InputError("duplicate_id", f"row {number}: {_DUPLICATE}")

    def picture(self, number: int, index: int) -> ProblemImage:
        """One of a row's pictures, as it is stored.

        Raises:
            IndexError: there is no such row or picture.
        """
        group, inside = self._place(number)
        images = self._pictures_of(group)[inside].as_py() or []
        if not 0 <= index < len(images):
            raise IndexError(f"row {number} has no picture {index}")
        return ProblemImage.model_validate(images[index])

    def pieces(self, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
        """Columns as a table for each file, with the number of its first row.

        Damaged groups are passed over, and the others of their file come one by one.

        Args:
            columns: their names, or parts of nested ones (`rejected.list.element.reason`).
        """
        first = 0
        for place, file in enumerate(self._files):
            rows = file.metadata.num_rows
            try:
                with self._mutex:
                    table = file.read(columns=columns)
            except _DAMAGE:
                yield from self._whole_groups(place, columns)
            else:
                yield first, table
            first += rows

    def _whole_groups(self, place: int, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
        for (file, group), first in zip(self._groups, self._starts, strict=True):
            if file == place:
                try:
                    yield first, self._read(file, group, columns)
                except _DAMAGE:
                    continue

    def _parsed(self, values: dict[str, Any]) -> ReviewRecord:
        model: Any = self._model  # one of three, which is more than a type variable can say
        return cast(ReviewRecord, from_columns(values, model))

    def _place(self, number: int) -> tuple[int, int]:
        if not 0 <= number < self.total:
            raise IndexError(f"there is no row {number}")
        group = bisect_right(self._starts, number) - 1
        return group, number - self._starts[group]

    def _read_texts(self, group: int) -> pa.Table:
        place, inside = self._groups[group]
        columns = list(self.columns)
        if self._has_pictures:
            columns.append("images.list.element.path")
        table = self._read(place, inside, columns)
        counts = (
            [len(images or []) for images in table["images"].to_pylist()]
            if self._has_pictures
            else [0] * table.num_rows
        )
        kept = table.select(self.columns)
        return kept.append_column("pictures", pa.array(counts))

    def _read_pictures(self, group: int) -> pa.ChunkedArray:
        if not self._has_pictures:
            raise IndexError("these rows have no pictures")
        place, inside = self._groups[group]
        return self._read(place, inside, ["images"])["images"]

    def _read(self, place: int, group: int, columns: list[str] | None) -> pa.Table:
        with self._mutex:  # a Parquet file serves one reader at a time
            return self._files[place].read_row_group(group, columns=columns)

    @property
    def _has_pictures(self) -> bool:
        return "images" in self._model.model_fields

    def _no_images(self) -> dict[str, Any]:
        return {"images": []} if self._has_pictures else {}


def _opened(path: Path, model: type[Row]) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(
            f"{path} cannot be read ({_first_line(error)}). Make the folder again, or restore it."
        ) from error
    if file.schema_arrow.names != arrow_schema(model).names:
        raise UsageError(f"{path} holds other columns than its manifest says. Make it again.")
    return file


def _fault(number: int, error: Exception) -> InputError:
    return InputError("wrong_row", f"row {number}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
