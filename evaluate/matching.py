"""The outcomes of two models, matched by problem, and who is left out for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..schemas.errors import InputError, UsageError
from .outcomes import Line, Outcome, cell, read_correct, read_id, read_lines, read_outcomes

PAIR_COLUMNS = ("benchmark", "item_id", "model_a", "model_b", "a_correct", "b_correct")
WITHOUT_GROUP = "(none)"


class Pair(NamedTuple):
    """One problem under both models."""

    id: str
    a: Outcome
    b: Outcome


class LeftOut(NamedTuple):
    """How many problems are not compared, and why.

    Attributes:
        only_a: they are in A's outcomes only.
        only_b: in B's only.
        not_scored: in both, but one of the two has no scored sample.
    """

    only_a: int
    only_b: int
    not_scored: int


class Matched(NamedTuple):
    """Two models on the same problems.

    Attributes:
        benchmark: what they were asked; None where the files do not say.
    """

    model_a: str
    model_b: str
    benchmark: str | None
    pairs: tuple[Pair, ...]
    left_out: LeftOut


def read_matched(path_a: Path, path_b: Path | None) -> list[Matched]:
    """What is to be compared: two files of outcomes, or each pair of models of a pairs file.

    Raises:
        UsageError: the files cannot be compared. Remedy: as the message says.
        InputError: a line cannot be used.
    """
    if path_b is None:
        return _read_pairs(path_a)
    if path_a.exists() and path_b.exists() and path_a.samefile(path_b):
        raise UsageError(f"{path_a} and {path_b} are one file. Name two.")
    name_a, name_b = _names(path_a, path_b)
    return [_match(name_a, name_b, None, read_outcomes(path_a), read_outcomes(path_b))]


def _names(path_a: Path, path_b: Path) -> tuple[str, str]:
    """The files' names, or their paths where these are equal."""
    if path_a.stem != path_b.stem:
        return path_a.stem, path_b.stem
    return str(path_a), str(path_b)


def _match(
    model_a: str,
    model_b: str,
    benchmark: str | None,
    a: Mapping[str, Outcome],
    b: Mapping[str, Outcome],
) -> Matched:
    shared = [Pair(id_, outcome, b[id_]) for id_, outcome in a.items() if id_ in b]
    if not shared:
        raise UsageError(
            f"{model_a} and {model_b} have no id in common ({next(iter(a))!r} is one of the first, "
            f"{next(iter(b))!r} one of the second). Check that both are about the same problems."
        )
    pairs = tuple(pair for pair in shared if pair.a.samples and pair.b.samples)
    if not pairs:
        raise UsageError(f"{model_a} and {model_b} have no problem that is scored in both.")
    left_out = LeftOut(len(a) - len(shared), len(b) - len(shared), len(shared) - len(pairs))
    return Matched(model_a, model_b, benchmark, pairs, left_out)


def _read_pairs(path: Path) -> list[Matched]:
    """Each benchmark and pair of models of a pairs file, in the order in which they appear."""
    found: dict[tuple[str, str, str], tuple[dict[str, Outcome], dict[str, Outcome]]] = {}
    for line in read_lines(path):
        _check_is_pair(line)
        benchmark, model_a, model_b = (
            read_id(line, column) for column in ("benchmark", "model_a", "model_b")
        )
        a, b = found.setdefault((benchmark, model_a, model_b), ({}, {}))
        id_ = read_id(line, "item_id")
        if id_ in a:
            raise InputError(
                "duplicate_id",
                f"{line.place}: item_id {id_!r} of this benchmark and these models stands in "
                f"{a[id_].place} already. Keep one of them.",
            )
        others = {name: value for name, value in line.values.items() if name not in PAIR_COLUMNS}
        a[id_] = Outcome(read_correct(line, "a_correct"), None, others, line.place)
        b[id_] = Outcome(read_correct(line, "b_correct"), None, others, line.place)
    if not found:
        raise UsageError(f"{path}: holds no pairs.")
    return [
        _match(model_a, model_b, benchmark, a, b)
        for (benchmark, model_a, model_b), (a, b) in found.items()
    ]


def _check_is_pair(line: Line) -> None:
    if missing := [name for name in PAIR_COLUMNS if name not in line.values]:
        raise UsageError(
            f"{line.place}: has no {', '.join(missing)}, so this is no pairs file. Name a second "
            "file of outcomes to compare it with."
        )


def group_by(pairs: Sequence[Pair], column: str) -> dict[str, list[Pair]]:
    """The pairs of each value of a column, in the order of the values; empty ones are `(none)`.

    Raises:
        UsageError: no line has such a column.
        InputError: the two files disagree about a problem, or a value is no plain one.
    """
    groups: dict[str, list[Pair]] = {}
    seen: set[str] = set()
    for pair in pairs:
        seen |= pair.a.columns.keys() | pair.b.columns.keys()
        groups.setdefault(_group_of(pair, column), []).append(pair)
    if column not in seen:
        found = ", ".join(sorted(seen)) or "nothing"
        raise UsageError(f"--by {column}: no such column. To group by there is: {found[:300]}.")
    return {name: groups[name] for name in sorted(groups)}


def _group_of(pair: Pair, column: str) -> str:
    stated = {
        _group_name(outcome, column): outcome.place
        for outcome in (pair.a, pair.b)
        if column in outcome.columns
    }
    if len(stated) > 1:
        (one, place_1), (other, place_2) = stated.items()
        raise InputError(
            "group_conflict",
            f"{place_1} and {place_2}: {column!r} of id {pair.id!r} is {one!r} in one and "
            f"{other!r} in the other. Make them agree.",
        )
    return next(iter(stated), WITHOUT_GROUP)


def _group_name(outcome: Outcome, column: str) -> str:
    value: Any = cell(Line(outcome.place, dict(outcome.columns)), column)
    if isinstance(value, list | dict):
        raise InputError("bad_group", f"{outcome.place}: {column!r} is no plain value.")
    return WITHOUT_GROUP if value is None else str(value).strip()
