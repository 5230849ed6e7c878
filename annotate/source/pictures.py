"""The pictures of a source, each decoded once to see that it can be, and kept once.

Pictures inside the records lie in one temporary file and pictures beside them stay where they are,
so that a source may be larger than the memory.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ...images import load_image, read_image_file
from ...schemas.errors import InputError
from ...schemas.records import ProblemImage
from .values import is_missing, read_text, shown


class _Spilled(NamedTuple):
    offset: int
    size: int
    name: str | None


class _Beside(NamedTuple):
    path: str
    folder: Path


class Pictures:
    """Pictures by the sha256 of their bytes, until `close`."""

    def __init__(self) -> None:
        self._kept: dict[str, _Spilled | _Beside] = {}
        self._digests: dict[_Beside, str] = {}
        self._spill = tempfile.TemporaryFile(prefix="pr1-")  # noqa: SIM115 - closed by `close`

    def close(self) -> None:
        """Give up the temporary file."""
        self._spill.close()

    def add(self, value: Any, folder: Path | None, what: str) -> str:
        """The sha256 under which the picture is kept from now on.

        Args:
            value: encoded bytes, a path relative to `folder`, a data URL, or
                `{"bytes", "path"}`.
            folder: where paths start and which they may not leave; None where there are no files.
            what: names the value in messages.

        Raises:
            InputError: `unreadable_image`, `oversized_image`, `image_not_found`,
                `image_outside_folder`, `image_is_url`, `nul_byte` or `wrong_type`.
        """
        name = None
        if isinstance(value, dict):
            name = value.get("path") if isinstance(value.get("path"), str) else None
            data = value.get("bytes")
            # JSON holds bytes as base64.
            value = _decode_base64(data, what) if isinstance(data, str) and data else data or name
        elif isinstance(value, str) and value[:5].lower() == "data:":
            value = _decode_data_url(value, what)
        if isinstance(value, bytes):
            return self._add_bytes(value, name, what)
        if isinstance(value, str):
            return self._add_file(read_text(value, what), folder, what)
        raise InputError("wrong_type", f"{what} is {shown(value)}; a path or bytes are needed.")

    def get(self, digest: str) -> ProblemImage:
        """The picture with that sha256.

        Raises:
            InputError: `image_not_found` or another code: its file changed since it was added.
        """
        kept = self._kept[digest]
        if isinstance(kept, _Spilled):
            self._spill.seek(kept.offset)
            return ProblemImage(bytes=self._spill.read(kept.size), path=kept.name)
        image = read_image_file(kept.path, kept.folder, kept.path)
        if _digest(image.bytes) != digest:
            raise InputError("unreadable_image", f"{kept.path}: changed while it was read.")
        return image

    def _add_bytes(self, data: bytes, path: str | None, what: str) -> str:
        digest = _digest(data)
        if digest not in self._kept:
            load_image(data, what)
            offset = self._spill.seek(0, 2)
            self._spill.write(data)
            self._kept[digest] = _Spilled(offset, len(data), _file_name(path, what))
        return digest

    def _add_file(self, path: str, folder: Path | None, what: str) -> str:
        if "://" in path:
            message = (
                f"{what} is {shown(path)}: pictures are not fetched. Download it, name the file."
            )
            raise InputError("image_is_url", message)
        if folder is None:
            message = f"{what} is only the path {shown(path)}; a hub dataset must hold the bytes."
            raise InputError("image_not_found", message)
        beside = _Beside(path, folder)
        if beside not in self._digests:
            data = read_image_file(path, folder, what).bytes
            load_image(data, what)
            self._digests[beside] = _digest(data)
            self._kept.setdefault(self._digests[beside], beside)
        return self._digests[beside]


def _file_name(path: str | None, what: str) -> str | None:
    """The path's last part: the folders above it are somebody's machine."""
    if is_missing(path) or path is None:
        return None
    return read_text(path, what).replace("\\", "/").rsplit("/", 1)[-1] or None


def _decode_data_url(url: str, what: str) -> bytes:
    header, _, data = url.partition(",")
    if not header.lower().endswith(";base64"):
        raise InputError("unreadable_image", f"{what} is a data URL, but not one in base64.")
    return _decode_base64(data, what)


def _decode_base64(data: str, what: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise InputError("unreadable_image", f"{what} holds broken base64.") from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
