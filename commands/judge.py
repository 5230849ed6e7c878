"""`pr1 judge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from ..schemas.manifest import Manifest
    from ..schemas.progress import OnProgress
    from ..schemas.training import JudgeConfig


def judge(
    ctx: typer.Context,
    completions: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="JSONL or Parquet rows: id, completion, answer, annotations, choices, question.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write.", show_default=False)
    ] = None,
    model: Annotated[
        str, typer.Option(help="rules, embedded, openai/..., anthropic/... or vllm/...")
    ] = "embedded",
    hybrid: Annotated[
        bool, typer.Option("--hybrid", help="Rules decide what is safe, the model the rest.")
    ] = False,
    base_url: BaseUrl = None,
    model_revision: Revision = None,
    contradiction_penalty: Annotated[
        float, typer.Option(min=0, help="Hits that a contradicted annotation takes back; paper: 0.")
    ] = 1.0,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="LABELS", help="Instead: how well the judge agrees with labels."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the calibration for programs.")
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
    """Say which visual annotations completions reflect, and score them."""
    with errors_as_text():
        from ..schemas.config import JudgeRunConfig
        from ..schemas.errors import UsageError

        if calibrate is not None:
            if completions is not None or output is not None:
                raise UsageError("--calibrate takes no FILE and no -o: it prints its table.")
            _calibrate(
                _judge_config(ctx, model, base_url, model_revision, hybrid), calibrate, as_json
            )
            return
        if completions is None or output is None:
            raise UsageError("Give a FILE of completions and -o OUT, or --calibrate LABELS.")
        run_config = JudgeRunConfig(
            completions=completions,
            model=read_model(model, base_url, model_revision),
            is_hybrid=hybrid,
            contradiction_penalty=contradiction_penalty,
            seed=seed,
            limit=limit,
            execution=read_execution(ctx),
        )
        if dry_run:
            from ..judge.plan import plan_judge

            print_json(plan_judge(run_config, output))
            return
        from ..judge.run import judge_completions

        out = output

        def run(on_progress: OnProgress) -> Manifest:
            return run_interruptibly(
                judge_completions(run_config, out, overwrite=overwrite, on_progress=on_progress)
            )

        run_stage("judge", run, output, max_failures)


def _judge_config(
    ctx: typer.Context, model: str, base_url: str | None, revision: str | None, is_hybrid: bool
) -> JudgeConfig:
    from ..schemas.training import JudgeConfig

    return JudgeConfig(
        model=read_model(model, base_url, revision),
        is_hybrid=is_hybrid,
        execution=read_execution(ctx),
    )


def _calibrate(config: JudgeConfig, labels: Path, as_json: bool) -> None:
    """Print how well the judge agrees with a file of labels."""
    from ..judge.calibration import Calibration, calibrate
    from ..judge.calibration_table import calibration_table
    from ..judge.opening import opened_judge
    from ..llm.model_file import cache_folder

    async def calibration() -> Calibration:
        # Its answers are kept with pr1's cache: labels are asked about again and again.
        async with opened_judge(config, cache_folder() / "calibration.sqlite") as judge:
            return await calibrate(judge, labels)

    result = run_interruptibly(calibration())
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        typer.echo(calibration_table(result))
