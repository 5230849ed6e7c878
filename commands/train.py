"""`pr1 train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Limit, LogLevel, Output, errors_as_text, print_json

if TYPE_CHECKING:
    from ..schemas.training import Recipe

RecipeOption = Annotated[
    str,
    typer.Option(
        "--config",
        metavar="RECIPE",
        help="A YAML file, or a recipe that comes with pr1: perception-r1-7b, answer-only, "
        "perception-r1-3b-lora-1gpu, tiny-cpu.",
        show_default=False,
    ),
]


def train(
    dataset: Annotated[
        str, typer.Argument(help="What `pr1 filter` wrote, or a hub id.", show_default=False)
    ],
    output: Output,
    config: RecipeOption,
    model: Annotated[
        str | None, typer.Option(help="Folder or hub id of the model to train.")
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option(help="rules, embedded, or provider/model.")
    ] = None,
    judge_base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Of the judge's OpenAI-compatible server.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random.")] = None,
    limit: Limit = None,
    report_to: Annotated[
        list[str] | None, typer.Option(help="tensorboard, trackio or wandb; repeatable.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a finished run, or one of another recipe.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved plan; start nothing.")
    ] = False,
    log_level: LogLevel = "warning",
) -> None:
    """Train a policy with GRPO and the perception reward.

    On several GPUs: accelerate launch CONFIG -m pr1 train ... (docs/training.md).
    """
    with errors_as_text():
        from ..train.recipe import load_recipe

        recipe = load_recipe(
            config,
            {
                "model.path": model,
                "judge.model.name": judge_model,
                "judge.model.base_url": judge_base_url,
                "grpo.max_steps": max_steps,
                "seed": seed,
                "limit": limit,
                "report_to": report_to or None,
            },
        )
        if dry_run:
            from ..train.plan import plan

            print_json(plan(recipe, dataset))
            return
        _train(recipe, dataset, output, overwrite)


def _train(recipe: Recipe, dataset: str, output: Path, overwrite: bool) -> None:
    from ..screen import show_outcome, shown_progress
    from ..train.processes import is_first_process
    from ..train.run import train

    if not is_first_process():
        train(recipe, dataset, output, overwrite=overwrite)
        return
    with shown_progress("train") as on_progress:
        manifest = train(recipe, dataset, output, overwrite=overwrite, on_progress=on_progress)
    show_outcome(manifest, output)
    typer.echo(output)
