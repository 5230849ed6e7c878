"""The command `pr1`: parse, wire, report; the work is done in the rooms.

The result's path goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed or over
the failure limit, 2 usage, 130 interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from .command import (
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
    from .schemas.manifest import Manifest
    from .schemas.progress import OnProgress

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"pr1 {__version__}")
        raise typer.Exit


@app.callback()
def pr1(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Visual annotations and perception rewards for training vision-language models."""


@app.command()
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
        from .annotate.collect import collect as collect_trajectories
        from .schemas.config import CollectConfig

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
            from .annotate.plan import plan_collect

            print_json(plan_collect(run_config, output))
            return

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                collect_trajectories(
                    run_config, output, overwrite=overwrite, on_progress=on_progress
                )
            )

        run_stage("collect", run, output, max_failures)


@app.command()
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
        from .annotate.run import annotate as annotate_source
        from .schemas.config import AnnotateConfig

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
            from .annotate.plan import plan_annotate

            print_json(plan_annotate(run_config, output))
            return

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                annotate_source(run_config, output, overwrite=overwrite, on_progress=on_progress)
            )

        run_stage("annotate", run, output, max_failures)


@app.command(name="filter")
def filter_annotated(
    annotated: Annotated[str, typer.Argument(help="What `pr1 annotate` wrote.")],
    output: Output,
    min_annotations: Annotated[int, typer.Option(min=0, help="The least a row must have.")] = 1,
    size: Annotated[
        int | None, typer.Option(min=1, help="At most this many rows, stratified (paper: 1442).")
    ] = None,
    decontaminate: Annotated[
        list[str] | None, typer.Option(help="Evaluation set not to be trained on; repeatable.")
    ] = None,
    min_pixels: Annotated[int, typer.Option(min=1)] = 3_136,
    max_pixels: Annotated[int, typer.Option(min=1)] = 16_777_216,
    limit: Limit = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    config: ConfigFile = None,
) -> None:
    """Choose the training set, and account for every problem that is left out."""
    with errors_as_text():
        from .filter.run import filter_problems
        from .schemas.config import FilterConfig

        run_config = FilterConfig(
            annotated=annotated,
            min_annotations=min_annotations,
            size=size,
            decontaminate=decontaminate or [],
            min_pixels=min_pixels,
            max_pixels=max_pixels,
            seed=seed,
            limit=limit,
        )

        def run(on_progress: OnProgress) -> Manifest:
            return filter_problems(run_config, output, overwrite=overwrite, on_progress=on_progress)

        run_stage("filter", run, output, run_config.execution.max_failures)


@app.command(name="push-to-hub")
def push_to_hub(
    folder: Annotated[Path, typer.Argument(help="A finished folder.")],
    repo_id: Annotated[str, typer.Argument(help="Dataset repository, as owner/name.")],
    public: Annotated[bool, typer.Option("--public", help="Not private, for all to see.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a folder on the Hugging Face hub: its card, rows and manifest."""
    with errors_as_text():
        from .hub import push_dataset

        result = push_dataset(folder, repo_id, private=not public, dry_run=dry_run)
        if dry_run:
            print_json(result.model_dump(mode="json"))
        else:
            typer.echo(result.url)


@app.command()
def doctor(
    model: Annotated[
        str | None, typer.Option(help="Send this model a tiny request and see what it honours.")
    ] = None,
    base_url: BaseUrl = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Get the embedded model.")] = False,
    store: Annotated[
        Path | None, typer.Option(help="Read through the response store of this output folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what is missing on this machine, and the command that mends it."""
    with errors_as_text():
        from . import doctor as room

        checks = room.run_checks(
            model=read_model(model, base_url, None) if model else None, fetch=fetch, store=store
        )
        if as_json:
            print_json([check._asdict() for check in checks])
        else:
            from rich.console import Console

            Console().print(room.as_table(checks))
        raise typer.Exit(room.exit_code(checks))
