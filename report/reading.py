"""One reading of a folder's rows, a batch in memory at a time: counts, lengths, and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..outputs.rows import read_rows
from ..outputs.tally import RowTally
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from ..schemas.outcomes import JudgedRow
from ..schemas.records import AnnotatedProblem, Row, TrainRow
from .examples import Shelf, shelves

ROW_MODELS: dict[str, type[Row]] = {
    "collect": AnnotatedProblem,
    "annotate": AnnotatedProblem,
    "filter": TrainRow,
    "judge": JudgedRow,
}
PARTS = ("format", "accuracy", "visual")
FIFTHS = ("0", "up to 0.2", "up to 0.4", "up to 0.6", "up to 0.8", "below 1", "1")


@dataclass
class Reading:
    """What the rows hold.

    Attributes:
        shelves: the examples.
        tally: as the dataset card counts.
        statements, texts: characters -> how many annotations; how many trajectories, or
            completions, have so many.
        verdicts: of a judge, by word.
        without_verdicts: completions that broke the judge.
        scored, sums: by part of the reward: rows that have it, and the sum of their scores.
        visual: rows by their visual score, in the steps of `FIFTHS`.
    """

    shelves: list[Shelf]
    tally: RowTally = field(default_factory=RowTally)
    statements: Counter[int] = field(default_factory=Counter)
    texts: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    without_verdicts: int = 0
    scored: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    visual: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one more row."""
        self.tally.add(row)
        for shelf in self.shelves:
            shelf.offer(row)
        if isinstance(row, AnnotatedProblem | TrainRow | JudgedRow):
            for annotation in row.annotations:
                self.statements[len(annotation.statement)] += 1
        if isinstance(row, AnnotatedProblem):
            for trajectory in row.trajectories:
                self.texts[len(trajectory.text)] += 1
        elif isinstance(row, JudgedRow):
            self._add_judged(row)

    def _add_judged(self, row: JudgedRow) -> None:
        self.texts[len(row.completion)] += 1
        self.tally.kinds.update(annotation.kind for annotation in row.annotations)
        self.tally.annotations_per_row[len(row.annotations)] += 1
        self.verdicts.update(one.verdict for one in row.judgement.verdicts or [])
        self.without_verdicts += row.judgement.failure is not None
        for part in PARTS:
            score = getattr(row.reward, part)
            if score is not None:
                self.scored[part] += 1
                self.sums[part] += score
        if row.reward.visual is not None:
            self.visual[_fifth(row.reward.visual)] += 1


def read_folder(folder: Path, manifest: Manifest) -> Reading:
    """What the rows of a finished dataset stage hold.

    Raises:
        UsageError: the stage is one that is not known, or its rows are damaged or incomplete.
    """
    row_model = ROW_MODELS.get(manifest.stage)
    if row_model is None:
        raise UsageError(
            f"{folder} was made by `pr1 {manifest.stage}`, of which there is no report. Give a "
            f"folder of {', '.join(ROW_MODELS)} or train."
        )
    reading = Reading(shelves(manifest.stage))
    for row in read_rows(folder, row_model):
        reading.add(row)
    return reading


def _fifth(score: float) -> str:
    if score in (0, 1):
        return FIFTHS[0] if score == 0 else FIFTHS[-1]
    return next((label for label in FIFTHS[1:5] if score <= float(label.split()[-1])), FIFTHS[5])
