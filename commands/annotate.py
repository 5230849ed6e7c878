"""`pr1 annotate`."""

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


def annotate(
    ctx: typer.Context,
    source: Source,
    output: Output,
    model: Annotated[
        str, typer.Option(help="embedded, rules, openai/..., anthropic/... or vllm/...")
    ] = "embedded",
    base_url: BaseUrl = None,
    model_revision: Revision = None,
    columns: Columns = "",
    format: Format = "columns",  # noqa: A002
    split: Split = "train",
    keep_wrong: Annotated[
        bool, typer.Option("--keep-wrong", help="Annotate trajectories with a wrong answer, too.")
    ] = False,
    min_support: Annotated[
        int, typer.Option(min=1, help="Trajectories that must state a fact.")
    ] = 1,
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
    """Extract visual annotations from trajectories and validate them."""
    with errors_as_text():
        from ..annotate.run import annotate as annotate_source
        from ..schemas.config import AnnotateConfig

        run_config = AnnotateConfig(
            source=read_source(source, columns, format, split),
            model=read_model(model, base_url, model_revision),
            keep_wrong=keep_wrong,
            min_support=min_support,
            seed=seed,
            limit=limit,
            execution=read_execution(ctx),
        )
        if dry_run:
            from ..annotate.plan import plan_annotate

            print_json(plan_annotate(run_config, output))
            return

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                annotate_source(run_config, output, overwrite=overwrite, on_progress=on_progress)
            )

        run_stage("annotate", run, output, max_failures)
