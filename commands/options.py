"""What the commands share: their options, what these mean, and how errors reach the user."""

from __future__ import annotations

import json
import logging
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ..garbage import rare_collections
from ..schemas.errors import Pr1Error, UsageError

if TYPE_CHECKING:
    from ..schemas.config import Execution, ModelConfig, SourceConfig
    from ..schemas.manifest import Manifest
    from ..schemas.progress import OnProgress


class _OnStderr(logging.Handler):
    """Writes to whatever `sys.stderr` is at the moment: a progress bar puts itself in between."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"pr1: {record.levelname.lower()}: {_plain(record.getMessage())}", err=True)


def set_log_level(level: str) -> str:
    """Let pr1 say on stderr what it does, from this level on."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise typer.BadParameter(f"{level!r} is none of debug, info, warning, error.")
    logger = logging.getLogger("pr1")
    logger.handlers, logger.propagate = [_OnStderr()], False
    logger.setLevel(number)
    return level


Result = TypeVar("Result")


def read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    """Take the defaults of the command's options from a YAML file."""
    if path is None:
        return None
    import yaml

    with errors_as_text():
        try:
            values = yaml.safe_load(path.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise UsageError(f"--config {path}: cannot be read ({reason}).") from error
        if not isinstance(values, dict):
            raise UsageError(f"--config {path}: holds no `option: value` lines.")
        values = {str(name).replace("-", "_"): value for name, value in values.items()}
        known = {parameter.name for parameter in ctx.command.params}
        if unknown := sorted(values.keys() - known):
            raise UsageError(
                f"--config {path}: {', '.join(unknown)} is no option of `pr1 {ctx.info_name}`."
            )
    ctx.default_map = values
    return path


Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder to write.", show_default=False)
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace a finished folder; answers already paid for are kept."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done and sent; send nothing.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Read at most this many problems.")]
Seed = Annotated[int, typer.Option(help="Of everything random in the run.")]
LogLevel = Annotated[
    str,
    typer.Option(
        "--log-level", callback=set_log_level, help="debug, info, warning or error, on stderr."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", is_eager=True, callback=read_config, help="YAML file with these options."
    ),
]
Source = Annotated[
    str, typer.Argument(help="JSONL or Parquet file, folder, or hub id.", show_default=False)
]
Columns = Annotated[
    str, typer.Option(metavar="OURS=THEIRS,...", help="Column names, where they differ.")
]
Format = Annotated[
    str, typer.Option(help="Layout: columns, geometry3k, perception-r1 or llava-cot.")
]
Split = Annotated[str, typer.Option(help="Split of a hub id or dataset folder.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="Of an OpenAI-compatible server.")]
Revision = Annotated[
    str | None, typer.Option("--model-revision", help="The model's version, for the record.")
]
Concurrency = Annotated[int, typer.Option(min=1, help="Requests under way at once, at most.")]
Rpm = Annotated[int | None, typer.Option("--rpm", min=1, help="Requests per minute at most.")]
Tpm = Annotated[int | None, typer.Option("--tpm", min=1, help="Tokens per minute at most.")]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost-usd", min=0, help="Stop before the output folder has cost more."),
]
MaxTokens = Annotated[
    int | None,
    typer.Option("--max-tokens-total", min=0, help="Stop before it has taken more tokens."),
]
Prices = Annotated[
    str | None, typer.Option(metavar="FILE", help="YAML file with prices of models.")
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Use the provider's batch API: half price, within a day.")
]
MaxFailures = Annotated[
    float, typer.Option(min=0, max=1, help="Share of records that may fail before exit 1.")
]


def read_source(path: str, columns: str, layout: str, split: str) -> SourceConfig:
    """Where problems come from, as the options say."""
    from ..annotate.source.columns import parse_columns
    from ..schemas.config import SourceConfig

    return SourceConfig.model_validate(
        {"path": path, "columns": parse_columns(columns), "format": layout, "split": split}
    )


def read_model(name: str, base_url: str | None, revision: str | None) -> ModelConfig:
    """Which model, as the options say."""
    if not name.strip():
        raise UsageError(
            "--model is empty. Name one: embedded, rules, openai/MODEL, anthropic/MODEL, "
            "vllm/MODEL."
        )
    from ..schemas.config import ModelConfig

    return ModelConfig(name=name, base_url=base_url, revision=revision)


def read_execution(ctx: typer.Context) -> Execution:
    """How to proceed: every option that has the name of a field of `Execution`."""
    from ..schemas.config import Execution

    given = {name: value for name, value in ctx.params.items() if name in Execution.model_fields}
    return Execution.model_validate(given)


def run_interruptibly(work: Coroutine[Any, Any, Result]) -> Result:
    """What the coroutine returns; Ctrl-C and SIGTERM let it end in order.

    Raises:
        KeyboardInterrupt: it was interrupted, and has ended.
    """
    import asyncio

    async def main() -> Result:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        with rare_collections():
            return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def run_stage(
    stage: str, run: Callable[[OnProgress], Manifest], out: Path, max_failures: float
) -> None:
    """Run a stage under a progress display, report it, and fail if too much of it failed.

    Raises:
        Pr1Error: more records failed than `max_failures` allows; the others are written.
    """
    from ..screen import show_outcome, shown_progress

    with shown_progress(stage) as on_progress:
        manifest = run(on_progress)
    show_outcome(manifest, out)
    typer.echo(out)
    counts = manifest.counts
    if counts.failed > max_failures * counts.read:
        raise Pr1Error(
            f"{counts.failed} of {counts.read} records failed, more than --max-failures "
            f"{max_failures:g} allows: see {out / 'failures.jsonl'}. The other rows are written."
        )


def print_json(value: Any) -> None:
    """Print a result for programs to read."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _plain(text: str) -> str:
    """The text without control characters: a service's words must not command the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


@contextmanager
def errors_as_text() -> Iterator[None]:
    """Errors that a user can act on become one line and an exit code; bugs keep their traceback."""
    from pydantic import ValidationError

    try:
        yield
    except Pr1Error as error:
        typer.echo(f"pr1: {_plain(str(error))}", err=True)
        raise typer.Exit(error.exit_code) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        typer.echo(f"pr1: {where}: {first['msg']}, not {first['input']!r}.", err=True)
        raise typer.Exit(UsageError.exit_code) from error
    except KeyboardInterrupt:
        from ..outputs.provenance import without_secrets

        command = without_secrets(shlex.join(["pr1", *sys.argv[1:]]))
        typer.echo(f"pr1: interrupted. What was answered is kept; go on with: {command}", err=True)
        raise typer.Exit(130) from None
