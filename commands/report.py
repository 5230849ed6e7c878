"""`pr1 report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import errors_as_text


def report(
    folder: Annotated[
        Path,
        typer.Argument(help="What collect, annotate, filter, judge or train wrote."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="By default FOLDER/report.html."),
    ] = None,
) -> None:
    """Show what a run did on one HTML page that needs no other file, no network and no script."""
    with errors_as_text():
        from ..outputs.folder import REPORT
        from ..outputs.rows import read_manifest

        manifest = read_manifest(folder)
        path = output or folder / REPORT
        if manifest.stage == "train":
            from ..train.folder import TrainFolder
            from ..train.report import write_report as write_train_report

            write_train_report(TrainFolder(folder), manifest, path)
        else:
            from ..report.page import write_report

            write_report(folder, manifest, path)
        typer.echo(path)
