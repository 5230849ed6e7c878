"""A file that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """The path to write to in the block; at its end the file takes its name, in one move.

    A reader never sees half of it, and an error in the block leaves what was there before.

    Args:
        path: in a folder that exists.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with written_whole(Path(folder) / "notes.txt") as new:
        ...         _ = new.write_text("all of it")
        ...     [found.name for found in Path(folder).iterdir()]
        ['notes.txt']
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # on a full disk, too
        raise
