"""The folder that a dataset stage writes: refused, resumed or started, and finished in one step.

    OUT/
      README.md             the dataset card
      data/train-*.parquet  the rows
      dropped.jsonl  failures.jsonl
      paired_outcomes.jsonl only after a paired difficulty pass
      report.html           only after `pr1 report`; removed when the set is made anew
      manifest.json         written last: a folder without one is unfinished
      .pr1/                 responses.sqlite, run.json while a run is unfinished, new/ for what it
                            has written so far; never published

A run writes into `.pr1/new` and moves the files over when it is complete, so that an interrupted
`--overwrite` leaves the finished set as it was. A resumed run writes its rows anew; the answers in
the response store are what it does not pay for twice.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from ..schemas.config import RunConfig, config_hash
from ..schemas.errors import InputError
from ..schemas.manifest import Counts, Dropped, Failure, Manifest, Usage
from ..schemas.outcomes import ProblemOutcome
from ..schemas.progress import Traffic
from ..schemas.records import Row
from .card import render_card
from .claim import claim_folder
from .provenance import command_line, file_digest, package_versions, publishable
from .rows import MANIFEST, RUN_FOLDER, RUN_STATE, STORE, data_files
from .shards import ShardWriter
from .tally import RowTally

DROPPED = "dropped.jsonl"
FAILURES = "failures.jsonl"
PAIRED_OUTCOMES = "paired_outcomes.jsonl"
CARD = "README.md"
REPORT = "report.html"


class Account(NamedTuple):
    """What a run took of a model.

    Attributes:
        usage: of this run.
        usage_in_all: of all runs over the folder.
        traffic: what went on with the model.
    """

    usage: Usage
    usage_in_all: Usage
    traffic: Traffic


class _Run(NamedTuple):
    """What the manifest says of a run before its first row."""

    stage: str
    config: RunConfig
    parents: dict[str, str]
    history: list[Manifest]
    prompts: dict[str, str]
    command: str
    started_at: str

    def identity(self) -> dict[str, Any]:
        """What decides the result; a run is resumed only under the same one."""
        return {
            "stage": self.stage,
            "config": publishable(self.config.identity()),
            "parents": self.parents,
            "prompts": self.prompts,
        }


class StageFolder:
    """One run's output: rows, drops and failures go in, a finished folder comes out.

    Use it in a `with` block; leaving the block without `finish` leaves the folder unfinished, to be
    resumed by the same command.
    """

    def __init__(self, out: Path, run: _Run, row_model: type[Row], held: ExitStack) -> None:
        self.out = out
        self._run = run
        self._held = held
        self._started_s = time.monotonic()
        self._tally = RowTally()
        self._in_rows = 0
        self._dropped: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._new = out / RUN_FOLDER / "new"
        shutil.rmtree(self._new, ignore_errors=True)
        (self._new / "data").mkdir(parents=True)
        self._writer = ShardWriter(self._new / "data", row_model)
        held.callback(self._writer.close)
        self._files = {name: self._open(name) for name in (DROPPED, FAILURES)}

    @classmethod
    def start(
        cls,
        out: Path,
        *,
        stage: str,
        config: RunConfig,
        parents: dict[str, str],
        prompts: dict[str, str],
        overwrite: bool,
        row_model: type[Row],
        history: Sequence[Manifest] = (),
        command: str | None = None,
    ) -> StageFolder:
        """The folder, made, resumed or taken over, and locked against other processes.

        Args:
            out: where to write; made with its parents when it is missing.
            stage: `collect`, `annotate` or `filter`.
            config: the resolved configuration.
            parents: name of each input file -> its sha256, as `file_hashes` gives them.
            prompts: name of each prompt -> its sha256.
            overwrite: make a finished folder anew, or start over an unfinished one under another
                configuration; the response store is kept in both cases.
            row_model: the class of every row.
            history: the manifests behind the input, as `past_stages` gives them.
            command: the command line; by default that of this process, without secrets.

        Raises:
            UsageError: the folder is finished, holds somebody else's files or another stage's set,
                is being written by another process, or is unfinished under another configuration.
        """
        run = _Run(
            stage,
            config,
            parents,
            list(history),
            prompts,
            command_line(sys.argv) if command is None else command,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with ExitStack() as held:
            claim_folder(out, held, stage=stage, identity=run.identity(), overwrite=overwrite)
            return cls(out, run, row_model, held.pop_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def store_path(self) -> Path:
        """Where this folder's response store lies."""
        return self.out / STORE

    def write_row(self, row: Row, records: int = 1) -> None:
        """Append a row that holds `records` input records.

        A row that no file can hold (half a surrogate pair in a text) becomes a failure instead.
        """
        try:
            self._writer.write(row)
        except InputError as error:
            id_ = ascii(getattr(row, "id", "row"))
            self.fail(
                Failure(
                    id=id_, records=records, stage="write", error=error.code, message=error.message
                )
            )
        else:
            self._tally.add(row)
            self._in_rows += records

    def drop(self, dropped: Dropped) -> None:
        """Record a decision that left a problem out."""
        self._files[DROPPED].write(json_line(dropped))
        self._dropped[dropped.reason] += dropped.records

    def fail(self, failure: Failure) -> None:
        """Record something that broke."""
        self._files[FAILURES].write(json_line(failure))
        self._failed[failure.error] += failure.records

    def note(self, outcome: ProblemOutcome) -> None:
        """Record what the paired difficulty pass found for a problem, whatever becomes of it."""
        if PAIRED_OUTCOMES not in self._files:
            self._files[PAIRED_OUTCOMES] = self._open(PAIRED_OUTCOMES)
        self._files[PAIRED_OUTCOMES].write(json_line(outcome))

    def finish(
        self,
        *,
        read: int,
        account: Account | None = None,
        facts: Mapping[str, Any] | None = None,
        rejected_by_reason: Mapping[str, int] | None = None,
    ) -> Manifest:
        """The manifest of the finished folder, which is then complete and unlocked.

        Args:
            read: input records read.
            account: what the run took of a model; None when it asked none.
            facts: figures of this stage alone, for the manifest and the card.
            rejected_by_reason: proposed annotations that did not pass validation.

        Raises:
            RuntimeError: a record ended in none of rows, drops and failures, or in two of them.
        """
        counts = Counts(
            read=read,
            in_rows=self._in_rows,
            dropped=self._dropped.total(),
            failed=self._failed.total(),
            rows=self._tally.rows,
            dropped_by_reason=dict(sorted(self._dropped.items())),
            failed_by_error=dict(sorted(self._failed.items())),
            rejected_by_reason=dict(sorted((rejected_by_reason or {}).items())),
        )
        if counts.read != counts.in_rows + counts.dropped + counts.failed:
            raise RuntimeError(f"the records do not add up: {counts!r}")
        manifest = self._manifest(counts, account, dict(facts or {}))
        shards = self._writer.finish()
        digest = config_hash({"shards": [file_digest(shard) for shard in shards]})[:8]
        card = render_card(
            manifest, self._tally, self.out.resolve().name, f"data/train-*-{digest}.parquet"
        )
        (self._new / CARD).write_text(card, encoding="utf-8")
        (self._new / MANIFEST).write_text(
            manifest.model_dump_json(indent=2) + "\n", encoding="utf-8"
        )
        self._publish(shards, digest)
        self.close()
        return manifest

    def close(self) -> None:
        """Close the files and release the lock; without `finish`, the folder stays unfinished."""
        self._held.close()

    def _open(self, name: str) -> BinaryIO:
        return self._held.enter_context((self._new / name).open("wb"))

    def _manifest(self, counts: Counts, account: Account | None, facts: dict[str, Any]) -> Manifest:
        run = self._run
        return Manifest(
            stage=run.stage,
            history=run.history,
            command=run.command,
            config=publishable(run.config.model_dump(mode="json")),
            identity_hash=config_hash(run.identity()),
            execution_hash=config_hash(run.config.execution.model_dump(mode="json")),
            parents=run.parents,
            prompts=run.prompts,
            seed=run.config.seed,
            versions=package_versions(),
            counts=counts,
            usage=account.usage if account else Usage(),
            usage_in_all=account.usage_in_all if account else None,
            traffic=account.traffic.figures() if account else {},
            facts=facts,
            started_at=run.started_at,
            wall_s=round(time.monotonic() - self._started_s, 3),
        )

    def _publish(self, shards: list[Path], digest: str) -> None:
        for file in self._files.values():
            file.close()
        (self.out / MANIFEST).unlink(missing_ok=True)  # from here on until the end: unfinished
        for old in (*data_files(self.out), self.out / PAIRED_OUTCOMES, self.out / REPORT):
            old.unlink(missing_ok=True)
        (self.out / "data").mkdir(exist_ok=True)
        for number, shard in enumerate(shards):
            name = f"train-{number:05}-of-{len(shards):05}-{digest}.parquet"
            shard.replace(self.out / "data" / name)
        for name in (*self._files, CARD, MANIFEST):
            (self._new / name).replace(self.out / name)
        (self.out / RUN_STATE).unlink()
        shutil.rmtree(self._new)


def json_line(record: Dropped | Failure | ProblemOutcome) -> bytes:
    """The record as a line of a JSONL file."""
    # An unpaired surrogate, as broken data may hold, becomes its JSON escape and not an error.
    text = json.dumps(record.model_dump(mode="python"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"
