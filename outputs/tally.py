"""What a dataset card tells about the rows, counted while they are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..schemas.records import AnnotatedProblem, Row, TrainRow

Source = tuple[str | None, str | None]


@dataclass
class RowTally:
    """Counts over the rows of one folder.

    Attributes:
        rows: rows in all.
        sources: (source, license), as the rows state them -> rows.
        kinds: kind of annotation -> annotations.
        support: trajectories that state an annotation -> annotations.
        annotations_per_row: annotations of a row -> rows.
        trajectory_models: model that wrote a trajectory, or None -> trajectories.
        correct, wrong, unscored: trajectories by whether their answer equals the reference.
        in_question, equals_answer: annotations so marked.
        self_answered: rows whose reference answer was taken from a trajectory.
    """

    rows: int = 0
    sources: Counter[Source] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    support: Counter[int] = field(default_factory=Counter)
    annotations_per_row: Counter[int] = field(default_factory=Counter)
    trajectory_models: Counter[str | None] = field(default_factory=Counter)
    correct: int = 0
    wrong: int = 0
    unscored: int = 0
    in_question: int = 0
    equals_answer: int = 0
    self_answered: int = 0

    def add(self, row: Row) -> None:
        """Count one more row."""
        self.rows += 1
        if isinstance(row, AnnotatedProblem):
            self.sources[row.source, row.license] += 1
            self._add_annotated(row)
        elif isinstance(row, TrainRow):
            self.sources[row.source, row.license] += 1
            self.kinds.update(annotation.kind for annotation in row.annotations)
            self.annotations_per_row[len(row.annotations)] += 1

    def _add_annotated(self, row: AnnotatedProblem) -> None:
        self.self_answered += row.answer_origin == "self"
        for trajectory in row.trajectories:
            self.trajectory_models[trajectory.model] += 1
            self.correct += trajectory.is_correct is True
            self.wrong += trajectory.is_correct is False
            self.unscored += trajectory.is_correct is None
        for annotation in row.annotations:
            self.kinds[annotation.kind] += 1
            self.support[annotation.support] += 1
            self.in_question += annotation.in_question
            self.equals_answer += annotation.equals_answer
        self.annotations_per_row[len(row.annotations)] += 1
