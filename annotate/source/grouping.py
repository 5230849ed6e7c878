"""The records of one problem, put together: what agrees, what differs, what is said twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...schemas.errors import InputError
from ...schemas.manifest import Dropped, Failure
from ...schemas.records import Trajectory
from .columns import InputRecord
from .values import shown

STAGE = "read"


@dataclass
class Group:
    """A problem that is being put together.

    Attributes:
        first: the record that says what the problem is.
        records: those that are in it, the first among them.
        trajectories: by their unique ids.
        versions: the texts by the name that they came with.
        failed: the other records that contradict the first.
        dropped: by name, those that say nothing new.
    """

    first: InputRecord
    records: list[InputRecord] = field(default_factory=list)
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    versions: dict[str, set[str]] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    dropped: dict[str, Dropped] = field(default_factory=dict)


def group_records(records: list[InputRecord]) -> Group:
    """The group of all records of one problem, in the order of the input.

    A record that contradicts the first fails (`conflicting_problem`); one that says nothing new is
    dropped (`duplicate_trajectory`), and those of one name are counted together.
    """
    group = Group(records[0])
    for record in records:
        try:
            _check_agreement(group.first, record)
        except InputError as error:
            name = record.trajectory_id or record.problem_id
            group.failed.append(Failure(id=name, stage=STAGE, error=error.code, message=str(error)))
            continue
        if record.trajectories and not _add_trajectories(group, record):
            _drop(group, record)
        else:
            group.records.append(record)
    return group


def listed(values: Iterable[str | None]) -> str | None:
    """The different values, in order, as one text; None where there are none."""
    return "; ".join(dict.fromkeys(value for value in values if value)) or None


def common_metadata(records: list[InputRecord]) -> dict[str, str]:
    """What all records say alike: a column that differs tells of a trajectory, not the problem."""
    first, *others = (record.metadata for record in records)
    return {
        name: text
        for name, text in first.items()
        if all(other.get(name) == text for other in others)
    }


def _check_agreement(first: InputRecord, later: InputRecord) -> None:
    for name in ("question", "choices", "answer", "images"):
        if getattr(first, name) != getattr(later, name):
            raise InputError(
                "conflicting_problem",
                f"{later.place}: {name!r} differs from {first.place}, of the same problem "
                f"{shown(later.problem_id)}. Correct it, or give it another problem_id.",
            )


def _drop(group: Group, record: InputRecord) -> None:
    name = record.trajectory_id or record.trajectories[0].id or record.problem_id
    known = group.dropped.get(name)
    group.dropped[name] = Dropped(
        id=name,
        records=known.records + 1 if known else 1,
        stage=STAGE,
        reason="duplicate_trajectory",
        detail=known.detail if known else f"{record.place} says nothing new",
    )


def _add_trajectories(group: Group, record: InputRecord) -> bool:
    """Whether the record told the problem a trajectory that it did not have."""
    before = len(group.trajectories)
    for number, raw in enumerate(record.trajectories, 1):
        name = raw.id or _name_in_record(record, number)
        if name is None:
            name = f"{record.problem_id}-t{len(group.trajectories) + 1}"
        elif raw.text in group.versions.setdefault(name, set()):
            continue
        group.versions.setdefault(name, set()).add(raw.text)
        unique = _unused(name, group)
        group.trajectories[unique] = Trajectory(
            id=unique,
            problem_id=record.problem_id,
            text=raw.text,
            model=raw.model,
            sampling=raw.sampling,
            finish=raw.finish,
        )
    return len(group.trajectories) > before


def _name_in_record(record: InputRecord, number: int) -> str | None:
    if record.trajectory_id is None or len(record.trajectories) == 1:
        return record.trajectory_id
    return f"{record.trajectory_id}-{number}"


def _unused(name: str, group: Group) -> str:
    """The name, with `#2`, `#3`, ... where other texts of the problem have it already."""
    number = len(group.versions[name])
    unique = name if number == 1 else f"{name}#{number}"
    while unique in group.trajectories:
        number += 1
        unique = f"{name}#{number}"
    return unique
