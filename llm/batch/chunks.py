"""Requests as files, each under the limits of one batch."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ...schemas.errors import RunStopped
from ...schemas.manifest import Usage
from .ledger import Chunk, Ledger
from .service import Limits


def chunk_path(folder: Path, name: str) -> Path:
    """Where a chunk's file lies."""
    return folder / f"{name}.jsonl"


def remove_leftovers(folder: Path, kept: list[Chunk]) -> None:
    """Remove the files of chunks that a killed run did not finish writing, or has collected."""
    names = {chunk.name for chunk in kept}
    for path in folder.glob("*.jsonl"):
        if path.stem not in names:
            path.unlink()


class ChunkWriter:
    """Writes requests into chunk files and the ledger, a new one whenever one is full.

    A chunk is noted in the ledger when its file is complete; what an exception leaves unfinished
    disappears with the ledger's transaction. Use it in a `with` block.
    """

    def __init__(self, folder: Path, ledger: Ledger, limits: Limits) -> None:
        self.numbers: list[int] = []
        self._folder = folder
        self._ledger = ledger
        self._limits = limits
        self._file: BinaryIO | None = None
        self._ended = self._usage = Usage()
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def usage_with(self, most: Usage) -> Usage:
        """The most that all chunks so far could consume with a request that consumes `most`."""
        return self._ended + self._usage + most

    def add(self, line: bytes, key: str, purpose: str, form: str | None, most: Usage) -> None:
        """Write a request; `most` is what it can consume.

        Raises:
            RunStopped: the disk is full.
        """
        is_full = self._usage.requests == self._limits.requests
        if is_full or self._bytes + len(line) > self._limits.bytes:
            self.end_chunk()
        with self._explained():
            if self._file is None:
                name = secrets.token_hex(16)
                self.numbers.append(self._ledger.begin_chunk(name))
                self._file = chunk_path(self._folder, name).open("xb")
            self._file.write(line)
        self._usage += most
        self._bytes += len(line)
        self._ledger.put(self.numbers[-1], self._usage.requests, key, purpose, form)

    def end_chunk(self) -> None:
        """Complete the chunk that is being written, if there is one."""
        if self._file is None:
            return
        with self._explained():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._ledger.end_chunk(self.numbers[-1], self._usage)
        self._ended += self._usage
        self._file, self._usage, self._bytes = None, Usage(), 0

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunStopped(
                f"{self._folder}: a batch's requests cannot be written ({error.strerror}). Free "
                "disk space; the same command goes on."
            ) from error
