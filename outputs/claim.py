"""May this run write this folder? Finished, unfinished, foreign and locked folders, told apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..schemas.errors import UsageError
from .rows import MANIFEST, RUN_FOLDER, RUN_STATE, read_manifest
from .whole import written_whole


def claim_folder(
    out: Path,
    held: ExitStack,
    *,
    stage: str,
    identity: dict[str, Any],
    overwrite: bool,
    discard: Callable[[], None] | None = None,
) -> None:
    """Lock the folder for this process and note the run in it, or refuse.

    Args:
        out: the folder; made when it is missing.
        held: takes the lock, which lasts until it is closed.
        stage: the command that asks; the folder of another one is refused.
        identity: what decides the run's result, as JSON values.
        overwrite: take a finished folder, or an unfinished one of another identity.
        discard: removes what such a folder holds, for a stage that writes where it lies; called
            before the run is noted. Killed in between, the folder is nobody's run to go on with.

    Raises:
        UsageError: as `StageFolder.start` says.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file. Name a folder with -o.")
    if not (out / RUN_STATE).is_file() and _has_foreign_files(out):
        raise UsageError(
            f"{out} holds files that pr1 did not make. Name a new or an empty folder with -o."
        )
    try:
        (out / RUN_FOLDER).mkdir(parents=True, exist_ok=True)
        held.enter_context(FileLock(out / RUN_FOLDER / "lock", timeout=0))
    except Timeout as error:
        raise UsageError(
            f"{out} is being written by another pr1 process. Wait for it, or name another folder."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written ({error.strerror}). Name another folder with -o."
        ) from error
    _refuse_finished(out, stage, overwrite)
    _refuse_other_run(out, stage, identity, overwrite)
    if discard is not None and not _is_run_of(out, identity):
        _note(out, {"stage": stage})
        discard()
    _note(out, identity)


def _is_run_of(out: Path, identity: dict[str, Any]) -> bool:
    """Whether the folder holds this very run, unfinished."""
    state = out / RUN_STATE
    is_noted = state.is_file() and json.loads(state.read_bytes()) == identity
    return is_noted and not (out / MANIFEST).is_file()


def _note(out: Path, identity: dict[str, Any]) -> None:
    with written_whole(out / RUN_STATE) as new:
        new.write_text(json.dumps(identity, ensure_ascii=True, indent=2), encoding="utf-8")


def _has_foreign_files(out: Path) -> bool:
    if not out.exists() or all(path.name.startswith(".") for path in out.iterdir()):
        return False
    try:
        read_manifest(out)
    except UsageError:
        return True
    return False


def _refuse_finished(out: Path, stage: str, overwrite: bool) -> None:
    if not (out / MANIFEST).is_file():
        return
    manifest = read_manifest(out)
    if manifest.stage != stage:
        raise UsageError(
            f"{out} holds the finished set of `pr1 {manifest.stage}`. Name another folder with -o."
        )
    if not overwrite:
        raise UsageError(
            f"{out} is finished ({manifest.counts.rows:,} rows, begun {manifest.started_at}). "
            "Give --overwrite to make it anew, which keeps the answers already paid for, "
            "or name another folder with -o."
        )


def _refuse_other_run(out: Path, stage: str, identity: dict[str, Any], overwrite: bool) -> None:
    path = out / RUN_STATE
    if not path.is_file():
        return
    try:
        before = dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{path} is damaged, so {out} cannot be resumed. Delete that file to start over."
        ) from error
    if before.get("stage") != stage:
        raise UsageError(
            f"{out} holds an unfinished run of `pr1 {before.get('stage')}`. "
            "Name another folder with -o."
        )
    differing = sorted(_differing_keys(before, identity))
    if differing and not overwrite:
        raise UsageError(
            f"{out} holds an unfinished run that differs in {', '.join(differing)}. Resume it with "
            "its own settings, start over with --overwrite (which keeps the answers already paid "
            "for), or name another folder with -o."
        )


def _differing_keys(before: Any, now: Any, prefix: str = "") -> Iterator[str]:
    if not (isinstance(before, dict) and isinstance(now, dict)):
        if before != now:
            yield prefix
        return
    for key in before.keys() | now.keys():
        inner = f"{prefix}.{key}" if prefix else key
        yield from _differing_keys(before.get(key), now.get(key), inner)
