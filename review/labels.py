"""A person's verdicts on judged completions, as labels that `pr1 judge --calibrate` reads."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ..outputs.whole import written_whole
from ..schemas.errors import UsageError
from ..schemas.outcomes import JudgedRow
from .decisions import Decision
from .file import read_review
from .rows import ReviewSet
from .state import with_decisions
from .views import as_review_row


def write_labels(folder: Path, out: Path, *, overwrite: bool = False) -> int:
    """How many labels were written to `out`: a line for each verdict accepted or corrected.

    Args:
        folder: what `pr1 judge` made, with its review beside it.
        out: a file of JSON Lines, written whole or not at all.
        overwrite: replace such a file.

    Raises:
        UsageError: there is no review, or not of this folder; the folder holds no verdicts; nobody
            has said anything of one; or `out` is there already or cannot be written.
    """
    rows = ReviewSet(folder)
    if rows.stage != "judge":
        raise UsageError(
            f"{folder} is an output of `pr1 {rows.stage}`, and labels come from `pr1 judge`'s."
        )
    if out.is_dir() or (out.exists() and not overwrite):
        raise UsageError(f"{out} is there already. Name another file with -o, or --overwrite it.")
    try:
        with written_whole(out) as new, new.open("w", encoding="utf-8", newline="\n") as file:
            count = sum(bool(file.write(f"{line}\n")) for line in _labels(rows))
            if not count:
                raise UsageError(
                    f"{folder}: nobody has accepted or corrected a verdict yet. "
                    f"Do so with `pr1 review {folder}`."
                )
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}). Name another.") from error
    return count


def _labels(rows: ReviewSet) -> Iterator[str]:
    of_row: dict[str, list[Decision]] = defaultdict(list)
    for decision in read_review(rows.folder).counting:
        of_row[decision.row].append(decision)
    for number, record in enumerate(rows.records()):
        if not isinstance(record, JudgedRow) or record.id not in of_row:
            continue  # what cannot be read was not reviewed, either
        present = with_decisions(as_review_row(record, number), of_row[record.id])
        for one in present.annotations:
            if one.decided_verdict is not None:
                label = {
                    "annotation": one.statement,
                    "completion": record.completion,
                    "label": one.decided_verdict,
                    "kind": one.kind,
                }
                yield json.dumps(label, ensure_ascii=False)
