"""Recipes: found by name or path, read, overridden, and checked against TRL's own settings."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from ..schemas.errors import MissingExtra, UsageError
from ..schemas.training import Recipe

if TYPE_CHECKING:
    from trl import GRPOConfig

OWNED = {
    "output_dir": "pr1 writes into the folder given with -o",
    "seed": "set `seed` of the recipe",
    "data_seed": "set `seed` of the recipe",
    "report_to": "set `report_to` of the recipe",
    "model_init_kwargs": "set `model` of the recipe",
    "trust_remote_code": "pr1 runs no code that came with a model",
    "reward_weights": "set `reward` of the recipe",
    "log_completions": "pr1 writes every completion, with its verdicts, to completions/",
    "log_completions_hub_repo": "pr1 writes every completion to completions/",
    "remove_unused_columns": "the reward reads the columns",
    "resume_from_checkpoint": "run the same command again: it resumes",
    "ignore_data_skip": "a resumed run sees the data that the interrupted one would have seen",
    "save_only_model": "a checkpoint without its optimiser cannot be resumed",
    "load_best_model_at_end": "every checkpoint is kept or dropped by save_total_limit",
    "do_train": "`pr1 train` trains",
    "do_eval": "set `evaluation` of the recipe",
    "eval_strategy": "set `evaluation` of the recipe",
    "eval_steps": "set `evaluation.every` of the recipe",
    "eval_on_start": "set `evaluation` of the recipe",
    "push_to_hub": "the model is published by hand, once its report is read",
}
# What a resumed run may change: it decides when something is written, and not what is learnt.
EXECUTION = frozenset(
    {
        *("save_steps", "save_strategy", "save_total_limit", "disable_tqdm", "log_level"),
        *("dataloader_num_workers", "dataloader_pin_memory", "logging_dir", "run_name"),
        *("vllm_server_host", "vllm_server_port", "vllm_server_base_url", "vllm_server_timeout"),
        *("vllm_group_port", "vllm_gpu_memory_utilization", "torch_empty_cache_steps"),
    }
)


def shipped_recipes() -> list[str]:
    """The names of the recipes that come with pr1."""
    folder = resources.files(__package__) / "recipes"
    return sorted(
        file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")
    )


def load_recipe(name_or_path: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of that name, or in that file.

    Args:
        name_or_path: `perception-r1-7b`, or the path of a YAML file.
        overrides: values by dotted path (`grpo.max_steps`); those that are None are left out.

    Raises:
        UsageError: there is no such recipe, or it holds something that cannot be used; the message
            names the key and the nearest that there is.
    """
    text = _recipe_text(name_or_path)
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{name_or_path}: is no YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(values, dict):
        raise UsageError(f"{name_or_path}: holds no `setting: value` lines.")
    for dotted, value in (overrides or {}).items():
        if value is not None:
            _put(values, dotted, value)
    return read_recipe(values, name_or_path)


def read_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """The recipe with these values.

    Raises:
        UsageError: as `load_recipe`.
    """
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        if first["type"] == "extra_forbidden":
            near = nearest(str(first["loc"][-1]), _fields_at(first["loc"][:-1]))
            raise UsageError(f"{where}: there is no setting {place}.{near}") from error
        raise UsageError(f"{where}: {place}: {first['msg']}, not {first['input']!r}.") from error
    return recipe.model_copy(update={"grpo": checked_grpo(recipe.grpo, where)})


def checked_grpo(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The trainer's settings, each of which TRL knows and pr1 leaves to the recipe.

    A number that YAML reads as text (`1e-6`, which lacks its point) becomes a number.

    Raises:
        UsageError: a key is unknown or owned by pr1.
        MissingExtra: TRL is not installed.
    """
    known = {field.name: field for field in dataclasses.fields(grpo_config_class())}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key in OWNED:
            raise UsageError(f"{where}: grpo.{key} is not for a recipe to set: {OWNED[key]}.")
        if key not in known:
            raise UsageError(f"{where}: TRL has no setting grpo.{key}.{nearest(key, known)}")
        checked[key] = _number(value) if _wants_number(known[key]) else value
    return checked


def grpo_config_class() -> type[GRPOConfig]:
    """TRL's `GRPOConfig`.

    Raises:
        MissingExtra: TRL is not installed.
    """
    try:
        from trl import GRPOConfig
    except (ImportError, RuntimeError) as error:  # TRL raises the latter where torch is missing
        raise MissingExtra(
            "pr1 train needs torch and trl. Install them: pip install 'pr1[train]'"
        ) from error
    config: type[GRPOConfig] = GRPOConfig
    return config


def identity(recipe: Recipe) -> dict[str, Any]:
    """The half of the recipe that decides what is learnt, as JSON values."""
    values = recipe.model_dump(mode="json", exclude={"report_to": True, "judge": {"execution"}})
    values["grpo"] = {key: it for key, it in values["grpo"].items() if key not in EXECUTION}
    return values


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """A sentence with the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _recipe_text(name_or_path: str) -> str:
    path = Path(name_or_path)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: cannot be read ({error}).") from error
    shipped = shipped_recipes()
    if name_or_path not in shipped:
        near = nearest(name_or_path, dict.fromkeys(shipped))
        raise UsageError(
            f"{name_or_path}: there is no such file, and no recipe of that name.{near} "
            f"Recipes that come with pr1: {', '.join(shipped)}."
        )
    file = resources.files(__package__) / "recipes" / f"{name_or_path}.yaml"
    return file.read_text(encoding="utf-8")


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        inner = values.setdefault(parent, {})
        if not isinstance(inner, dict):
            return  # the recipe's own error; reading it says so
        values = inner
    values[last] = value


def _fields_at(location: tuple[int | str, ...]) -> Mapping[str, Any]:
    model: Any = Recipe
    for step in location:
        hint = model.model_fields[step].annotation
        options = [hint, *getattr(hint, "__args__", ())]
        model = next(option for option in options if hasattr(option, "model_fields"))
    return dict(model.model_fields)


def _wants_number(field: dataclasses.Field[Any]) -> bool:
    return "float" in str(field.type) or "int" in str(field.type)


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
