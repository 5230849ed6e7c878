"""`pr1 doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    BaseUrl,
    errors_as_text,
    print_json,
    read_model,
)


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
        from .. import doctor as room

        checks = room.run_checks(
            model=read_model(model, base_url, None) if model else None, fetch=fetch, store=store
        )
        if as_json:
            print_json([check._asdict() for check in checks])
        else:
            from rich.console import Console

            Console().print(room.as_table(checks))
        raise typer.Exit(room.exit_code(checks))
