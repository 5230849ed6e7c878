"""The review file, as it is read: whose decisions it holds, and up to where it is whole.

    OUT/              the folder that is reviewed; never changed
    OUT.review.jsonl  line 1: which folder (`ReviewHeader`); then a `Decision` a line

A line in the midst that cannot be read is an error, because somebody's decision stood there. Half a
line at the end, as a kill or a power cut leaves it, was never shown as saved, and is passed over.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from ..outputs.rows import data_files, read_manifest
from ..schemas.errors import UsageError
from .decisions import Decision, ReviewHeader

ModelT = TypeVar("ModelT", bound=BaseModel)


class Review(NamedTuple):
    """What a review file holds.

    Attributes:
        decisions: in the order in which they were made, undone ones included.
        content: the file's bytes up to the end of its last whole line.
        cut_off: how many bytes stand behind them.
    """

    decisions: list[Decision]
    content: bytes
    cut_off: int

    @property
    def counting(self) -> list[Decision]:
        """The decisions that were not undone, in order; no undos."""
        undone = {one.undoes for one in self.decisions if one.action == "undo"}
        kept = (one for one in self.decisions if one.action != "undo")
        return [one for one in kept if one.number not in undone]


def review_path(folder: Path) -> Path:
    """Where the folder's decisions lie: beside it, since a stage's folder is never changed."""
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}.review.jsonl")


def header_of(folder: Path) -> ReviewHeader:
    """What ties a review to the folder's rows.

    Raises:
        UsageError: as `read_manifest`.
    """
    manifest = read_manifest(folder)
    names = "\n".join(f"{path.name} {path.stat().st_size}" for path in data_files(folder))
    return ReviewHeader(
        stage=manifest.stage,
        identity_hash=manifest.identity_hash,
        rows_hash=hashlib.sha256(names.encode()).hexdigest(),
    )


def read_review(folder: Path) -> Review:
    """The decisions on a folder's rows. It may be read while a page writes it.

    Raises:
        UsageError: there is no review, it is another folder's, a line of it is damaged, or it
            cannot be read.
    """
    header, path = header_of(folder), review_path(folder)
    if not path.is_file():
        raise UsageError(f"{path}: there is no review. Make one with `pr1 review {folder}`.")
    try:
        return parsed_review(path, header)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error


def parsed_review(path: Path, header: ReviewHeader) -> Review:
    """The content of a review file; empty where it was never begun.

    Raises:
        UsageError: it is another folder's, or a line of it is damaged.
        OSError: it cannot be read.
    """
    found = path.read_bytes() if path.exists() else b""
    content = found[: found.rfind(b"\n") + 1]
    cut_off = len(found) - len(content)
    if not content:  # killed while it began the file, or never begun
        if not line_of(header).startswith(found):
            raise _no_review(path)
        return Review([], b"", cut_off)
    first, *lines = content[:-1].split(b"\n")
    theirs = _parsed(ReviewHeader, first)
    if theirs is None:
        raise _no_review(path)
    if theirs != header:
        raise UsageError(
            f"{path} reviews another set than the one that lies beside it now. "
            "Move it away to begin anew, or bring back the folder that it belongs to."
        )
    decisions = []
    for number, line in enumerate(lines, 1):
        decision = _parsed(Decision, line)
        if decision is None or decision.number != number or (decision.undoes or 0) >= number:
            raise UsageError(
                f"{path}:{number + 1}: decision {number} should stand here and cannot be read. "
                "Restore the file from a copy."
            )
        decisions.append(decision)
    return Review(decisions, content, cut_off)


def line_of(record: BaseModel) -> bytes:
    """The record as a line of the file."""
    return record.model_dump_json(exclude_none=True).encode() + b"\n"


def _parsed(model: type[ModelT], line: bytes) -> ModelT | None:
    try:
        return model.model_validate_json(line)
    except ValidationError:
        return None


def _no_review(path: Path) -> UsageError:
    return UsageError(f"{path}:1: this is no review that pr1 reads. Move it away to begin one.")
