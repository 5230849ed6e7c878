"""Every completion with its verdicts and the parts of its reward, as Parquet files.

One file for some steps, `steps-000000-000009.parquet`. With several processes each writes the
completions that it scored, and its number stands at the end of the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..outputs.whole import written_whole
from .reward_log import PARTS, compact_verdicts
from .scoring import ScoredCompletion

STEPS_PER_FILE = 10
_NAME = re.compile(r"steps-(\d+)-(\d+)")
SCHEMA = pa.schema(
    [
        *(("step", pa.int64()), ("problem_id", pa.string()), ("completion", pa.string())),
        *(("tokens", pa.int64()), ("is_cut", pa.bool_()), ("reward", pa.float64())),
        *((name, pa.float64()) for name in PARTS),
        *(("verdicts", pa.string()), ("judge_failure", pa.string()), ("reason", pa.string())),
    ]
)


class CompletionLog:
    """Takes scored completions and writes them down.

    Args:
        folder: where the files go; made when the first one is written.
        process: the number of this process; None where there is only one.
    """

    def __init__(self, folder: Path, process: int | None = None) -> None:
        self._folder = folder
        self._suffix = "" if process is None else f"-{process:03}"
        self._waiting: list[ScoredCompletion] = []
        self._aside: list[ScoredCompletion] | None = None

    def __call__(self, scored: list[ScoredCompletion]) -> None:
        """Take the completions of one step."""
        if self._aside is not None:
            self._aside += scored
            return
        if self._waiting and scored and scored[0].step >= self._waiting[0].step + STEPS_PER_FILE:
            self.flush()
        self._waiting += scored

    @contextmanager
    def set_aside(self) -> Iterator[list[ScoredCompletion]]:
        """The list that takes what is scored in the block, which no file holds then."""
        self._aside = []
        try:
            yield self._aside
        finally:
            self._aside = None

    def flush(self) -> None:
        """Write what waits; called before a checkpoint, so that no file reaches across one."""
        if not self._waiting:
            return
        steps = [one.step for one in self._waiting]
        name = f"steps-{min(steps):06}-{max(steps):06}{self._suffix}.parquet"
        self._folder.mkdir(parents=True, exist_ok=True)
        rows = [_row(one) for one in self._waiting]
        with written_whole(self._folder / name) as new:
            pq.write_table(pa.Table.from_pylist(rows, SCHEMA), new, compression="zstd")
        self._waiting = []


def forget_completions_from(folder: Path, step: int) -> None:
    """Remove what was scored at this step or later: a resumed run scores it anew."""
    for path in folder.glob("steps-*.parquet"):
        if (match := _NAME.match(path.name)) and int(match[2]) >= step:
            path.unlink()


def _row(one: ScoredCompletion) -> dict[str, Any]:
    failure = one.judgement.failure if one.judgement else None
    completion, parts = one.completion, one.breakdown
    return {
        "step": one.step,
        "problem_id": completion.problem_id,
        "completion": completion.text,
        "tokens": completion.tokens,
        "is_cut": completion.is_cut,
        "reward": parts.total,
        **{name: getattr(parts, name) for name in PARTS},
        "verdicts": compact_verdicts(one),
        "judge_failure": failure and f"{failure.cause}: {failure.reason}",
        "reason": parts.reason,
    }
