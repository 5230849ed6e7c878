"""A person's decisions on a folder's rows: what a line of the review file says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..schemas.outcomes import VerdictWord
from ..schemas.records import AnnotationKind, NonEmpty, Record, Row

Action = Literal["accept", "reject", "edit", "add", "verdict", "comment", "done", "undo"]

MOST_STATEMENT = 1_000
MOST_COMMENT = 10_000


class ReviewHeader(Row):
    """Line 1: which folder the review belongs to.

    Attributes:
        stage: of the folder.
        identity_hash: of the folder's manifest.
        rows_hash: sha256 over the names and sizes of its row files (names carry a content digest).
    """

    stage: NonEmpty
    identity_hash: str
    rows_hash: str


class Choice(Record):
    """What a person wants done with a row, as the page sends it.

    Attributes:
        row: the row's id.
        action: `accept`, `reject` or `edit` an annotation, or `add` one; say a `verdict` (judged
            rows); `comment` on the row; the row is `done`; `undo` the decision `undoes`.
        target: the annotation: `a3` is number 3 of the row's annotations, `r2` the second rejected
            one, `n17` the one that decision 17 added.
        statement: the new words, for `edit` and `add`.
        kind: for `edit` and `add`; None leaves it, or is `other`.
        trajectory_id, start, end: the selected words, for `add`; None where none were selected.
        text: for `comment`; empty removes the comment.
        undoes: for `undo`: the decision that counts no longer.
    """

    row: NonEmpty
    action: Action
    target: str | None = None
    statement: str | None = Field(default=None, max_length=MOST_STATEMENT)
    kind: AnnotationKind | None = None
    trajectory_id: str | None = None
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    verdict: VerdictWord | None = None
    text: str | None = Field(default=None, max_length=MOST_COMMENT)
    undoes: int | None = Field(default=None, ge=1)


class Decision(Choice):
    """A choice that was taken: a line of the review file.

    Attributes:
        number: 1, 2, ... in the file.
        at: in UTC, ISO 8601 with seconds.
        who: the reviewer's name.
    """

    number: int = Field(ge=1)
    at: str
    who: NonEmpty
