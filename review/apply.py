"""`pr1 review apply`: a reviewed folder and its decisions in, the corrected set out.

The corrected set is of the stage of the folder that was reviewed, so that whatever reads the one
reads the other. What nobody decided on stays as it was. Of the rest:

    accepted    a rejected annotation comes in; one that was in stays
    edited      comes in with its new words, its quote and the extractor `reviewer`
    added       comes in with the selected words as its quote
    rejected    goes to the row's rejected ones, as `by_reviewer`; a training row has none

Annotations are numbered anew. A row that loses its last one is dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..outputs.folder import StageFolder
from ..outputs.provenance import file_hashes
from ..outputs.rows import past_stages, read_manifest
from ..schemas.config import RunConfig
from ..schemas.errors import InputError, UsageError
from ..schemas.manifest import Dropped, Failure, Manifest
from ..schemas.records import AnnotatedProblem, NonEmpty, Row, TrainRow
from .corrections import corrected
from .decisions import Decision
from .file import Review, read_review, review_path
from .rows import ROW_MODELS, ReviewSet
from .state import with_decisions
from .views import as_review_row

STAGE = "review"


class ReviewConfig(RunConfig):
    """`pr1 review apply`.

    Attributes:
        reviewed: the folder whose rows are corrected.
        review: the file of the decisions.
    """

    reviewed: NonEmpty
    review: NonEmpty


def apply_review(folder: Path, out: Path, *, overwrite: bool = False) -> Manifest:
    """The manifest of the corrected set that was written to `out`.

    Args:
        folder: what `pr1 annotate` or `pr1 filter` made, with its review beside it.
        out: the folder to write.
        overwrite: make a finished folder anew.

    Raises:
        UsageError: there is no review, or not of this folder; nothing can be corrected in it; a row
            file is damaged; or `out` is refused.
    """
    rows = ReviewSet(folder)
    if rows.stage == "judge":
        raise UsageError(
            f"{folder} holds verdicts, which are no part of a set to train on. Name a file "
            "for the labels: pr1 review apply FOLDER -o labels.jsonl."
        )
    if out.resolve() == folder.resolve():
        raise UsageError(f"{out} is the reviewed folder itself. Name another one with -o.")
    review = read_review(folder)
    path = review_path(folder)
    with StageFolder.start(
        out,
        stage=rows.stage,
        config=ReviewConfig(reviewed=str(folder), review=str(path)),
        parents={
            **file_hashes(folder),
            path.name: hashlib.sha256(review.content).hexdigest(),
        },
        prompts={},
        history=past_stages(folder),
        overwrite=overwrite,
        row_model=ROW_MODELS[rows.stage],
    ) as stage:
        run = _Correction(stage, review)
        for number, record in enumerate(rows.records()):
            run.take(number, record)
        return stage.finish(
            read=rows.total,
            facts=run.facts() | _kept_facts(read_manifest(folder)),
            rejected_by_reason=run.rejected,
        )


class _Correction:
    """One pass over the rows."""

    def __init__(self, stage: StageFolder, review: Review) -> None:
        self.rejected: Counter[str] = Counter()
        self._stage = stage
        self._of_row: dict[str, list[Decision]] = defaultdict(list)
        for decision in review.counting:
            self._of_row[decision.row].append(decision)
        self._reviewed: set[str] = set()
        self._counts: Counter[str] = Counter()

    def take(self, number: int, record: Row | InputError) -> None:
        """Write, drop or fail the row."""
        if isinstance(record, InputError):
            self._fail(f"row {number}", record.code, record.message)
            return
        assert isinstance(record, AnnotatedProblem | TrainRow)
        decisions = self._of_row.get(record.id)
        if not decisions:
            self._write(record)
            return
        self._reviewed.add(record.id)
        present = with_decisions(as_review_row(record, number), decisions)
        try:
            row = corrected(record, present)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            message = f"row {record.id!r}: a decision cannot be applied ({reason}). Correct it."
            self._fail(record.id, "wrong_decision", message)
            return
        if record.annotations and not row.annotations:
            detail = f"the review rejected all {len(record.annotations)}"
            self._stage.drop(
                Dropped(id=record.id, stage=STAGE, reason="no_annotation", detail=detail)
            )
            return
        self._counts["rows_changed"] += row != record
        self._write(row)

    def facts(self) -> dict[str, Any]:
        """What the manifest and the card say of the review."""
        decisions = [one for row in self._reviewed for one in self._of_row[row]]
        actions = Counter(one.action for one in decisions)
        return {
            "reviewed_by": ", ".join(sorted({one.who for one in decisions})),
            "rows_reviewed": len(self._reviewed),
            "rows_called_done": len({one.row for one in decisions if one.action == "done"}),
            "rows_changed": self._counts["rows_changed"],
            "rows_not_reviewed": self._counts["rows"] - self._counts["reviewed_rows"],
            "annotations": self._counts["annotations"],
            "decisions": dict(sorted(actions.items())),
        }

    def _write(self, row: AnnotatedProblem | TrainRow) -> None:
        self._counts["rows"] += 1
        self._counts["reviewed_rows"] += row.id in self._reviewed
        self._counts["annotations"] += len(row.annotations)
        if isinstance(row, AnnotatedProblem):
            self.rejected.update(one.reason for one in row.rejected)
        self._stage.write_row(row)

    def _fail(self, id_: str, code: str, message: str) -> None:
        self._stage.fail(Failure(id=id_, stage=STAGE, error=code, message=message))


def _kept_facts(before: Manifest) -> dict[str, Any]:
    """What a training row no longer says, and its stage counted."""
    return {key: before.facts[key] for key in ("self_answered",) if key in before.facts}
