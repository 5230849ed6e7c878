"""What was handed to a batch service and has not come back yet, kept across kills.

One SQLite file beside the response store. A chunk is what becomes one batch:

    written ──▶ intended ──▶ submitted ──▶ gone: each of its requests was answered, has failed or
                before the   after it,     is to be sent again
                submission   with its id

A chunk that is still `intended` when a run starts may or may not exist at the service: whoever
resumes looks for it there. An answered request leaves the ledger, for the response store has it.
No text of a request is kept here, and no key of a service.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from ...schemas.errors import RunStopped, UsageError
from ...schemas.manifest import Usage
from ..chat import ChatResponse, ModelIdentity, Purpose

LEDGER = "ledger.sqlite"
APPLICATION_ID = 0x70723162  # "pr1b", in the file's header

ChunkState = Literal["written", "intended", "submitted"]
EntryState = Literal["sent", "again", "failed"]

_LAYOUT = """
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    state TEXT NOT NULL,
    requests INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    newest_before TEXT,
    since_s REAL,
    batch_id TEXT,
    is_adopted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    form TEXT,
    chunk INTEGER,
    line INTEGER,
    state TEXT NOT NULL,
    unusable TEXT NOT NULL DEFAULT '[]',
    faults INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX entries_by_chunk ON entries (chunk);
