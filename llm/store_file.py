"""The file of a response store: its layout, its transactions, and what its faults mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schemas.errors import RunStopped, UsageError
from ..schemas.manifest import Usage

APPLICATION_ID = 0x70723173  # "pr1s", in the file's header: tells our files from others
LAYOUT_VERSION = 1
BUSY_TIMEOUT_S = 30.0

_ANSWERS = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    response TEXT NOT NULL
) STRICT
"""
_SPENT = """
CREATE TABLE spent (
    tokens_in INTEGER NOT NULL,
    tokens_cached INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost_usd REAL,
    requests INTEGER NOT NULL
) STRICT
"""
# A store from before there was this table has spent at least what its answers say.
_SPENT_SO_FAR = """
INSERT INTO spent SELECT
    coalesce(sum(json_extract(response, '$.tokens_in')), 0),
    coalesce(sum(json_extract(response, '$.tokens_cached')), 0),
    coalesce(sum(json_extract(response, '$.tokens_out')), 0),
    NULL, count(*) FROM answers WHERE json_valid(response)
"""


def open_store_file(path: Path) -> sqlite3.Connection:
    """The store's database, laid out if the file is new or empty; a foreign one is left untouched.

    Raises:
        UsageError: the file is damaged or was made by something else.
        RunStopped: it cannot be read or written.
    """
    with explained(path):
        database = sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None)
        try:
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside is stored when the block ends, or nothing of it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # after some faults SQLite has taken it back by itself
            database.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns the database's faults into errors that say what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RunStopped(
            f"{path}: the response store cannot be used ({error}). Free disk space, check the "
            "folder's rights, or wait for the other run; then run again: what was stored is kept."
        ) from error
    except sqlite3.DatabaseError as error:
        raise unusable(path, str(error)) from error


def unusable(path: Path, reason: str) -> UsageError:
    """The error for a file that is no store, or is one no more."""
    return UsageError(
        f"{path}: not a usable response store ({reason}). Move it away and run again; "
        "the answers in it will be asked for anew."
    )


def check_origin(database: sqlite3.Connection, path: Path) -> None:
    """Returns when the database is a store of this layout, or empty.

    Raises:
        UsageError: it is something else's.
    """
    # The tables first: another process that lays the file out writes both in one transaction.
    has_tables = _value(database, "SELECT count(*) FROM sqlite_master") > 0
    found = (_value(database, "PRAGMA application_id"), _value(database, "PRAGMA user_version"))
    if has_tables and found != (APPLICATION_ID, LAYOUT_VERSION):
        raise unusable(path, "it is a database of another program or version")


def has_spent(database: sqlite3.Connection) -> bool:
    """Whether the file has the table of what was spent, which older ones lack."""
    return _value(database, "SELECT count(*) FROM sqlite_master WHERE name = 'spent'") > 0


def read_spent(database: sqlite3.Connection) -> Usage:
    """What the store's table says."""
    names = list(Usage.model_fields)
    row = database.execute(f"SELECT {', '.join(names)} FROM spent").fetchone()
    return Usage(**dict(zip(names, row, strict=True)))


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    check_origin(database, path)
    _enter_wal_mode(database)
    database.execute("PRAGMA synchronous = NORMAL")
    if has_spent(database):
        return
    with transaction(database):
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {LAYOUT_VERSION}")
        database.execute(_ANSWERS)
        if not has_spent(database):  # another process may have been faster
            database.execute(_SPENT)
            database.execute(_SPENT_SO_FAR)


def _enter_wal_mode(database: sqlite3.Connection) -> None:
    """Waits while another process makes the file: SQLite itself does not at this one step."""
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.02)


def _value(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])
