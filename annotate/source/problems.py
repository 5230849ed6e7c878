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

from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from itertools import chain, islice

from ...schemas.config import SourceConfig
from ...schemas.errors import InputError, UsageError
from ...schemas.manifest import Dropped, Failure
from ...schemas.records import Problem, Trajectory, VisualAnnotation
from .columns import InputRecord, RecordIds, check_columns, read_record, record_ids
from .files import BrokenRecord, RawRecord, read_source
from .formats import ready_annotations, translate, translated_columns
from .gathering import Gathering
from .grouping import STAGE, Group, common_metadata, group_records, listed
from .pictures import Pictures

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


class ProblemReader:
    """The problems of a source, to be iterated once.

    Groups, drops and failures come in the order in which each first appeared in the source; a
    record that its problem has no use for comes behind it. The source is read before the first of
    them comes, for a problem's records may stand anywhere; texts and pictures lie in temporary
    files until then.

    Attributes:
        read: input records read so far; those of problems beyond `limit` are not counted.
        problems: how many items the iteration yields; None until the source is read. The records
            that a problem has no use for are counted as they come.
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
        self._open = ExitStack()

    def gather(self) -> Iterator[int]:
        """Reads the source, and yields `read` after each record.

        The iteration does it where nobody has: this is for who has other things to do meanwhile.

        Raises:
            RunStopped: there is no room for temporary files.
        """
        with ExitStack() as opened:
            self._pictures = opened.enter_context(closing(Pictures()))
            self._gathering = opened.enter_context(closing(Gathering()))
            for raw in self._records:
                self._place(raw)
                yield self.read
            self._open = opened.pop_all()
        self.problems = self._gathering.places

    def __iter__(self) -> Iterator[ProblemGroup | Dropped | Failure]:
        """Yields where the records ended."""
        if self.problems is None:
            for _ in self.gather():
                pass
        assert self.problems is not None
        with self._open:
            for gathered in self._gathering:
                if not isinstance(gathered, list):
                    yield gathered
                    continue
                group = group_records(gathered)
                left_out: list[Dropped | Failure] = [*group.failed, *group.dropped.values()]
                self.problems += len(left_out)
                yield self._finish(group)
                yield from left_out

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

    def _place(self, raw: RawRecord | BrokenRecord) -> None:
        """Take the record to where it belongs, unless it lies beyond the limit."""
        problem_id, trajectory_id = self._ids(raw)
        if self._is_beyond_limit(problem_id):
            return
        self.read += 1
        try:
            self._gather(self._interpret(raw))
        except InputError as error:
            name = trajectory_id or problem_id
            self._gathering.add_failure(
                Failure(id=name, stage=STAGE, error=error.code, message=str(error))
            )

    def _ids(self, raw: RawRecord | BrokenRecord) -> RecordIds:
        if isinstance(raw, RawRecord):
            with suppress(InputError):  # raised again where the record is interpreted
                return record_ids(raw, self._config.columns)
        return RecordIds(raw.place, None)

    def _is_beyond_limit(self, problem_id: str) -> bool:
        if self._limit is None:
            return False
        if self._gathering.problems_seen < self._limit:
            self._gathering.note_problem(problem_id)
            return False
        return not self._gathering.has_problem(problem_id)

    def _interpret(self, raw: RawRecord | BrokenRecord) -> InputRecord:
        if isinstance(raw, BrokenRecord):
            raise raw.error
        translated = translate(raw, self._config.format)
        return read_record(translated, self._config.columns, self._pictures)

    def _gather(self, record: InputRecord) -> None:
        if not record.images:
            self._drop(record, "no_image", "has no picture")
        elif self._needs_trajectory and not record.trajectories:
            self._drop(record, "no_trajectory", "has no trajectory")
        else:
            self._gathering.add_record(record)

    def _drop(self, record: InputRecord, reason: str, why: str) -> None:
        detail = f"{record.place} {why}"
        self._gathering.add_drop(
            Dropped(id=record.problem_id, stage=STAGE, reason=reason, detail=detail)
        )

    def _finish(self, group: Group) -> ProblemGroup | Failure:
        first, records = group.first, group.records
        try:
            images = [self._pictures.get(digest) for digest in first.images]
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
            source=listed(record.source for record in records),
            license=listed(record.license for record in records),
            metadata=common_metadata(records),
        )
        trajectories = list(group.trajectories.values())
        annotations = ready_annotations(trajectories) if self._has_key_info else []
        return ProblemGroup(problem, trajectories, annotations, len(records))

    @property
    def _has_key_info(self) -> bool:
        return self._config.format == "perception-r1"
