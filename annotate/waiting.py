"""What ended before its turn: in memory while it is little, else in a temporary file."""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

from ..schemas.manifest import Dropped, Failure
from ..schemas.records import AnnotatedProblem
from .spool import Spool

BYTES_IN_MEMORY = 32 * 2**20
BYTES_OF_ANY = 10_000  # what a row's objects take beside its texts and pictures, roughly
_LAYOUT = "CREATE TABLE waiting (number INTEGER PRIMARY KEY, records INTEGER, kind TEXT, body TEXT)"

Outcome = AnnotatedProblem | Dropped | Failure


class Ended(NamedTuple):
    """What became of a problem, and how many input records that accounts for."""

    outcome: Outcome
    records: int


class Waiting:
    """What ended, by its place in the order, until it is taken."""

    def __init__(self) -> None:
        self._near: dict[int, Ended] = {}
        self._near_bytes = 0
        self._far: Spool | None = None

    def put(self, number: int, ended: Ended) -> None:
        """Keep it.

        Raises:
            RunStopped: there is no room for temporary files.
        """
        size = _bytes_of(ended.outcome)
        if self._near_bytes + size <= BYTES_IN_MEMORY:
            self._near[number] = ended
            self._near_bytes += size
            return
        self._far = self._far or Spool(_LAYOUT)
        values = (number, ended.records, type(ended.outcome).__name__, _as_text(ended.outcome))
        self._far.execute("INSERT INTO waiting VALUES (?, ?, ?, ?)", values)

    def take(self, number: int) -> Ended | None:
        """What ended at that place; None when nothing has ended there yet."""
        near = self._near.pop(number, None)
        if near is not None:
            self._near_bytes -= _bytes_of(near.outcome)
            return near
        if self._far is None:
            return None
        query = "DELETE FROM waiting WHERE number = ? RETURNING records, kind, body"
        far = self._far.execute(query, (number,)).fetchall()
        return Ended(_as_outcome(far[0][1], far[0][2]), far[0][0]) if far else None

    def close(self) -> None:
        """Give up the temporary file."""
        if self._far is not None:
            self._far.close()


def _bytes_of(outcome: Outcome) -> int:
    if not isinstance(outcome, AnnotatedProblem):
        return BYTES_OF_ANY
    pictures = sum(len(image.bytes) for image in outcome.images)
    texts = sum(len(trajectory.text) for trajectory in outcome.trajectories)
    return BYTES_OF_ANY + pictures + 2 * texts


def _as_text(outcome: Outcome) -> str:
    # Not pydantic's own JSON, which turns NaN into null: a row must not tell where it waited.
    return json.dumps(outcome.model_dump(), default=_as_base64)


def _as_base64(data: Any) -> str:
    assert isinstance(data, bytes)
    return base64.b64encode(data).decode()


def _as_outcome(kind: str, text: str) -> Outcome:
    values = json.loads(text)
    if kind == "Dropped":
        return Dropped.model_validate(values)
    if kind == "Failure":
        return Failure.model_validate(values)
    for image in values["images"]:
        image["bytes"] = base64.b64decode(image["bytes"])
    return AnnotatedProblem.model_validate(values)
