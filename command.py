"""What the commands share: their options, what these mean, and how errors reach the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .schemas.errors import Pr1Error, UsageError

if TYPE_CHECKING:
    from .schemas.config import Execution, ModelConfig, SourceConfig


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
Concurrency = Annotated[int, typer.Option(min=1, help="Requests under way at once.")]
MaxFailures = Annotated[
    float, typer.Option(min=0, max=1, help="Share of records that may fail before exit 1.")
]


def read_source(path: str, columns: str, layout: str, split: str) -> SourceConfig:
    """Where problems come from, as the options say."""
    from .annotate.source.columns import parse_columns
    from .schemas.config import SourceConfig

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
    from .schemas.config import ModelConfig

    return ModelConfig(name=name, base_url=base_url, revision=revision)


def read_execution(concurrency: int, max_failures: float) -> Execution:
    """How to proceed, as the options say."""
    from .schemas.config import Execution

    return Execution(concurrency=concurrency, max_failures=max_failures)


def print_json(value: Any) -> None:
    """Print a result for programs to read."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def errors_as_text() -> Iterator[None]:
    """Errors that a user can act on become one line and an exit code; bugs keep their traceback."""
    from pydantic import ValidationError

    try:
        yield
    except Pr1Error as error:
        typer.echo(f"pr1: {error}", err=True)
        raise typer.Exit(error.exit_code) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        typer.echo(f"pr1: {where}: {first['msg']}, not {first['input']!r}.", err=True)
        raise typer.Exit(UsageError.exit_code) from error
    except KeyboardInterrupt:
        typer.echo("pr1: interrupted. The same command goes on where it stopped.", err=True)
        raise typer.Exit(130) from None
