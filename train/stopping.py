"""Why a run stops before its end, and that all processes agree on it.

Between two optimiser steps, at the end of a generation batch: a checkpoint taken there is one from
which the run goes on exactly as if it had not been interrupted.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState
from trl import GRPOConfig, GRPOTrainer

from ..schemas.errors import RunStopped
from .processes import agreed

INTERRUPTED = "interrupted"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopAtBoundary(TrainerCallback):  # type: ignore[misc]
    """Saves a checkpoint and ends the run once there is a reason.

    Attributes:
        reason: why it ended; None while it has not. `INTERRUPTED` for Ctrl-C and SIGTERM.
    """

    def __init__(self, judge_trouble: Callable[[], str | None]) -> None:
        self._judge_trouble = judge_trouble
        self._is_interrupted = False
        self.reason: str | None = None

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run at the next boundary; a second one ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_step_end(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop here where there is a reason to, and a run can go on from here."""
        if not is_generation_boundary(args, state.global_step):
            return
        own = INTERRUPTED if self._is_interrupted else self._judge_trouble()
        self.reason = agreed(own, args)
        if self.reason is not None:
            control.should_save = control.should_log = True
            control.should_training_stop = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._is_interrupted:
            raise KeyboardInterrupt
        self._is_interrupted = True


class StopAtNan(TrainerCallback):  # type: ignore[misc]
    """Ends a run that diverged before it spoils the weights, or, at the latest, a checkpoint."""

    def __init__(self, trainer: GRPOTrainer) -> None:
        self._trainer = trainer

    def on_pre_optimizer_step(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Raise where the loss of this step is no number: the weights are still good."""
        loss = self._trainer._tr_loss
        if not torch.isfinite(self._trainer.accelerator.gather(loss)).all():
            raise not_a_number("loss", state.global_step + 1)

    def on_step_end(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Raise where a checkpoint is to follow, and a weight is no number."""
        if not control.should_save:
            return
        weights = (it.detach() for it in self._trainer.model.parameters())
        own = (it.to_local() if hasattr(it, "to_local") else it for it in weights)  # FSDP's shards
        are_finite = all(torch.isfinite(it).all().item() for it in own)
        if agreed(None if are_finite else "diverged", args):
            raise not_a_number("largest weight", state.global_step)

    def on_log(
        self,
        args: GRPOConfig,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any],
        **_: Any,
    ) -> None:
        """Raise where the gradient is no number: the log comes before the checkpoint."""
        grad_norm = logs.get("grad_norm", 0.0)
        if grad_norm != grad_norm or abs(grad_norm) == float("inf"):
            raise not_a_number("gradient's norm", state.global_step)


def is_generation_boundary(args: GRPOConfig, step: int) -> bool:
    """Whether the next step samples anew: no completions are kept in memory from before it."""
    batches = args.steps_per_generation * args.num_iterations
    return bool(step * args.gradient_accumulation_steps % batches == 0)


def not_a_number(what: str, step: int) -> RunStopped:
    """The error of a run that diverged; its message lacks the checkpoint, which `run.py` adds."""
    return RunStopped(
        f"the {what} at step {step} is not a finite number, and no checkpoint is saved after it. "
        "Lower grpo.learning_rate or grpo.max_grad_norm, which starts a new run (--overwrite)."
    )
