"""`pr1 push-to-hub`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DryRun,
    errors_as_text,
    print_json,
)


def push_to_hub(
    folder: Annotated[Path, typer.Argument(help="A finished folder.")],
    repo_id: Annotated[str, typer.Argument(help="Dataset repository, as owner/name.")],
    public: Annotated[bool, typer.Option("--public", help="Not private, for all to see.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a folder on the Hugging Face hub: its card, rows and manifest."""
    with errors_as_text():
        from ..hub import push_dataset

        result = push_dataset(folder, repo_id, private=not public, dry_run=dry_run)
        if dry_run:
            print_json(result.model_dump(mode="json"))
        else:
            typer.echo(result.url)
