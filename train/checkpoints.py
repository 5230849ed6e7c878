"""Checkpoints on the disk: the last whole one, and what to make of a disk that is full."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What safetensors (Rust) and torch (C++) say, whose errors carry no number.
_FULL_TEXT = re.compile(
    r"os error (28|27|122)\b|No space left|File too large|Disk quota|file write failed"
    r"|PytorchStreamWriter failed"
)
_STATE = "trainer_state.json"


def whole_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints that were written to their end, by step.

    The trainer writes its state last, so a checkpoint without a readable one is half a checkpoint.
    """
    return [path for path in _checkpoints(folder) if _is_whole(path)]


def last_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint, or None where there is none."""
    whole = whole_checkpoints(folder)
    return whole[-1] if whole else None


def remove_broken_checkpoints(folder: Path) -> None:
    """Remove those whose writing was cut off: no run can go on from them."""
    for path in _checkpoints(folder):
        if not _is_whole(path):
            shutil.rmtree(path, ignore_errors=True)


def step_of(checkpoint: Path) -> int:
    """The optimiser steps behind a checkpoint."""
    return int(checkpoint.name.rpartition("-")[2])


def is_disk_full(error: BaseException) -> bool:
    """Whether writing failed for want of room, as far as its error tells."""
    return any(_says_full(one) for one in _chain(error))


def _checkpoints(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()]
    return sorted(found, key=step_of)


def _is_whole(checkpoint: Path) -> bool:
    try:
        return bool(json.loads((checkpoint / _STATE).read_bytes()))
    except (OSError, ValueError):
        return False


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return bool(_FULL_TEXT.search(str(error)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
