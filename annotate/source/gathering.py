"""What the records of a source came to, by the place where each problem first appeared.

The records of a problem may stand anywhere in a source, so no problem is complete before its end.
Until then they lie in a temporary file; memory holds the records of one problem at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ...schemas.manifest import Dropped, Failure
from ..spool import Spool
from .columns import InputRecord
from .values import RawTrajectory

_LAYOUT = """
CREATE TABLE places (number INTEGER PRIMARY KEY, key TEXT UNIQUE);
CREATE TABLE items (place INTEGER, kind TEXT, body TEXT);
CREATE INDEX items_by_place ON items (place);
CREATE TABLE seen (problem_id TEXT PRIMARY KEY) WITHOUT ROWID
"""

Gathered = list[InputRecord] | Dropped | Failure


class Gathering:
    """Records by problem, drops by problem and reason, and failures, until `close`.

    Attributes:
        places: how many of them there are.
        problems_seen: how many problems `note_problem` was told of.
    """

    def __init__(self) -> None:
        self.places = self.problems_seen = 0
        self._spool = Spool(_LAYOUT)

    def close(self) -> None:
        """Give up the temporary file."""
        self._spool.close()

    def has_problem(self, problem_id: str) -> bool:
        """Whether `note_problem` was told of it."""
        query = "SELECT 1 FROM seen WHERE problem_id = ?"
        return self._spool.execute(query, (_text(problem_id),)).fetchone() is not None

    def note_problem(self, problem_id: str) -> None:
        """A record of the problem was read, whatever became of it."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?)"
        self.problems_seen += self._spool.execute(insert, (_text(problem_id),)).rowcount

    def add_record(self, record: InputRecord) -> None:
        """The record joins its problem."""
        self._add(_text(record.problem_id), "record", vars(record))

    def add_drop(self, dropped: Dropped) -> None:
        """The drop counts with those of the same id and reason."""
        key = _text([dropped.id, dropped.reason])
        self._add(key, "dropped", dropped.model_dump())

    def add_failure(self, failure: Failure) -> None:
        """The failure stands for itself."""
        self._add(None, "failure", failure.model_dump())

    def __iter__(self) -> Iterator[Gathered]:
        """Each problem's records, each drop and each failure, by their first appearance."""
        query = "SELECT place, kind, body FROM items ORDER BY place, rowid"
        for _, items in groupby(self._spool.execute(query), key=lambda item: int(item[0])):
            _, kind, body = next(items)
            first = json.loads(body)
            if kind == "failure":
                yield Failure(**first)
            elif kind == "dropped":
                yield Dropped(**{**first, "records": 1 + sum(1 for _ in items)})
            else:
                yield [_record(first), *(_record(json.loads(body)) for _, _, body in items)]

    def _add(self, key: str | None, kind: str, values: dict[str, Any]) -> None:
        insert = "INSERT INTO items VALUES (?, ?, ?)"
        self._spool.execute(insert, (self._place(key), kind, _text(values)))

    def _place(self, key: str | None) -> int:
        if key is not None:
            query = "SELECT number FROM places WHERE key = ?"
            if known := self._spool.execute(query, (key,)).fetchone():
                return int(known[0])
        self.places += 1
        if key is not None:
            self._spool.execute("INSERT INTO places VALUES (?, ?)", (self.places, key))
        return self.places


def _text(value: Any) -> str:
    # ASCII: the name of a file may hold bytes that are no UTF-8, and then a place does, too.
    return json.dumps(value)


def _record(values: dict[str, Any]) -> InputRecord:
    trajectories = [RawTrajectory(*fields) for fields in values.pop("trajectories")]
    return InputRecord(**values, trajectories=trajectories)
