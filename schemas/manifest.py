"""The records that account for a run: where each input record ended, what it cost, how it ran."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from .records import NonEmpty, Record, Row


class Usage(Record):
    """What a run's requests consumed.

    Attributes:
        tokens_in: prompt tokens, cached ones included.
        tokens_cached: those of them that the service read from its cache.
        tokens_out: generated tokens.
        cost_usd: in US dollars; None when a price is unknown.
        requests: answers paid for; those read back from the response store are not among them.
    """

    tokens_in: int = Field(default=0, ge=0)
    tokens_cached: int = Field(default=0, ge=0)
    tokens_out: int = Field(default=0, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    requests: int = Field(default=0, ge=0)

    def __add__(self, other: Usage) -> Usage:
        costs = [u.cost_usd for u in (self, other) if u.cost_usd is not None]
        return Usage(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_cached=self.tokens_cached + other.tokens_cached,
            tokens_out=self.tokens_out + other.tokens_out,
            cost_usd=sum(costs) if costs else None,
            requests=self.requests + other.requests,
        )

    def since(self, earlier: Usage) -> Usage:
        """What was consumed after an earlier reading of the same total."""
        cost_usd = self.cost_usd
        if cost_usd is not None:
            cost_usd = max(0.0, cost_usd - (earlier.cost_usd or 0.0))
        return Usage(
            tokens_in=self.tokens_in - earlier.tokens_in,
            tokens_cached=self.tokens_cached - earlier.tokens_cached,
            tokens_out=self.tokens_out - earlier.tokens_out,
            cost_usd=cost_usd,
            requests=self.requests - earlier.requests,
        )


class Failure(Row):
    """One input record that something broke for: a line of `failures.jsonl`.

    Attributes:
        id: the record's id, or its place (`problems.jsonl:41`) when it has none.
        records: how many input records it stands for.
        stage: the step that broke, e.g. `read`, `extract`.
        error: a machine-readable reason, e.g. `unreadable_image`.
        message: what was wrong, where, and what to do.
        attempts: how often it was tried.
    """

    id: NonEmpty
    records: int = Field(default=1, ge=1)
    stage: NonEmpty
    error: NonEmpty
    message: str
    attempts: int = Field(default=1, ge=1)


class Dropped(Row):
    """One problem that a decision left out: a line of `dropped.jsonl`.

    Attributes:
        records: how many input records it stands for.
        reason: e.g. `no_image`, `no_correct_trajectory`, `no_annotation`, `duplicate`.
        detail: what the decision rests on, for a person to read.
    """

    id: NonEmpty
    records: int = Field(default=1, ge=1)
    stage: NonEmpty
    reason: NonEmpty
    detail: str = ""


class Counts(Record):
    """Where the input records ended: `read == in_rows + dropped + failed`.

    Attributes:
        rows: rows written; one row may hold several input records.
        dropped_by_reason, failed_by_error, rejected_by_reason: the same, told apart.
    """

    read: int = Field(ge=0)
    in_rows: int = Field(ge=0)
    dropped: int = Field(ge=0)
    failed: int = Field(ge=0)
    rows: int = Field(ge=0)
    dropped_by_reason: dict[str, int] = {}
    failed_by_error: dict[str, int] = {}
    rejected_by_reason: dict[str, int] = {}


class Manifest(Row):
    """How a folder was made; written last, so a folder without one is unfinished.

    Attributes:
        stage: the command that made it, e.g. `annotate`.
        history: of the earlier stages that it came from, the oldest first; each without its own.
        command: the command line, as it was typed.
        config: the resolved configuration.
        identity_hash: sha256 of what decides the result: inputs, prompts, models, sampling, ...
        execution_hash: sha256 of what does not: concurrency, retries.
        parents: name of each input file -> its sha256.
        prompts: name of each prompt and word list -> its sha256.
        versions: package -> version.
        usage: of this run.
        usage_in_all: of all runs over the folder, those that were interrupted included; None for a
            stage that asks no model.
        traffic: what went on with the model: answers from the store, requests sent again, ...
        facts: figures of this stage alone, for its card.
    """

    stage: NonEmpty
    history: list[Manifest] = []
    command: str
    config: dict[str, Any]
    identity_hash: str
    execution_hash: str
    parents: dict[str, str] = {}
    prompts: dict[str, str] = {}
    seed: int
    versions: dict[str, str]
    counts: Counts
    usage: Usage
    usage_in_all: Usage | None = None
    traffic: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    started_at: str
    wall_s: float = Field(ge=0)
