"""What a run has to look up again and memory should not hold, in a temporary database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..schemas.errors import RunStopped

KIB_IN_MEMORY = 4096


class Spool:
    """A SQLite database in the folder for temporary files; it goes with the process, even killed.

    A few MiB of it are in memory, however much is put into it. It has no transactions: what breaks
    it breaks the run.

    Args:
        layout: the statements that make its tables.

    Raises:
        RunStopped: there is no room for temporary files; so does every method.
    """

    def __init__(self, layout: str) -> None:
        # An empty name is a database that SQLite makes, unlinks and writes to when it grows.
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{KIB_IN_MEMORY}"):
            self.execute(f"PRAGMA {pragma}")
        self.execute("BEGIN")
        for statement in layout.split(";"):
            self.execute(statement)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """The statement's rows."""
        try:
            return self._database.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise RunStopped(
                f"The folder for temporary files cannot be written ({error}). Set TMPDIR to a "
                "folder with room for the source, and run again."
            ) from error

    def close(self) -> None:
        """Give up the database."""
        self._database.close()
