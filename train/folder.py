"""The folder that a training run writes.

    OUT/
      model/                the trained model with its processor (LoRA: the adapter)
      evaluation/           step-000000.jsonl, ...: what `pr1 compare` reads
      completions/          every completion with its verdicts and the parts of its reward
      metrics.jsonl         what the trainer logged
      dropped.jsonl  failures.jsonl
      report.html  curves/  written at the end
      manifest.json         written last: a folder without one is unfinished
      checkpoints/          what an interrupted run goes on from
      .pr1/                 responses.sqlite, run.json while a run is unfinished, rows/

The first process writes; the others add the completions that they scored, and nothing else.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..llm.store import ResponseStore
from ..outputs.claim import claim_folder
from ..outputs.folder import DROPPED, FAILURES, json_line
from ..outputs.provenance import command_line, file_hashes, package_versions, publishable
from ..outputs.rows import MANIFEST, RUN_FOLDER, RUN_STATE, STORE, past_stages
from ..outputs.whole import written_whole
from ..schemas.config import config_hash
from ..schemas.manifest import Counts, Dropped, Failure, Manifest, Usage
from ..schemas.training import Recipe
from .checkpoints import remove_broken_checkpoints
from .recipe import identity

STAGE = "train"
WRITTEN = ("model", "evaluation", "completions", "curves", "checkpoints", f"{RUN_FOLDER}/rows")
FILES = ("metrics.jsonl", "report.html", DROPPED, FAILURES)
PACKAGES = (
    "accelerate",
    "deepspeed",
    "peft",
    "torch",
    "torchvision",
    "transformers",
    "trl",
    "vllm",
)


class TrainFolder:
    """Where everything of one run lies. Only the main process claims it, and finishes it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.model = out / "model"
        self.evaluation = out / "evaluation"
        self.completions = out / "completions"
        self.metrics = out / "metrics.jsonl"
        self.checkpoints = out / "checkpoints"
        self.rows = out / RUN_FOLDER / "rows"
        self._held = ExitStack()
        self._started_s = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._identity: dict[str, Any] = {}
        self._parents: dict[str, str] = {}
        self._spent_before = Usage()

    def store_path(self, process: int) -> Path:
        """Of the judge's response store: each process has one of its own."""
        store = self.out / STORE
        return store if process == 0 else store.with_stem(f"{store.stem}-{process}")

    def claim(self, recipe: Recipe, dataset: str, *, overwrite: bool) -> None:
        """Lock the folder and note the run in it.

        What another run left is removed, where `overwrite` allows it. An unfinished run of the same
        identity goes on in any case: checkpoints took hours, and a command that is given again as
        it was must not lose them.

        Raises:
            UsageError: it is finished, in use, somebody else's, or of another run.
        """
        self._parents = {**_hashes(dataset), **_hashes(recipe.model.path)}
        self._identity = {
            "stage": STAGE,
            "config": publishable({"dataset": dataset, **identity(recipe)}),
            "parents": self._parents,
        }
        claim_folder(
            self.out,
            self._held,
            stage=STAGE,
            identity=self._identity,
            overwrite=overwrite,
            discard=self._empty,
        )
        remove_broken_checkpoints(self.checkpoints)
        self._spent_before = self._spent()

    def account(self, dropped: Iterable[Dropped], failures: Iterable[Failure]) -> None:
        """Write down the rows that are not trained on."""
        _write_lines(self.out / DROPPED, dropped)
        _write_lines(self.out / FAILURES, failures)

    def manifest(
        self,
        recipe: Recipe,
        dataset: str,
        *,
        rows: int,
        held_out: int,
        dropped: list[Dropped],
        failures: list[Failure],
        facts: dict[str, Any],
    ) -> Manifest:
        """How the run went; `rows` are trained on, `held_out` ones of the same set evaluated on."""
        usage = self._spent()
        return Manifest(
            stage=STAGE,
            history=past_stages(Path(dataset)),
            command=command_line(sys.argv),
            config=publishable({"dataset": dataset, **recipe.model_dump(mode="json")}),
            identity_hash=config_hash(self._identity),
            execution_hash=config_hash(recipe.judge.execution.model_dump(mode="json")),
            parents=self._parents,
            seed=recipe.seed,
            versions=package_versions(PACKAGES),
            counts=Counts(
                read=rows + held_out + len(dropped) + len(failures),
                in_rows=rows + held_out,
                dropped=len(dropped),
                failed=len(failures),
                rows=rows,
                dropped_by_reason=dict(Counter(one.reason for one in dropped)),
                failed_by_error=dict(Counter(one.error for one in failures)),
            ),
            usage=usage.since(self._spent_before),
            usage_in_all=usage,
            facts=facts,
            started_at=self._started_at,
            wall_s=round(time.monotonic() - self._started_s, 3),
        )

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last of all files: the folder is finished."""
        with written_whole(self.out / MANIFEST) as new:
            new.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (self.out / RUN_STATE).unlink(missing_ok=True)
        shutil.rmtree(self.rows, ignore_errors=True)

    def close(self) -> None:
        """Release the lock; without `finish`, the folder stays unfinished."""
        self._held.close()

    def _spent(self) -> Usage:
        """What the judge has cost, over all processes and all runs of this folder."""
        total = Usage()
        for path in (self.out / RUN_FOLDER).glob(f"{Path(STORE).stem}*.sqlite"):
            with ResponseStore(path) as store:
                total += store.spent()
        return total

    def _empty(self) -> None:
        (self.out / MANIFEST).unlink(missing_ok=True)  # from here on: unfinished
        for name in WRITTEN:
            shutil.rmtree(self.out / name, ignore_errors=True)
        for name in FILES:
            (self.out / name).unlink(missing_ok=True)


def _hashes(path: str) -> dict[str, str]:
    return file_hashes(Path(path)) if Path(path).exists() else {}


def _write_lines(path: Path, records: Iterable[Dropped | Failure]) -> None:
    path.write_bytes(b"".join(map(json_line, records)))
