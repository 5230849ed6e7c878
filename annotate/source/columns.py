"""What a source's columns mean: from a raw record to a record in pr1's own terms.

pr1's columns are read by their names, or from the source's column that `--columns` names for them.
A source's column that is named for one of pr1's is not read under its own name as well. Columns
that mean nothing to pr1 become metadata where they are scalar.

Which problem a record belongs to, and what its trajectory is called:

- the problem is `problem_id`; without one `id`; without either the record's place, so that it is a
  problem of its own;
- the trajectory is `trajectory_id`; without one `id`, where `problem_id` leaves it free to name the
  record; without either a number within the problem.

So `id, problem_id` reads as "record, problem", and `--columns id=problem_id,trajectory_id=id` says
the same of the same file. Records of one problem are merged (`problems.py`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...schemas.errors import InputError, UsageError
from ...schemas.records import AnswerOrigin
from .files import RawRecord
from .pictures import Pictures
from .values import (
    RawTrajectory,
    is_missing,
    read_choices,
    read_metadata,
    read_optional_text,
    read_question,
    read_text,
    read_trajectory,
)

COLUMNS = (
    "id",
    "problem_id",
    "trajectory_id",
    "question",
    "choices",
    "answer",
    "answer_origin",
    "image",
    "images",
    "trajectory",
    "trajectories",
    "model",
    "finish",
    "sampling",
    "source",
    "license",
    "metadata",
)
# Columns of pr1's own folders that are made anew from the rest.
REMADE = ("schema_version", "annotations", "rejected")


class RecordIds(NamedTuple):
    """The problem that a record belongs to, and the name of its trajectory or None."""

    problem_id: str
    trajectory_id: str | None


@dataclass(frozen=True)
class InputRecord:
    """One record in pr1's terms.

    Attributes:
        problem_id: the problem that it belongs to.
        trajectory_id: the name of its trajectory, or None.
        images: sha256 of each picture, in order; empty when the record has none.
        trajectories: empty when the record has none.
    """

    place: str
    problem_id: str
    trajectory_id: str | None
    question: str
    choices: list[str] | None
    answer: str
    answer_origin: AnswerOrigin
    images: list[str]
    trajectories: list[RawTrajectory]
    source: str | None
    license: str | None
    metadata: dict[str, str]


def parse_columns(text: str) -> dict[str, str]:
    """The mapping that `--columns` states: pr1's column -> the source's.

    Raises:
        UsageError: an entry is not `NAME=COLUMN`, or names a column that pr1 does not have.

    Example:
        >>> parse_columns("id=problem_id,answer=gold")
        {'id': 'problem_id', 'answer': 'gold'}
    """
    columns: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, column = (part.strip() for part in entry.partition("="))
        if not (name and equals and column):
            raise UsageError(f"--columns: {entry!r} is not NAME=COLUMN, e.g. answer=gold.")
        if name in columns:
            raise UsageError(f"--columns: {name!r} is named twice.")
        columns[name] = column
    _check_names(columns)
    return columns


def check_columns(
    columns: Mapping[str, str], existing: Collection[str], *, source: str, needs_trajectory: bool
) -> None:
    """Returns when the columns that a problem needs are there.

    Args:
        columns: the mapping of `parse_columns`.
        existing: the source's columns, pr1's names for a preset's own included.
        source: the source's name, for the message.
        needs_trajectory: whether a source without trajectories is useless.

    Raises:
        UsageError: a column is missing. Remedy: map one of the columns that the message lists.
    """
    _check_names(columns)
    listed = ", ".join(sorted(existing))
    for name, column in columns.items():
        if column not in existing:
            raise UsageError(
                f"{source}: has no column {column!r} (mapped to {name!r}). It has: {listed}."
            )
    needed = [("question",), ("answer",), ("image", "images")]
    if needs_trajectory:
        needed.append(("trajectory", "trajectories"))
    for names in needed:
        if not any(columns.get(name) or _is_free(name, columns, existing) for name in names):
            hint = " `pr1 collect` makes trajectories." if names[0] == "trajectory" else ""
            raise UsageError(
                f"{source}: has no column {' or '.join(map(repr, names))}. It has: {listed}. "
                f"Name the one that is meant: --columns {names[0]}=COLUMN.{hint}"
            )


def record_ids(raw: RawRecord, columns: Mapping[str, str]) -> RecordIds:
    """The record's problem and the name of its trajectory, by the rule above."""
    record = _Cells(raw, columns)
    record_id, problem_id, trajectory_id = (
        read_optional_text(_whole(record[name]), record.what(name))
        for name in ("id", "problem_id", "trajectory_id")
    )
    return RecordIds(
        problem_id or record_id or raw.place,
        trajectory_id or (record_id if problem_id else None),
    )


