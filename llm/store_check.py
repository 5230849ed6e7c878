"""Is a response store whole? What `pr1 doctor --store` tells of it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..schemas.errors import UsageError
from ..schemas.manifest import Usage
from .chat import ChatResponse
from .store_file import check_origin, explained, has_spent, read_spent, unusable

_KEY = re.compile(r"[0-9a-f]{64}")
_QUERY = "SELECT key, purpose, model, response FROM answers"


@dataclass(frozen=True)
class StoreReport:
    """What a whole response store holds.

    Attributes:
        size: bytes of the file and of its write-ahead log.
        answers: (purpose, model as the service names it) -> answers.
        spent: by all runs that used the store; None in a store of an older version of pr1.
    """

    size: int
    answers: Counter[tuple[str, str]]
    spent: Usage | None

    def answers_text(self) -> str:
        """How many answers for which purpose of which model, on one line."""
        counts = self.answers.most_common()
        listed = ", ".join(f"{purpose} {count:,} ({model})" for (purpose, model), count in counts)
        return listed or "none"

    def spent_text(self) -> str:
        """What the runs have consumed, on one line."""
        if self.spent is None:
            return "not noted: the store is of an older version of pr1"
        cost = "unknown" if self.spent.cost_usd is None else f"{self.spent.cost_usd:.2f} US dollars"
        tokens = f"{self.spent.tokens_in:,} tokens in, {self.spent.tokens_out:,} out"
        return f"{self.spent.requests:,} requests, {tokens}, cost {cost}"


def read_store(path: Path) -> StoreReport:
    """What the store holds, every answer of it read; the file is not changed.

    A run may write to it at the same time.

    Raises:
        UsageError: there is no such file, it is damaged, or it is no response store.
        RunStopped: it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no response store. Name the output folder of a run.")
    log = path.with_name(f"{path.name}-wal")
    size = sum(file.stat().st_size for file in (path, log) if file.exists())
    with explained(path):
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            check_origin(database, path)
            (fault,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            if fault != "ok":
                raise unusable(path, " ".join(fault.split()))
            answers = _count_answers(database, path)
            return StoreReport(size, answers, read_spent(database) if has_spent(database) else None)
        finally:
            database.close()


def _count_answers(database: sqlite3.Connection, path: Path) -> Counter[tuple[str, str]]:
    answers: Counter[tuple[str, str]] = Counter()
    broken: list[str] = []
    for key, purpose, model, response in database.execute(_QUERY):
        answers[purpose, model] += 1
        if not _is_whole(key, response):
            broken.append(key)
    if broken:
        raise unusable(path, f"{len(broken):,} answers are not readable, the first {broken[0]}")
    return answers


def _is_whole(key: str, response: str) -> bool:
    try:
        ChatResponse.model_validate_json(response)
    except ValidationError:
        return False
    return _KEY.fullmatch(key) is not None
