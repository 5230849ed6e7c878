"""Has this machine what the recipe needs? Asked before anything is loaded."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from ..schemas.errors import MissingExtra, UsageError
from ..schemas.training import Recipe
from .recipe import shipped_recipes


def check_machine(recipe: Recipe) -> None:
    """Returns where a run of this recipe can start here.

    Raises:
        UsageError: the first of `machine_problems`.
    """
    for problem in machine_problems(recipe):
        raise problem


def machine_problems(recipe: Recipe) -> Iterator[UsageError]:
    """What keeps a run of this recipe from starting here, each with its remedy.

    Packages are missing, there are fewer GPUs than training processes, or it was started in another
    number of processes.
    """
    yield from _missing(["torch", "trl", "torchvision", *recipe.report_to], "train")
    if recipe.lora is not None:
        yield from _missing(["peft"], "train")
    if not recipe.grpo.get("use_cpu"):
        yield from _missing_gpus(recipe.processes)
    if recipe.grpo.get("use_vllm"):
        yield from _missing(["vllm"], "vllm")
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != recipe.processes:
        yield UsageError(
            f"the recipe is for {recipe.processes} training processes, and this is a run of "
            f"{started}. Start it with: accelerate launch --num_processes {recipe.processes} "
            "-m pr1 train ..., or set `processes` of the recipe."
        )


def _missing(packages: list[str], extra: str) -> Iterator[UsageError]:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            yield MissingExtra(
                f"this recipe needs {package}. Install it: pip install 'pr1[{extra}]'"
            )


def _missing_gpus(processes: int) -> Iterator[UsageError]:
    import torch

    found = torch.cuda.device_count()
    if found < min(processes, int(os.environ.get("LOCAL_WORLD_SIZE", processes))):
        smaller = [name for name in shipped_recipes() if name.endswith(("gpu", "cpu"))]
        yield UsageError(
            f"the recipe trains on {processes} GPU{'s' * (processes > 1)}, and this machine has "
            f"{found}. Take a smaller recipe ({', '.join(smaller)}), lower `processes`, or set "
            "grpo.use_cpu: true for a model of a few million parameters."
        )
