"""Problems with their trajectories, merged from the records of a source.

Records of one problem are merged where question, choices, answer and pictures (by content) agree
with those of its first record; a later one that differs fails with `conflicting_problem`. Every
record ends in exactly one place: in a `ProblemGroup`, in a `Dropped` or in a `Failure`, and the
`records` of the three add up to `ProblemReader.read`.

A record fails alone: the problem's other records stay. Dropped are records without a picture
(`no_image`: what was written without seeing it states nothing seen), without a trajectory where one
is needed (`no_trajectory`), and with one that the problem has already, by name and text
(`duplicate_trajectory`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from itertools import chain, islice

from ...schemas.config import SourceConfig
from ...schemas.errors import InputError, UsageError
from ...schemas.manifest import Dropped, Failure
from ...schemas.records import Problem, Trajectory, VisualAnnotation
from .columns import InputRecord, RecordIds, check_columns, read_record, record_ids
from .files import BrokenRecord, RawRecord, read_source
from .formats import ready_annotations, translate, translated_columns
from .pictures import Pictures
from .values import shown

STAGE = "read"
# The columns of a JSON Lines file are those of its first records.
PEEKED_RECORDS = 100


@dataclass(frozen=True)
class ProblemGroup:
    """A problem with what the source's records say about it.

    Attributes:
        problem: as its first record states it; `source` and `license` list the records' different
            ones, metadata holds what all of them say alike.
        trajectories: in the order of the input, their ids unique; neither `answer` nor `is_correct`
            is set.
        annotations: those that the source brought along (`perception-r1`): nothing is to be
            extracted from a problem that has some.
        records: how many input records are in it.
    """

    problem: Problem
    trajectories: list[Trajectory]
    annotations: list[VisualAnnotation]
    records: int


@dataclass
class _Group:
    """A problem that is being gathered; `versions` are the texts by the name they came with."""

    first: InputRecord
    records: list[InputRecord] = field(default_factory=list)
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    versions: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class _Drop:
    id: str
    reason: str
    detail: str
    records: int = 0


class ProblemReader:
    """The problems of a source, to be iterated once.

    Groups, drops and failures come in the order in which each first appeared in the source. Texts
    are held in memory until the source is read; pictures are not.

    Attributes:
        read: input records read so far; those of problems beyond `limit` are not counted.
        problems: how many items the iteration yields; None until the source is read.
    """

    def __init__(
        self, config: SourceConfig, *, needs_trajectory: bool, limit: int | None = None
    ) -> None:
        """Opens the source and looks at its columns.

        Args:
            config: the source, its columns and format.
            needs_trajectory: drop records without a trajectory (`annotate`), or keep their problem
                (`collect`).
            limit: read the records of the first `limit` problems only; a record that names no
                problem counts as one.

        Raises:
            UsageError: the source cannot be read, is empty, or lacks columns.
        """
        self.read = 0
        self.problems: int | None = None
        self._config = config
        self._needs_trajectory = needs_trajectory
        self._limit = limit
        records = read_source(config)
        peeked = list(islice(records, PEEKED_RECORDS))
        self._check_columns(peeked)
        self._records = chain(peeked, records)
        self._groups: dict[str, _Group] = {}
        self._drops: dict[tuple[str, str], _Drop] = {}
        self._problems_seen: set[str] = set()

    def __iter__(self) -> Iterator[ProblemGroup | Dropped | Failure]:
        """Yields where the records ended."""
        with closing(Pictures()) as pictures:
            slots = [slot for raw in self._records if (slot := self._place(raw, pictures))]
            self.problems = len(slots)
            for slot in slots:
                if isinstance(slot, _Group):
                    yield self._finish(slot, pictures)
                elif isinstance(slot, _Drop):
                    yield Dropped(stage=STAGE, **asdict(slot))
                else:
                    yield slot

    def _check_columns(self, peeked: list[RawRecord | BrokenRecord]) -> None:
        path = self._config.path
        if not peeked:
            raise UsageError(f"{path}: holds no records. Name a source that has some.")
        raws = [raw for raw in peeked if isinstance(raw, RawRecord)]
        if raws:
            native = {name for raw in raws for name in raw.values}
            check_columns(
                self._config.columns,
                translated_columns(native, self._config.format, path),
                source=path,
                needs_trajectory=self._needs_trajectory,
            )

    def _place(
        self, raw: RawRecord | BrokenRecord, pictures: Pictures
    ) -> _Group | _Drop | Failure | None:
        """A new slot for the record; None where it went into one, or lies beyond the limit."""
        problem_id, trajectory_id = self._ids(raw)
        if self._is_beyond_limit(problem_id):
            return None
        self._problems_seen.add(problem_id)
        self.read += 1
        try:
            return self._merge(self._interpret(raw, pictures))
        except InputError as error:
            return Failure(
                id=trajectory_id or problem_id, stage=STAGE, error=error.code, message=str(error)
            )

    def _ids(self, raw: RawRecord | BrokenRecord) -> RecordIds:
        if isinstance(raw, RawRecord):
            with suppress(InputError):  # raised again where the record is interpreted
                return record_ids(raw, self._config.columns)
        return RecordIds(raw.place, None)

    def _is_beyond_limit(self, problem_id: str) -> bool:
        return (
            self._limit is not None
            and len(self._problems_seen) >= self._limit
            and problem_id not in self._problems_seen
        )

    def _interpret(self, raw: RawRecord | BrokenRecord, pictures: Pictures) -> InputRecord:
        if isinstance(raw, BrokenRecord):
            raise raw.error
        translated = translate(raw, self._config.format)
        return read_record(translated, self._config.columns, pictures)

    def _merge(self, record: InputRecord) -> _Group | _Drop | None:
        if not record.images:
            return self._drop(record.problem_id, "no_image", f"{record.place} has no picture")
        if self._needs_trajectory and not record.trajectories:
            detail = f"{record.place} has no trajectory"
            return self._drop(record.problem_id, "no_trajectory", detail)
        known = self._groups.get(record.problem_id)
        group = known or self._groups.setdefault(record.problem_id, _Group(record))
        if known:
            _check_agreement(known.first, record)
        if record.trajectories and not _add_trajectories(group, record):
            name = record.trajectory_id or record.trajectories[0].id or record.problem_id
            return self._drop(name, "duplicate_trajectory", f"{record.place} says nothing new")
        group.records.append(record)
        return None if known else group

    def _drop(self, identifier: str, reason: str, detail: str) -> _Drop | None:
        known = self._drops.get((identifier, reason))
        drop = known or self._drops.setdefault(
            (identifier, reason), _Drop(identifier, reason, detail)
        )
        drop.records += 1
        return None if known else drop

    def _finish(self, group: _Group, pictures: Pictures) -> ProblemGroup | Failure:
        first, records = group.first, group.records
        try:
            images = [pictures.get(digest) for digest in first.images]
        except InputError as error:
            return Failure(
                id=first.problem_id,
                records=len(records),
                stage=STAGE,
                error=error.code,
                message=str(error),
            )
        problem = Problem(
            id=first.problem_id,
            question=first.question,
            choices=first.choices,
            answer=first.answer,
            answer_origin=first.answer_origin,
            images=images,
            source=_listed(record.source for record in records),
            license=_listed(record.license for record in records),
            metadata=_common_metadata(records),
        )
        trajectories = list(group.trajectories.values())
        annotations = ready_annotations(trajectories) if self._has_key_info else []
        return ProblemGroup(problem, trajectories, annotations, len(records))

    @property
    def _has_key_info(self) -> bool:
        return self._config.format == "perception-r1"


def _check_agreement(first: InputRecord, later: InputRecord) -> None:
    for name in ("question", "choices", "answer", "images"):
        if getattr(first, name) != getattr(later, name):
            raise InputError(
                "conflicting_problem",
                f"{later.place}: {name!r} differs from {first.place}, of the same problem "
                f"{shown(later.problem_id)}. Correct it, or give it another problem_id.",
            )


def _add_trajectories(group: _Group, record: InputRecord) -> bool:
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


def _unused(name: str, group: _Group) -> str:
    """The name, with `#2`, `#3`, ... where other texts of the problem have it already."""
    number = len(group.versions[name])
    unique = name if number == 1 else f"{name}#{number}"
    while unique in group.trajectories:
        number += 1
        unique = f"{name}#{number}"
    return unique


def _listed(values: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(value for value in values if value)) or None


def _common_metadata(records: list[InputRecord]) -> dict[str, str]:
    """What all records say alike: a column that differs tells of a trajectory, not the problem."""
    first, *others = (record.metadata for record in records)
    return {
        name: text
        for name, text in first.items()
        if all(other.get(name) == text for other in others)
    }