"""


class Chunk(NamedTuple):
    """Requests that become one batch.

    Attributes:
        name: our own id of it, unique everywhere.
        usage: the most that its requests can consume.
        newest_before: the newest batch at the service before the submission, to tell an orphan by.
        since_s: when the submission began or the batch was made, in seconds since 1970.
        batch_id: the service's id, once it is known.
        is_adopted: it was found at the service, and may turn out to be somebody else's.
    """

    number: int
    name: str
    state: ChunkState
    requests: int
    usage: Usage
    newest_before: str | None
    since_s: float
    batch_id: str | None
    is_adopted: bool


class Entry(NamedTuple):
    """One request on its way.

    Attributes:
        key: its `request_key`, which is also its id in the batch.
        form: the name of its `response_model`, or None.
        chunk: the chunk that it was last put into, and its line there, from 1.
        unusable: the answers so far that could not be used; None for one that was no chat answer.
        faults: how often the service failed it or let it expire.
        code, message: of the last error.
    """

    key: str
    purpose: Purpose
    form: str | None
    chunk: int | None
    line: int | None
    state: EntryState
    unusable: tuple[ChatResponse | None, ...]
    faults: int
    code: str
    message: str


_ANSWERS = TypeAdapter(tuple[ChatResponse | None, ...])
_CHUNK = (
    "number, name, state, requests, tokens_in, tokens_out, newest_before, since_s, batch_id,"
    " is_adopted"
)
_ENTRY = "key, purpose, form, chunk, line, state, unusable, faults, code, message"


class Ledger:
    """The chunks and requests of one model, in the file `folder/ledger.sqlite`.

    Args:
        identity: whose chunks; those of another model are kept and not touched.

    Raises:
        UsageError: the file is damaged.
        RunStopped: it cannot be written.
    """

    def __init__(self, folder: Path, identity: ModelIdentity) -> None:
        self.path = folder / LEDGER
        self._service = " ".join(identity)
        folder.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._database = sqlite3.connect(self.path, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def chunks(self, *states: ChunkState) -> list[Chunk]:
        """The chunks in these states, in the order of their numbers."""
        marks = ", ".join("?" * len(states))
        query = f"SELECT {_CHUNK} FROM chunks WHERE service = ? AND state IN ({marks}) ORDER BY 1"
        return [_chunk(row) for row in self._execute(query, self._service, *states)]

    def known_batches(self) -> set[str]:
        """The service's ids of all batches that belong to a chunk, of any model."""
        query = "SELECT batch_id FROM chunks WHERE batch_id IS NOT NULL"
        return {row[0] for row in self._execute(query)}

    def forget_failures(self) -> None:
        """Give every request that failed for good a new chance, as every new run does."""
        self._execute("DELETE FROM entries WHERE state = 'failed'")

    def fail(self, key: str, purpose: str, code: str, message: str) -> None:
        """Keep that a request cannot be sent at all."""
        query = "INSERT OR REPLACE INTO entries (key, purpose, state, code, message)"
        self._execute(query + " VALUES (?, ?, 'failed', ?, ?)", key, purpose, code, message)

    def begin_chunk(self, name: str) -> int:
        """A new chunk's number, to `put` requests under; nothing stays without `end_chunk`."""
        self._execute("BEGIN IMMEDIATE")
        query = "INSERT INTO chunks (name, service, state, requests, tokens_in, tokens_out)"
        self._execute(query + " VALUES (?, ?, 'written', 0, 0, 0)", name, self._service)
        return int(next(self._execute("SELECT last_insert_rowid()"))[0])

    def put(self, number: int, line: int, key: str, purpose: str, form: str | None) -> None:
        """Add a request to the chunk that is being written, or move it there to be sent again."""
        query = "INSERT INTO entries (key, purpose, form, chunk, line, state)"
        query += " VALUES (?, ?, ?, ?, ?, 'sent') ON CONFLICT (key) DO UPDATE SET"
        query += " chunk = excluded.chunk, line = excluded.line, state = 'sent'"
        self._execute(query, key, purpose, form, number, line)

    def end_chunk(self, number: int, most: Usage) -> None:
        """Keep the chunk, whose requests can consume at most so much."""
        query = "UPDATE chunks SET requests = ?, tokens_in = ?, tokens_out = ? WHERE number = ?"
        self._execute(query, most.requests, most.tokens_in, most.tokens_out, number)
        self._execute("COMMIT")

    def intend(self, number: int, newest_before: str | None, now_s: float) -> None:
        """Note that the chunk is about to be submitted."""
        query = "UPDATE chunks SET state = 'intended', newest_before = ?, since_s = ?"
        self._execute_durably(query + " WHERE number = ?", newest_before, now_s, number)

    def submitted(self, number: int, batch_id: str, now_s: float, *, is_adopted: bool) -> None:
        """Note the service's id of the chunk's batch."""
        query = "UPDATE chunks SET state = 'submitted', batch_id = ?, since_s = ?, is_adopted = ?"
        self._execute_durably(query + " WHERE number = ?", batch_id, now_s, is_adopted, number)

    def rewind(self, number: int, state: ChunkState) -> None:
        """Take a chunk back whose batch the service does not run."""
        query = "UPDATE chunks SET state = ?, batch_id = NULL, is_adopted = 0 WHERE number = ?"
        self._execute(query, state, number)

    def dissolve(self, number: int) -> None:
        """Drop the chunk; those of its requests that are still `sent` are to be sent again."""
        self._execute("BEGIN IMMEDIATE")
        query = "UPDATE entries SET state = 'again', chunk = NULL, line = NULL"
        self._execute(query + " WHERE chunk = ? AND state = 'sent'", number)
        self._execute("DELETE FROM chunks WHERE number = ?", number)
        self._execute("COMMIT")

    def entry(self, key: str) -> Entry | None:
        """The request under this key, or None when it was not sent, or was answered."""
        row = next(self._execute(f"SELECT {_ENTRY} FROM entries WHERE key = ?", key), None)
        return None if row is None else _entry(row)

    def waiting_in(self, number: int) -> list[str]:
        """The keys of the chunk's requests that have no result yet."""
        query = "SELECT key FROM entries WHERE chunk = ? AND state = 'sent' ORDER BY line"
        return [row[0] for row in self._execute(query, number)]

    def entry_at(self, number: int, line: int) -> Entry | None:
        """The chunk's request on this line, from 1, while it has no outcome."""
        query = f"SELECT {_ENTRY} FROM entries WHERE chunk = ? AND line = ? AND state = 'sent'"
        row = next(self._execute(query, number, line), None)
        return None if row is None else _entry(row)

    def answered(self, key: str) -> None:
        """Forget a request whose answer the response store holds."""
        self._execute("DELETE FROM entries WHERE key = ?", key)

    def note(self, entry: Entry) -> None:
        """Keep what became of a request that was not answered."""
        query = "UPDATE entries SET state = ?, unusable = ?, faults = ?, code = ?, message = ?"
        unusable = _ANSWERS.dump_json(entry.unusable).decode()
        values = (entry.state, unusable, entry.faults, entry.code, entry.message, entry.key)
        self._execute(query + " WHERE key = ?", *values)

    def count(self, state: EntryState) -> int:
        """How many requests are in this state."""
        query = "SELECT count(*) FROM entries WHERE state = ?"
        return int(next(self._execute(query, state))[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _execute(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with self._explained():
            return iter(self._database.execute(query, values).fetchall())

    def _execute_durably(self, query: str, *values: object) -> None:
        """Not even a power cut loses it: a batch that nobody remembers is paid for in vain."""
        self._execute("PRAGMA synchronous = FULL")
        self._execute(query, *values)
        self._execute("PRAGMA synchronous = NORMAL")

    def _prepare(self) -> None:
        execute = self._database.execute
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise self._unusable("it is a database of another program")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        if not tables:
            layout = f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; {_LAYOUT} COMMIT;"
            self._database.executescript(layout)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            message = f"{self.path}: the ledger of the batches cannot be used ({error}). Free disk "
            message += "space and check the folder's rights; the same command goes on."
            raise RunStopped(message) from error
        except sqlite3.DatabaseError as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, reason: str) -> UsageError:
        return UsageError(
            f"{self.path}: not a usable ledger of batches ({reason}). Move it away and run again; "
            "batches that are under way will be paid for and not collected."
        )


def _chunk(row: tuple[Any, ...]) -> Chunk:
    number, name, state, requests, tokens_in, tokens_out, before, since_s, batch_id, adopted = row
    usage = Usage(tokens_in=tokens_in, tokens_out=tokens_out, requests=requests)
    return Chunk(number, name, state, requests, usage, before, since_s, batch_id, bool(adopted))


def _entry(row: tuple[Any, ...]) -> Entry:
    key, purpose, form, chunk, line, state, unusable, faults, code, message = row
    answers = _ANSWERS.validate_json(unusable)
    return Entry(key, purpose, form, chunk, line, state, answers, faults, code, message)
