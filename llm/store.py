"""The answers of a run, kept so that nothing is sent or paid for twice.

One SQLite file in WAL mode: a killed process loses no stored answer, and two processes may share
it. It holds hashes of what was asked and the texts of what was answered, and never a key.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from ..schemas.errors import RunStopped, UsageError
from .chat import ChatImage, ChatRequest, ChatResponse, ModelIdentity
from .http import to_json

APPLICATION_ID = 0x70723173  # "pr1s", in the file's header: tells our files from others
LAYOUT_VERSION = 1
BUSY_TIMEOUT_S = 30.0

_LAYOUT = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    response TEXT NOT NULL
) STRICT
"""


class ResponseStore:
    """Answers by request, in the file `path`; made when it is not there.

    Use it in the thread that opened it, and close it, or use it as a context manager.

    Raises:
        UsageError: the file is damaged or was made by something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._database = sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def get(self, key: str) -> ChatResponse | None:
        """The answer stored under a `request_key`, or None.

        Raises:
            UsageError: the file is damaged.
        """
        with self._explained():
            query = "SELECT response FROM answers WHERE key = ?"
            row = self._database.execute(query, (key,)).fetchone()
        try:
            return ChatResponse.model_validate_json(row[0]) if row else None
        except ValidationError as error:
            raise self._unusable(f"the answer {key} is not readable") from error

    def put(self, key: str, purpose: str, response: ChatResponse) -> None:
        """Store an answer; when this returns, no crash of the process loses it.

        Raises:
            RunStopped: the disk is full or the file stays locked.
            UsageError: the file is damaged.
        """
        values = (key, purpose, response.model, response.model_dump_json())
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", values)

    def count(self) -> int:
        """How many answers there are."""
        with self._explained():
            return int(self._database.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        """Lay out a new file; refuse, untouched, one that is not ours."""
        execute = self._database.execute
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application_id = execute("PRAGMA application_id").fetchone()[0]
        version = execute("PRAGMA user_version").fetchone()[0]
        if tables and (application_id, version) != (APPLICATION_ID, LAYOUT_VERSION):
            raise self._unusable("it is a database of another program or version")
        self._enter_wal_mode()
        execute("PRAGMA synchronous = NORMAL")
        if not tables:
            execute("BEGIN IMMEDIATE")
            execute(f"PRAGMA application_id = {APPLICATION_ID}")
            execute(f"PRAGMA user_version = {LAYOUT_VERSION}")
            execute(_LAYOUT)
            execute("COMMIT")

    def _enter_wal_mode(self) -> None:
        """Waits while another process makes the file: SQLite itself does not at this one step."""
        give_up = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > give_up:
                    raise
            time.sleep(0.02)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns the database's faults into errors that say what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            message = f"{self.path}: the response store cannot be used ({error}). Free disk space, "
            message += "check the folder's rights, or wait for the other run; then run again."
            raise RunStopped(message) from error
        except sqlite3.DatabaseError as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, reason: str) -> UsageError:
        return UsageError(
            f"{self.path}: not a usable response store ({reason}). Move it away and run again; "
            "the answers in it will be asked for anew."
        )


def request_key(identity: ModelIdentity, request: ChatRequest) -> str:
    """Hash of everything that decides an answer, and of what the answer is for.

    Raises:
        BadRequest: a text cannot be written as UTF-8.
    """
    values = {
        "layout": LAYOUT_VERSION,
        **identity._asdict(),
        "purpose": request.purpose,
        "sample_index": request.sample_index,
        "messages": [[m.role, [_canonical(part) for part in m.parts]] for m in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": float(request.temperature),
        "seed": request.seed,
        "schema": request.response_model and _schema_hash(request.response_model),
    }
    return hashlib.sha256(to_json(values, sort_keys=True)).hexdigest()


def _canonical(part: str | ChatImage) -> str | dict[str, Any]:
    return part if isinstance(part, str) else {"sha256": part.sha256, "type": part.media_type}


@cache
def _schema_hash(model: type[BaseModel]) -> str:
    return hashlib.sha256(json.dumps(model.model_json_schema()).encode()).hexdigest()
