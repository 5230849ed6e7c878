"""The pictures of a source, each decoded once to see that it can be, and kept once.

Pictures inside the records lie in a temporary file, and pictures beside them stay where they are,
so that a source may be larger than the memory.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from ...images import load_image, read_image_file
from ...schemas.errors import InputError
from ...schemas.records import ProblemImage
from ..spool import Spool
from .values import is_missing, read_text, shown

_LAYOUT = """
CREATE TABLE inside (digest TEXT PRIMARY KEY, name TEXT, bytes BLOB);
CREATE TABLE beside (
    path TEXT, folder INTEGER, digest TEXT, PRIMARY KEY (path, folder)
) WITHOUT ROWID;
CREATE INDEX beside_by_digest ON beside (digest)
"""


class Pictures:
    """Pictures by the sha256 of their bytes, until `close`."""

    def __init__(self) -> None:
        self._spool = Spool(_LAYOUT)
        self._folders: list[Path] = []

    def close(self) -> None:
        """Give up the temporary file."""
        self._spool.close()

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
        query = "SELECT name, bytes FROM inside WHERE digest = ?"
        if inside := self._spool.execute(query, (digest,)).fetchone():
            name, data = inside
            return ProblemImage(bytes=data, path=name)
        query = "SELECT path, folder FROM beside WHERE digest = ? LIMIT 1"
        path, folder = self._spool.execute(query, (digest,)).fetchone()
        image = read_image_file(path, self._folders[folder], path)
        if _digest(image.bytes) != digest:
            raise InputError("unreadable_image", f"{path}: changed while it was read.")
        return image

    def _add_bytes(self, data: bytes, path: str | None, what: str) -> str:
        digest = _digest(data)
        query = "SELECT 1 FROM inside WHERE digest = ?"
        if not self._spool.execute(query, (digest,)).fetchone():
            load_image(data, what)
            values = (digest, _file_name(path, what), data)
            self._spool.execute("INSERT INTO inside VALUES (?, ?, ?)", values)
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
        if folder not in self._folders:
            self._folders.append(folder)
        place = (path, self._folders.index(folder))
        query = "SELECT digest FROM beside WHERE path = ? AND folder = ?"
        if known := self._spool.execute(query, place).fetchone():
            return str(known[0])
        data = read_image_file(path, folder, what).bytes
        load_image(data, what)
        digest = _digest(data)
        self._spool.execute("INSERT INTO beside VALUES (?, ?, ?)", (*place, digest))
        return digest


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
