"""What one model got right: a file with a line per problem, JSON Lines or CSV.

    {"id": "7f3a", "correct": true, "perception": 0.75, "subject": "circles"}
    {"id": "7f3b", "correct": [1, 0, 1, 1], "perception": null, "subject": "angles"}

`correct` is 0, 1, true, false, or a list of them for several samples; null, or an empty cell, is
not scored, which is neither right nor wrong. `perception` is a score between 0 and 1, or a list of
them; the other columns can be grouped by. A line that means something else stops the reading: a
comparison without it would be another one.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..schemas.errors import InputError, UsageError

ONE_A_LINE = "Write one object a line; a CSV file needs the ending .csv."
WORDS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "true": 1, "false": 0}


class Outcome(NamedTuple):
    """How one problem went.

    Attributes:
        samples: 1 for right and 0 for wrong, of each scored sample; empty where none was scored.
        perception: between 0 and 1, the mean over the samples; None where it was not scored.
        columns: the other columns of the line.
        place: where it stands, e.g. `base.jsonl:41`.
    """

    samples: tuple[int, ...]
    perception: float | None
    columns: Mapping[str, Any]
    place: str


class Line(NamedTuple):
    """One line as the file states it."""

    place: str
    values: dict[str, Any]


def read_outcomes(path: Path) -> dict[str, Outcome]:
    """The outcomes of a file by id, in the order of the file.

    Raises:
        UsageError: there is no such file, or it holds no outcomes.
        InputError: a line cannot be read, lacks `id` or `correct`, holds a value that means none,
            or repeats an id. Remedy: mend the line that is named.
    """
    outcomes: dict[str, Outcome] = {}
    for line in read_lines(path):
        id_ = read_id(line, "id")
        if id_ in outcomes:
            raise InputError(
                "duplicate_id",
                f"{line.place}: id {id_!r} stands in {outcomes[id_].place} already. Keep one of "
                "them; several samples of a problem go into one line, as a list.",
            )
        outcomes[id_] = _read_outcome(line)
    if not outcomes:
        raise UsageError(f"{path}: holds no outcomes. Name a file with `id` and `correct`.")
    return outcomes


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a JSON Lines file, or of a CSV file (`.csv`) with a header; empty ones left out.

    Raises:
        UsageError: there is no such file.
        InputError: a line is not what the file's name promises.
    """
    if not path.is_file():
        kind = "is a folder. Name the file in it." if path.is_dir() else "no such file."
        raise UsageError(f"{path}: {kind}")
    is_csv = path.suffix.lower() == ".csv"
    try:
        # Universal newlines would let a line end at a carriage return within a quoted cell.
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _read_csv(file, path) if is_csv else _read_json(file, path)
    except UnicodeDecodeError as error:
        raise InputError("not_utf8", f"{path}: is no text in UTF-8 ({error.reason}).") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def _read_csv(file: Iterator[str], path: Path) -> Iterator[Line]:
    reader = csv.DictReader(file, strict=True)
    try:
        for values in reader:
            place = f"{path}:{reader.line_num}"
            if None in values or None in values.values():
                raise InputError(
                    "broken_row", f"{place}: has not as many cells as the header. Mend the row."
                )
            yield Line(place, dict(values))
    except csv.Error as error:
        raise InputError(
            "broken_row", f"{path}: the row after line {reader.line_num} is broken ({error})."
        ) from error


def _read_json(file: Iterator[str], path: Path) -> Iterator[Line]:
    for number, text in enumerate(file, 1):
        if not text.strip():
            continue
        place = f"{path}:{number}"
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError("not_json", f"{place}: is no JSON ({error}). {ONE_A_LINE}") from error
        if not isinstance(values, dict):
            raise InputError("not_an_object", f"{place}: is no JSON object. {ONE_A_LINE}")
        yield Line(place, values)


def cell(line: Line, column: str) -> Any:
    """What stands in a column; None where it is empty.

    Raises:
        InputError: there is no such column.
    """
    if column not in line.values:
        found = ", ".join(map(repr, line.values)) or "no column"
        raise InputError("no_column", f"{line.place}: has no {column!r} (it has {found[:200]}).")
    value = line.values[column]
    return None if isinstance(value, str) and not value.strip() else value


def read_id(line: Line, column: str) -> str:
    """The id of a line as text, so that 7 and "7" are one.

    Raises:
        InputError: it is missing, or neither text nor a whole number.
    """
    value = cell(line, column)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(
            "bad_id", f"{line.place}: {column!r} is {_shown(value)}, not a text or a whole number."
        )
    return str(value).strip()


def read_correct(line: Line, column: str) -> tuple[int, ...]:
    """The scored samples of a line: 1 right, 0 wrong; empty where none was scored.

    Raises:
        InputError: a value is neither 0, 1, true, false nor null.
    """
    samples = [_binary(item, line, column) for item in _items(cell(line, column))]
    return tuple(sample for sample in samples if sample is not None)


def _read_outcome(line: Line) -> Outcome:
    samples = read_correct(line, "correct")
    perception = None
    if "perception" in line.values:
        scores = [_score(item, line) for item in _items(cell(line, "perception"))]
        scored = [score for score in scores if score is not None]
        perception = math.fsum(scored) / len(scored) if scored else None
    known = ("id", "correct", "perception")
    others = {name: value for name, value in line.values.items() if name not in known}
    return Outcome(samples, perception, others, line.place)


def _items(value: Any) -> list[Any]:
    """The items of a list, which in a CSV cell is written as JSON; anything else is one item."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value.lower())
        except ValueError:
            return [value]
    return value if isinstance(value, list) else [value]


def _binary(value: Any, line: Line, column: str) -> int | None:
    if value is None:
        return None
    word = value.strip().lower() if isinstance(value, str) else str(value).lower()
    if isinstance(value, str | int | float) and word in WORDS:
        return WORDS[word]
    raise InputError(
        "not_binary",
        f"{line.place}: {column!r} is {_shown(value)}. It must be 0, 1, true or false, a list of "
        "them, or null where the problem was not scored.",
    )


def _score(value: Any, line: Line) -> float | None:
    if value is None:
        return None
    try:
        score = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        score = math.nan
    if not 0 <= score <= 1:
        raise InputError(
            "bad_perception",
            f"{line.place}: 'perception' is {_shown(value)}. It must lie between 0 and 1, or be "
            "null where it was not scored.",
        )
    return score


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
