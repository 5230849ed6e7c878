"""`pr1 push-to-hub`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..schemas.errors import UsageError
from .options import DryRun, errors_as_text, print_json

if TYPE_CHECKING:
    from ..hub import Plan, PushResult


class Layout(StrEnum):
    """How a training set is written."""

    PR1 = "pr1"
    PERCEPTION_R1 = "perception-r1"


def push_to_hub(
    folder: Annotated[Path, typer.Argument(help="A finished folder, of rows or of a model.")],
    repo_id: Annotated[str | None, typer.Argument(help="Repository, as owner/name.")] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Write what would be pushed to this folder; send nothing."),
    ] = None,
    layout: Annotated[
        Layout,
        typer.Option("--as", help="Layout of a training set: ours, or the paper's authors'."),
    ] = Layout.PR1,
    public: Annotated[bool, typer.Option("--public", help="Not private, for all to see.")] = False,
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="Branch to push to; made if missing.")
    ] = None,
    create_pr: Annotated[
        bool, typer.Option("--create-pr", help="Propose the change as a pull request.")
    ] = False,
    allow_source: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Publish this source although its terms forbid it."),
    ] = None,
    allow_paths: Annotated[
        bool, typer.Option("--allow-paths", help="Publish texts that name folders of a machine.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a dataset or a trained model on the Hugging Face hub, with its card."""
    with errors_as_text():
        from ..hub import push, write

        if (repo_id is None) == (to is None):
            raise UsageError("Give either a repository, as owner/name, or --to FOLDER.")
        if to is not None:
            write(
                folder,
                to,
                layout=layout.value,
                allow_sources=allow_source or (),
                allow_paths=allow_paths,
                on_plan=_show,
            )
            typer.echo(to)
            return
        if not (yes or dry_run or sys.stdin.isatty()):
            raise UsageError(
                "This is no terminal to ask at. Look at what --dry-run says, and give --yes."
            )
        result = push(
            folder,
            repo_id or "",
            layout=layout.value,
            private=not public,
            revision=revision,
            create_pr=create_pr,
            allow_sources=allow_source or (),
            allow_paths=allow_paths,
            on_plan=_show,
            confirm=(lambda: True) if yes else _ask,
            dry_run=dry_run,
        )
        if dry_run:
            print_json(result.plan.model_dump(mode="json"))
        else:
            _report(result)


def _show(plan: Plan) -> None:
    from ..hub.summary import summary

    typer.echo(summary(plan), err=True)


def _ask() -> bool:
    return typer.confirm("Send it?", err=True)


def _report(result: PushResult) -> None:
    if not result.is_sent:
        what = "The pull request is open already" if result.pull_request else "All of it is there"
        typer.echo(f"{what}; nothing was sent.", err=True)
    typer.echo(result.pull_request or result.url)
