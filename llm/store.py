"""The answers of a run and what they cost, kept so that nothing is sent or paid for twice.

One SQLite file in WAL mode. It holds hashes of what was asked and the texts of what was answered,
and never a key. What it withstands:

- a killed process loses no stored answer;
- a power cut may lose the answers of the last moments (`synchronous = NORMAL` does not wait for the
  disk after each of them); the file opens clean, with those that were stored before;
- a full disk ends the run with an error; all that was stored before stays;
- two processes may share a file: each waits for the other's transaction.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ValidationError

from ..schemas.manifest import Usage
from .chat import ChatImage, ChatRequest, ChatResponse, ModelIdentity
from .http import to_json
from .store_file import (
    LAYOUT_VERSION,
    explained,
    open_store_file,
    read_spent,
    transaction,
    unusable,
)

NOTHING_SPENT = Usage()

_SPEND = """
UPDATE spent SET tokens_in = tokens_in + ?, tokens_cached = tokens_cached + ?,
    tokens_out = tokens_out + ?, requests = requests + ?,
    cost_usd = CASE WHEN ?5 IS NULL THEN cost_usd ELSE coalesce(cost_usd, 0) + ?5 END
"""


class _Answer(NamedTuple):
    """A row of the table `answers`."""

    key: str
    purpose: str
    model: str
    response: str


class ResponseStore:
    """Answers by request, in the file `path`; made when it is not there.

    Use it in the thread that opened it, and close it, or use it as a context manager.

    Raises:
        UsageError: the file is damaged or was made by something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = open_store_file(path)
        self._unsaved: dict[str, _Answer] = {}
        self._unsaved_usage = NOTHING_SPENT

    def get(self, key: str) -> ChatResponse | None:
        """The answer stored or added under a `request_key`, or None.

        Raises:
            UsageError: the file is damaged.
        """
        text = self._text_of(key)
        try:
            return None if text is None else ChatResponse.model_validate_json(text)
        except ValidationError as error:
            raise unusable(self.path, f"the answer {key} is not readable") from error

    def put(
        self, key: str, purpose: str, response: ChatResponse, usage: Usage = NOTHING_SPENT
    ) -> None:
        """Store an answer and what it cost; when this returns, no crash of the process loses them.

        Args:
            key: a `request_key`; an answer that it has already is replaced.
            purpose: of the request.
            response: the answer.
            usage: what the answer took; unusable ones before it are for `spend`.

        Raises:
            RunStopped: the disk is full or the file stays locked; nothing was stored.
            UsageError: the file is damaged.
        """
        self.add(key, purpose, response, usage)
        self.save()

    def add(
        self, key: str, purpose: str, response: ChatResponse, usage: Usage = NOTHING_SPENT
    ) -> None:
        """As `put`, but stored only by the next `save`: many answers in one transaction cost less.

        Until then the answer is in memory alone, and nothing may be made of it.
        """
        text = response.model_dump_json()
        self._unsaved[key] = _Answer(key, purpose, response.model, text)
        self._unsaved_usage += usage

    @property
    def has_unsaved(self) -> bool:
        """Whether something was added since the last `save`."""
        return bool(self._unsaved)

    def save(self) -> None:
        """Store what was added; when this returns, no crash of the process loses it.

        Raises:
            RunStopped, UsageError: as `put`; what was added is kept for the next attempt.
        """
        answers, usage = self._unsaved, self._unsaved_usage
        if not answers and usage == NOTHING_SPENT:
            return
        with explained(self.path), transaction(self._database):
            insert = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)"
            self._database.executemany(insert, answers.values())
            if usage != NOTHING_SPENT:
                tokens = (usage.tokens_in, usage.tokens_cached, usage.tokens_out)
                self._database.execute(_SPEND, (*tokens, usage.requests, usage.cost_usd))
        self._unsaved, self._unsaved_usage = {}, NOTHING_SPENT

    def spend(self, usage: Usage) -> None:
        """Note what attempts cost that gave no answer to keep.

        Raises:
            RunStopped, UsageError: as `put`.
        """
        self._unsaved_usage += usage
        self.save()

    def spent(self) -> Usage:
        """What all runs that used this store have consumed together."""
        with explained(self.path):
            return read_spent(self._database)

    def count(self) -> int:
        """How many answers there are."""
        with explained(self.path):
            return int(self._database.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        """Store what is kept and not yet stored, and close the file."""
        try:
            self.save()
        finally:
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

    def _text_of(self, key: str) -> str | None:
        if (unsaved := self._unsaved.get(key)) is not None:
            return unsaved.response
        with explained(self.path):
            query = "SELECT response FROM answers WHERE key = ?"
            row = self._database.execute(query, (key,)).fetchone()
        return row[0] if row else None


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
    if request.top_logprobs:  # named only where it is asked for: older keys stay what they were
        values["top_logprobs"] = request.top_logprobs
    return hashlib.sha256(to_json(values, sort_keys=True)).hexdigest()


def _canonical(part: str | ChatImage) -> str | dict[str, Any]:
    return part if isinstance(part, str) else {"sha256": part.sha256, "type": part.media_type}


@cache
def _schema_hash(model: type[BaseModel]) -> str:
    return hashlib.sha256(json.dumps(model.model_json_schema()).encode()).hexdigest()
