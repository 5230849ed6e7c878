"""A problem whose trajectories are being read: what they state so far, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..llm.engine import Result
from ..notation import to_plain
from ..schemas.config import AnnotateConfig
from ..schemas.manifest import Dropped, Failure
from ..schemas.records import AnnotatedProblem, RejectedAnnotation, VisualAnnotation
from .accuracy import checked_trajectories
from .extraction.extractor import Extractor
from .ordered import Asked
from .source.problems import ProblemGroup
from .validation.checks import with_question_marks
from .validation.merge import merge_facts
from .validation.validate import Stated, validate

STAGE = "annotate"


@dataclass
class ReadingTally:
    """What became of a run's trajectories.

    Attributes:
        read: trajectories from which facts were proposed.
        not_read: those for which the model gave no usable answer.
        annotations: of all rows.
        rejected: reason -> proposals of all rows that did not pass.
    """

    read: int = 0
    not_read: int = 0
    annotations: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def facts(self) -> dict[str, int]:
        """The figures for the manifest and the card."""
        return {
            "trajectories_read": self.read,
            "trajectories_not_read": self.not_read,
            "annotations": self.annotations,
        }


class ReadProblem:
    """A problem on its way from the source to a row.

    A trajectory that could not be read leaves a `not_extracted` entry among the rejected; the
    problem fails only when none could be read.
    """

    def __init__(
        self,
        group: ProblemGroup,
        config: AnnotateConfig,
        extractor: Extractor,
        tally: ReadingTally,
    ) -> None:
        self.records = group.records
        self._problem = group.problem
        self._ready = group.annotations
        self._config = config
        self._extractor = extractor
        self._tally = tally
        if group.annotations:
            self._trajectories = group.trajectories
        else:
            self._trajectories = checked_trajectories(group.problem, group.trajectories)
        self._chosen = [
            (trajectory, to_plain(trajectory.text))
            for trajectory in self._trajectories
            if not group.annotations and (trajectory.is_correct or config.keep_wrong)
        ]
        self._stated: dict[int, Stated] = {}
        self._not_read: dict[int, Result] = {}

    def asked(self) -> Asked | Dropped:
        """The problem with the requests that it needs, or why it is left out."""
        if not (self._chosen or self._ready):
            return self._without_correct_trajectory()
        if self._extractor.uses_model:
            seed = self._config.seed
            requests = [self._extractor.request(text, seed) for _, text in self._chosen]
            return Asked(self, requests)
        for number in range(len(self._chosen)):
            self._state(number, None)
        return Asked(self, [])

    async def receive(self, number: int, result: Result) -> None:
        """Take the model's answer about the chosen trajectory `number`."""
        if result.error is not None:
            self._not_read[number] = result
        else:
            self._state(number, result)

    def end(self) -> AnnotatedProblem | Dropped | Failure:
        """The row, or why there is none."""
        self._tally.read += len(self._stated)
        self._tally.not_read += len(self._not_read)
        if self._not_read and not self._stated:
            return self._failure()
        annotations, rejected = self._merged()
        rejected += [self._not_extracted(number) for number in sorted(self._not_read)]
        if not annotations:
            return self._dropped("no_annotation", _counted(rejected))
        self._tally.annotations += len(annotations)
        self._tally.rejected.update(entry.reason for entry in rejected)
        return AnnotatedProblem(
            **dict(self._problem),
            trajectories=self._trajectories,
            annotations=annotations,
            rejected=rejected,
        )

    def _state(self, number: int, result: Result | None) -> None:
        trajectory, text = self._chosen[number]
        proposals = self._extractor.proposals(text, result.parsed if result else None)
        self._stated[number] = validate(proposals, trajectory, text, self._problem)

    def _merged(self) -> tuple[list[VisualAnnotation], list[RejectedAnnotation]]:
        if self._ready:
            return [with_question_marks(a, self._problem) for a in self._ready], []
        stated = [self._stated[number] for number in sorted(self._stated)]
        return merge_facts(stated, self._config.min_support)

    def _not_extracted(self, number: int) -> RejectedAnnotation:
        return RejectedAnnotation(
            statement=str(self._not_read[number].error),
            quote="",
            trajectory_id=self._chosen[number][0].id,
            reason="not_extracted",
            extractor=self._extractor.name,
        )

    def _failure(self) -> Failure:
        first = self._not_read[min(self._not_read)]
        assert first.error is not None
        return Failure(
            id=self._problem.id,
            records=self.records,
            stage=STAGE,
            error=first.error.code,
            message=str(first.error),
            attempts=max(1, first.attempts),
        )

    def _without_correct_trajectory(self) -> Dropped:
        verdicts = Counter(trajectory.is_correct for trajectory in self._trajectories)
        return self._dropped(
            "no_correct_trajectory",
            f"{verdicts[False]} wrong, {verdicts[None]} not scored; --keep-wrong keeps them",
        )

    def _dropped(self, reason: str, detail: str) -> Dropped:
        return Dropped(
            id=self._problem.id, records=self.records, stage=STAGE, reason=reason, detail=detail
        )


def open_reading(
    group: ProblemGroup, config: AnnotateConfig, extractor: Extractor, tally: ReadingTally
) -> Asked | Dropped:
    """The problem with what it asks, or why it is left out.

    Its answers are checked first. Annotations that the source brought along are taken as they are:
    their text is no reasoning that ends in an answer.
    """
    return ReadProblem(group, config, extractor, tally).asked()


def _counted(rejected: list[RejectedAnnotation]) -> str:
    if not rejected:
        return "nothing was proposed"
    counts = Counter(entry.reason for entry in rejected)
    listed = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
    return f"all that was proposed was rejected: {listed}"
