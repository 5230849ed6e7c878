"""What the trainer logs, line by line: `metrics.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState
from trl import GRPOConfig

from ..outputs.whole import written_whole
from ..schemas.progress import OnProgress, Progress
from .completion_log import CompletionLog


class MetricsLog(TrainerCallback):  # type: ignore[misc]
    """Appends each log of the trainer as one line of JSON, by the main process alone.

    It has the completions written before each checkpoint, too, in every process, and tells how far
    the run is.
    """

    def __init__(self, path: Path, completions: CompletionLog, on_progress: OnProgress) -> None:
        self._path = path
        self._completions = completions
        self._on_progress = on_progress

    def on_log(
        self,
        args: GRPOConfig,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any],
        **_: Any,
    ) -> None:
        """Append what the trainer logs of its steps; what an evaluation logs stands elsewhere."""
        if state.is_world_process_zero and "loss" in logs:
            line = {"step": state.global_step, **{k: v for k, v in logs.items() if k != "epoch"}}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def on_step_end(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Have completions written where a checkpoint follows, and tell how far the run is."""
        if control.should_save:
            self._completions.flush()
        self._on_progress(Progress(state.global_step, state.max_steps, unit="steps"))


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines, by step; one that was cut off while it was written is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def forget_metrics_after(path: Path, step: int) -> None:
    """Remove the lines of later steps: a resumed run takes those steps anew."""
    if not path.is_file():
        return
    kept = [line for line in read_metrics(path) if line["step"] <= step]
    with written_whole(path) as new:
        new.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
