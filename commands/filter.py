"""`pr1 filter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from ..schemas.errors import UsageError
from .options import (
    BaseUrl,
    Concurrency,
    ConfigFile,
    DryRun,
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
    Tpm,
    errors_as_text,
    print_json,
    read_execution,
    read_model,
    run_interruptibly,
    run_stage,
)

if TYPE_CHECKING:
    from ..schemas.config import PolicyConfig
    from ..schemas.manifest import Manifest
    from ..schemas.progress import OnProgress
    from ..schemas.records import Bucket

# Options that mean nothing where no policy is rolled out.
_OF_THE_POLICY = (
    *("base_url", "model_revision", "rollouts", "max_rollouts", "temperature", "max_tokens"),
    *("blind", "keep", "by_score"),
)


def filter_annotated(
    ctx: typer.Context,
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
    policy: Annotated[
        str | None,
        typer.Option(help="Roll this model out, and keep what it fails for misreading a picture."),
    ] = None,
    base_url: BaseUrl = None,
    model_revision: Revision = None,
    rollouts: Annotated[int, typer.Option(min=1, help="Of a problem under each condition.")] = 8,
    max_rollouts: Annotated[int, typer.Option(min=1, help="Topped up to while undetermined.")] = 32,
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 1.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Of one completion.")] = 4096,
    blind: Annotated[
        bool, typer.Option("--blind", help="Roll out without the picture, too.")
    ] = False,
    keep: Annotated[
        str, typer.Option(metavar="BUCKET,...", help="Buckets to keep, preferred ones first.")
    ] = "perception-limited,undetermined",
    by_score: Annotated[
        bool,
        typer.Option("--by-score", help="Of a bucket, first what the annotations help most."),
    ] = False,
    limit: Limit = None,
    seed: Seed = 0,
    concurrency: Concurrency = 32,
    rpm: Rpm = None,
    tpm: Tpm = None,
    max_cost_usd: MaxCost = None,
    max_tokens_total: MaxTokens = None,
    prices: Prices = None,
    max_failures: MaxFailures = 0.01,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    log_level: LogLevel = "warning",
    config: ConfigFile = None,
) -> None:
    """Choose the training set, and account for every problem that is left out.

    With --policy, the questions and the pictures are sent to that model's service; --dry-run
    names it.
    """
    with errors_as_text():
        from ..filter.run import filter_problems
        from ..schemas.config import FilterConfig

        run_config = FilterConfig(
            annotated=annotated,
            min_annotations=min_annotations,
            size=size,
            decontaminate=decontaminate or [],
            min_pixels=min_pixels,
            max_pixels=max_pixels,
            policy=_read_policy(ctx),
            seed=seed,
            limit=limit,
            execution=read_execution(ctx),
        )
        if dry_run:
            from ..filter.plan import plan_filter

            print_json(run_interruptibly(plan_filter(run_config, output)))
            return

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                filter_problems(run_config, output, overwrite=overwrite, on_progress=on_progress)
            )

        run_stage("filter", run, output, max_failures)


def _read_policy(ctx: typer.Context) -> PolicyConfig | None:
    """Who is rolled out and how, as the options say; None without a policy.

    Raises:
        UsageError: an option is given that needs one, or a bucket is none.
    """
    from ..schemas.config import PolicyConfig

    given = ctx.params
    if given["policy"] is None:
        for name in _OF_THE_POLICY:
            source = ctx.get_parameter_source(name)
            if source is not None and source.name != "DEFAULT":
                option = name.replace("_", "-")
                raise UsageError(f"--{option} is about a policy's rollouts. Name one: --policy.")
        return None
    if not given["policy"].strip():
        raise UsageError("--policy is empty. Name a model that sees: vllm/MODEL, openai/MODEL, ...")
    return PolicyConfig(
        model=read_model(given["policy"], given["base_url"], given["model_revision"]),
        rollouts=given["rollouts"],
        max_rollouts=given["max_rollouts"],
        temperature=given["temperature"],
        max_tokens=given["max_tokens"],
        blind=given["blind"],
        keep=_read_buckets(given["keep"]),
        by_score=given["by_score"],
    )


def _read_buckets(text: str) -> list[Bucket]:
    from ..schemas.records import Bucket

    known = get_args(Bucket)
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"--keep names {unknown[0]!r}, which is no bucket. Known ones: {', '.join(known)}."
        )
    if len(set(names)) < len(names):
        raise UsageError(f"--keep {text} names a bucket twice.")
    return cast("list[Bucket]", names)
