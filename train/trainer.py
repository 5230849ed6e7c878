"""TRL's trainer, made from a recipe."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schemas.errors import UsageError
from ..schemas.training import Recipe
from .policy import freeze_vision, load_policy, lora_config
from .recipe import grpo_config_class
from .rewards import PerceptionReward

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import ProcessorMixin
    from trl import GRPOConfig, GRPOTrainer

LIBRARIES = r"(accelerate|datasets|peft|torch|transformers|trl)\b"


def make_trainer(
    recipe: Recipe,
    args: GRPOConfig,
    processor: ProcessorMixin,
    reward: PerceptionReward,
    rows: Dataset,
) -> GRPOTrainer:
    """The trainer with its model; nothing of TRL's is rewritten.

    Raises:
        UsageError: the model cannot be loaded.
    """
    from transformers import PrinterCallback, set_seed
    from trl import GRPOTrainer

    set_seed(recipe.seed)
    model = load_policy(recipe.model)
    if recipe.freeze_vision:
        freeze_vision(model)
    adapter = recipe.lora and lora_config(recipe.lora, is_vision_frozen=recipe.freeze_vision)
    trainer = GRPOTrainer(
        model=model,
        args=args,
        processing_class=processor,
        reward_funcs=reward,
        train_dataset=rows,
        peft_config=adapter,
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which is for the result
    return trainer


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No progress bars, and no warnings of one library about another, that a user cannot act on."""
    import datasets
    import transformers

    had_no_bars = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for category in (FutureWarning, DeprecationWarning):
                warnings.filterwarnings("ignore", category=category, module=LIBRARIES)
            yield
    finally:
        if not had_no_bars:
            datasets.enable_progress_bars()
            transformers.utils.logging.enable_progress_bar()


def trainer_arguments(recipe: Recipe, checkpoints: Path) -> GRPOConfig:
    """TRL's settings: the recipe's, and those that are pr1's.

    Raises:
        UsageError: TRL refuses one.
    """
    is_cpu = bool(recipe.grpo.get("use_cpu"))
    own: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "seed": recipe.seed,
        "report_to": list(recipe.report_to) or "none",
        "shuffle_dataset": False,  # the dataset is in its order: see `training_order`
        "logging_nan_inf_filter": False,  # a loss that is no number stops the run
        "disable_tqdm": True,
    }
    defaults = {"logging_steps": 1, "dataloader_pin_memory": not is_cpu}
    if recipe.model.revision is not None:
        own["model_init_kwargs"] = {"revision": recipe.model.revision}  # for the reference model
    config = grpo_config_class()
    try:
        return config(**{**defaults, **_in_todays_names(recipe.grpo, config), **own})
    except (ValueError, TypeError, ImportError) as error:
        raise UsageError(f"grpo: TRL refuses these settings: {error}") from error


def _in_todays_names(grpo: dict[str, Any], config: type[GRPOConfig]) -> dict[str, Any]:
    """The settings, checkpointing of activations under the name that does not warn.

    Transformers renamed it, and TRL 1.16 sets its default, True, under the old name.
    """
    settings = dict(grpo)
    for old in ("gradient_checkpointing", "gradient_checkpointing_kwargs"):
        new = old.replace("gradient", "activation")
        default = True if old == "gradient_checkpointing" else None
        if new in config.__dataclass_fields__ and settings.get(new) is None:
            settings[new] = settings.pop(old, default)
    return settings
