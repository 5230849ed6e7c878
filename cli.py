"""The command `pr1`: its subcommands, in the order in which one needs them.

The result's path goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed or over
the failure limit, 2 usage, 130 interrupted.
"""

from __future__ import annotations

from typing import Annotated

import typer

from . import __version__
from .commands.annotate import annotate
from .commands.collect import collect
from .commands.compare import compare
from .commands.doctor import doctor
from .commands.filter import filter_annotated
from .commands.judge import judge
from .commands.push_to_hub import push_to_hub
from .commands.report import report
from .commands.review import review
from .commands.train import train

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


app.command()(collect)
app.command()(annotate)
app.command(name="filter")(filter_annotated)
app.command()(judge)
app.command()(train)
app.command()(compare)
app.command()(review)
app.command()(report)
app.command(name="push-to-hub")(push_to_hub)
app.command()(doctor)
