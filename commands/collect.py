"""`pr1 collect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    BaseUrl,
    Batch,
    Columns,
    Concurrency,
    ConfigFile,
    DryRun,
    Format,
    Limit,
    LogLevel,
    MaxCost,
    MaxFailures,
    MaxTokens,
    Output,
    Overwrite,
    Prices,
    Revision,
    Rpm,
    Seed,
    Source,
    Split,
    Tpm,
    errors_as_text,
    print_json,
    read_execution,
    read_model,
    read_source,
    run_interruptibly,
    run_stage,
)

if TYPE_CHECKING:
    from ..schemas.manifest import Manifest
    from ..schemas.progress import OnProgress


def collect(
    ctx: typer.Context,
    source: Source,
    output: Output,
    model: Annotated[
        str, typer.Option(help="Multimodal model, e.g. openai/gpt-5.", show_default=False)
    ],
    samples: Annotated[int, typer.Option(min=1, help="Trajectories per problem.")] = 4,
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 1.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of one trajectory.")] = 4096,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are scaled.")] = 1_806_336,
    base_url: BaseUrl = None,
    model_revision: Revision = None,
    columns: Columns = "",
    format: Format = "columns",  # noqa: A002
    split: Split = "train",
    limit: Limit = None,
    seed: Seed = 0,
    concurrency: Concurrency = 32,
    rpm: Rpm = None,
    tpm: Tpm = None,
    max_cost_usd: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    prices: Prices = None,
    batch: Batch = False,
    max_failures: MaxFailures = 0.01,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    log_level: LogLevel = "warning",
    config: ConfigFile = None,
) -> None:
    """Sample trajectories from a strong multimodal model and check their answers.

    The questions and the pictures are sent to the model's service; --dry-run names it.
    """
    with errors_as_text():
        from ..annotate.collect import collect as collect_trajectories
        from ..schemas.config import CollectConfig

        run_config = CollectConfig(
            source=read_source(source, columns, format, split),
            model=read_model(model, base_url, model_revision),
            samples=samples,
            temperature=temperature,
            max_tokens=max_tokens,
            max_pixels=max_pixels,
            seed=seed,
            limit=limit,
            execution=read_execution(ctx),
        )
        if dry_run:
            from ..annotate.plan import plan_collect

            print_json(plan_collect(run_config, output))
            return

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                collect_trajectories(
                    run_config, output, overwrite=overwrite, on_progress=on_progress
                )
            )

        run_stage("collect", run, output, max_failures)
