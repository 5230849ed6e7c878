"""Which rows a recipe trains on, and which it evaluates on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..schemas.errors import UsageError
from ..schemas.records import TrainRow
from ..schemas.training import Recipe
from .policy import context_limit
from .rows import PreparedRows, held_out, prepare_rows
from .schedule import setting

if TYPE_CHECKING:
    from transformers import ProcessorMixin


class SplitRows(NamedTuple):
    """The rows, and where they went.

    Attributes:
        prepared: all of the training set.
        train: trained on.
        held_out: evaluated on.
        other: the other set that these are of; None where they are of the training set.
    """

    prepared: PreparedRows
    train: list[TrainRow]
    held_out: list[TrainRow]
    other: PreparedRows | None = None


def split_rows(
    recipe: Recipe,
    dataset: str,
    processor: ProcessorMixin | None,
    *,
    max_prompt_tokens: int | None,
    is_scaled: bool = True,
) -> SplitRows:
    """The rows to train and to evaluate on.

    Args:
        recipe: says how many are held out, or which other set is evaluated on.
        dataset: a folder of `pr1 filter`, or a hub id.
        processor: as `prepare_rows` takes it, like the rest.
        max_prompt_tokens: of a row that is kept.
        is_scaled: have the pictures scaled.

    Raises:
        UsageError: a set cannot be used, no row of the other set is left, or all would be held out.
    """

    def prepare(path: str, limit: int | None) -> PreparedRows:
        return prepare_rows(
            path,
            processor,
            pixels=recipe.pixels,
            max_prompt_tokens=max_prompt_tokens,
            limit=limit,
            is_scaled=is_scaled,
        )

    prepared = prepare(dataset, recipe.limit)
    evaluation = recipe.evaluation
    if evaluation is None or not prepared.rows:
        return SplitRows(prepared, prepared.rows, [])
    if evaluation.dataset is not None:
        other = prepare(evaluation.dataset, evaluation.rows)
        other.require_rows(evaluation.dataset)
        return SplitRows(prepared, prepared.rows, other.rows, other)
    return SplitRows(prepared, *held_out(prepared.rows, evaluation.rows, recipe.seed))


def most_prompt_tokens(recipe: Recipe) -> int | None:
    """The tokens that the completion leaves for the prompt; None where nothing limits them.

    Raises:
        UsageError: the completion alone is longer than what the model reads.
    """
    limit = context_limit(recipe.model, recipe.grpo)
    if limit is None:
        return None
    completion = int(setting(recipe.grpo, "max_completion_length"))
    if completion >= limit:
        raise UsageError(
            f"grpo.max_completion_length {completion} leaves no room for a prompt in the {limit} "
            "tokens that the model, or grpo.vllm_max_model_length, allows. Lower it."
        )
    return limit - completion
