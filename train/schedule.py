"""How many steps, prompts and completions a recipe comes to."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..schemas.errors import UsageError


class Schedule(NamedTuple):
    """The arithmetic of a run.

    Attributes:
        prompts_per_batch: prompts that are answered at once, in all processes together.
        completions_per_batch: completions of them, `num_generations` to a prompt.
        steps_per_batch: optimiser steps that one such batch serves; 1 where a step takes several.
        batches_per_step: batches that one optimiser step takes; 1 where a batch serves several.
        steps: optimiser steps of the whole run.
        passes: over the training rows, the last one perhaps not to its end.
    """

    prompts_per_batch: int
    completions_per_batch: int
    steps_per_batch: int
    batches_per_step: int
    steps: int
    passes: int

    @property
    def batches(self) -> int:
        """Generation batches of the whole run."""
        return self.steps * self.batches_per_step // self.steps_per_batch

    @property
    def completions(self) -> int:
        """Completions of the whole run."""
        return self.batches * self.completions_per_batch


DEFAULTS: dict[str, Any] = {
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "num_generations": 8,
    "num_iterations": 1,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "max_completion_length": 512,
    "steps_per_generation": None,
    "generation_batch_size": None,
    "save_steps": 500,
}


def setting(grpo: dict[str, Any], name: str) -> Any:
    """What the recipe sets, or TRL's default."""
    value = grpo.get(name)
    return DEFAULTS[name] if value is None else value


def schedule(grpo: dict[str, Any], processes: int, rows: int) -> Schedule:
    """The schedule of these settings over so many training rows.

    Raises:
        UsageError: completions do not come in whole groups, a batch does not come in whole steps,
            the run or a checkpoint ends within a batch, or there are fewer rows than one takes.

    Source: TRL 1.16, `GRPOConfig.__post_init__` and `GRPOTrainer.get_train_dataloader`.
    """
    micro = int(setting(grpo, "per_device_train_batch_size")) * processes
    accumulation = int(setting(grpo, "gradient_accumulation_steps"))
    group = int(setting(grpo, "num_generations"))
    completions = setting(grpo, "generation_batch_size")
    if completions is None:
        completions = micro * int(setting(grpo, "steps_per_generation") or accumulation)
    if completions % group:
        raise UsageError(
            f"a batch of {completions} completions ({micro} at once in {processes} processes) "
            f"does not hold whole groups of num_generations {group}. Set "
            "grpo.per_device_train_batch_size or grpo.gradient_accumulation_steps to a multiple."
        )
    micro_steps = completions // micro * int(setting(grpo, "num_iterations"))
    if completions % micro or (micro_steps % accumulation and accumulation % micro_steps):
        raise UsageError(
            f"a batch of {completions} completions is no whole number of steps of "
            f"{micro * accumulation}. Set grpo.steps_per_generation to a multiple of "
            "grpo.gradient_accumulation_steps."
        )
    prompts = completions // group
    steps_per_batch = max(1, micro_steps // accumulation)
    batches_per_pass = rows // prompts
    if batches_per_pass == 0:
        raise UsageError(
            f"one batch takes {prompts} prompts, and there are {rows} rows to train on. "
            "Give more rows, or a smaller grpo.per_device_train_batch_size or "
            "grpo.gradient_accumulation_steps."
        )
    batches_per_step = max(1, accumulation // micro_steps)
    steps = int(setting(grpo, "max_steps"))
    if steps <= 0:
        batches = math.floor(float(setting(grpo, "num_train_epochs")) * batches_per_pass)
        steps = max(1, batches // batches_per_step) * steps_per_batch
    if steps % steps_per_batch:
        raise UsageError(
            f"grpo.max_steps {steps} would leave a part of a batch unused, for each serves "
            f"{steps_per_batch} steps. Set it to a multiple."
        )
    save_steps = float(setting(grpo, "save_steps"))
    if save_steps >= 1 and save_steps % steps_per_batch:
        raise UsageError(
            f"grpo.save_steps {save_steps:g} would save within a batch, for each serves "
            f"{steps_per_batch} steps, and no run can go on exactly from there. Set it to a "
            "multiple."
        )
    batches = steps * batches_per_step // steps_per_batch
    passes = math.ceil(batches / batches_per_pass)
    return Schedule(prompts, completions, steps_per_batch, batches_per_step, steps, passes)