def read_record(raw: RawRecord, columns: Mapping[str, str], pictures: Pictures) -> InputRecord:
    """The record in pr1's terms; its pictures go to `pictures`.

    Raises:
        InputError: a value cannot be used. Remedy: the message names the place and the column.
    """
    record = _Cells(raw, columns)
    problem_id, trajectory_id = record_ids(raw, columns)
    if is_missing(record["answer"]):
        raise InputError("empty_answer", f"{record.what('answer')} is empty. Fix the record.")
    model, source, license_ = (
        read_optional_text(record[name], record.what(name))
        for name in ("model", "source", "license")
    )
    return InputRecord(
        place=raw.place,
        problem_id=problem_id,
        trajectory_id=trajectory_id,
        question=read_question(record["question"], record.what("question")),
        choices=read_choices(record["choices"], record.what("choices")),
        answer=read_text(record["answer"], record.what("answer")).strip(),
        answer_origin="self" if record["answer_origin"] == "self" else "given",
        images=_read_images(record, pictures),
        trajectories=_read_trajectories(record, model),
        source=source,
        license=license_,
        metadata=read_metadata(record.rest(), raw.place),
    )


class _Cells:
    """A record's values by pr1's names."""

    def __init__(self, raw: RawRecord, columns: Mapping[str, str]) -> None:
        self.raw = raw
        self.columns = columns

    def __getitem__(self, name: str) -> Any:
        if name in self.columns:
            return self.raw.values.get(self.columns[name])
        if _is_free(name, self.columns, self.raw.values):
            return self.raw.values[name]
        return None

    def what(self, name: str) -> str:
        return f"{self.raw.place}: {self.columns.get(name, name)!r}"

    def rest(self) -> dict[str, Any]:
        """The columns that mean nothing to pr1, and the entries of `metadata`."""
        read_by_name = (name for name in COLUMNS if name not in self.columns)
        used = {*self.columns.values(), *read_by_name, *REMADE}
        return {
            **{name: value for name, value in self.raw.values.items() if name not in used},
            **_entries(self["metadata"]),
        }


def _read_images(record: _Cells, pictures: Pictures) -> list[str]:
    name = "image" if is_missing(record["images"]) else "images"
    value = record[name]
    listed = value if isinstance(value, list) else [value]
    return [
        pictures.add(image, record.raw.folder, record.what(name))
        for image in listed
        if not is_missing(image)
    ]


def _read_trajectories(record: _Cells, model: str | None) -> list[RawTrajectory]:
    name = "trajectory" if is_missing(record["trajectories"]) else "trajectories"
    stated = record[name]
    shared = {"model": model, "finish": record["finish"], "sampling": record["sampling"]}
    described = [
        {**shared, **value} if isinstance(value, dict) else {**shared, "text": value}
        for value in (stated if isinstance(stated, list) else [stated])
    ]
    return [
        read_trajectory(value, record.what(name))
        for value in described
        if not is_missing(value.get("text"))
    ]


def _entries(metadata: Any) -> dict[str, Any]:
    """The entries of an object, or of one written as JSON, as pr1's folders hold it."""
    if isinstance(metadata, str):
        with suppress(ValueError, RecursionError):
            if isinstance(entries := json.loads(metadata), dict):
                return entries
    return metadata if isinstance(metadata, dict) else {"metadata": metadata}


def _whole(value: Any) -> Any:
    """7 for 7.0: a column of numbers with a gap in it is stored as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_free(name: str, columns: Mapping[str, str], existing: Collection[str]) -> bool:
    return name in existing and name not in columns and name not in columns.values()


def _check_names(columns: Mapping[str, str]) -> None:
    for name in columns:
        if name not in COLUMNS:
            raise UsageError(
                f"--columns: pr1 has no column {name!r}. It has: {', '.join(COLUMNS)}."
            )
