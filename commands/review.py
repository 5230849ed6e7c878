"""`pr1 review FOLDER`, and `pr1 review apply FOLDER -o NEW`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from ..schemas.errors import UsageError
from .options import Overwrite, errors_as_text, run_interruptibly


def review(
    folder: Annotated[
        list[str],
        typer.Argument(
            metavar="[apply] FOLDER",
            help="Output of `pr1 annotate`, `pr1 filter` or `pr1 judge`.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="With apply: the corrected folder, or labels.jsonl of verdicts."
        ),
    ] = None,
    overwrite: Overwrite = False,
    who: Annotated[
        str | None, typer.Option(help="Your name, in every decision.  [default: your login]")
    ] = None,
    judge: Annotated[
        bool, typer.Option("--judge", help="Refuse what is not an output of `pr1 judge`.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than loopback asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 7611,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Read and correct annotations, or a judge's verdicts, on a local web page.

    Decisions go to FOLDER.review.jsonl, beside the folder, which is never changed. `pr1 review
    apply FOLDER -o NEW` makes the corrected set of them, or, of verdicts, labels for `pr1 judge
    --calibrate`.
    """
    with errors_as_text():
        match folder:
            case ["apply", path] if output is not None:
                typer.echo(_apply(Path(path), output, overwrite=overwrite))
            case ["apply", _]:
                raise UsageError("Name what to make with -o: pr1 review apply FOLDER -o NEW.")
            case [path] if output is None:
                _open(Path(path), who, host, port, judge=judge, browser=browser)
            case [path]:
                raise UsageError(f"-o goes with apply: pr1 review apply {path} -o {output}.")
            case _:
                raise UsageError("Give one folder: pr1 review FOLDER, or pr1 review apply FOLDER.")


def _apply(folder: Path, out: Path, *, overwrite: bool) -> Path:
    from ..outputs.rows import read_manifest
    from ..review.apply import apply_review
    from ..review.labels import write_labels
    from ..screen import show_outcome

    if read_manifest(folder).stage == "judge":
        lines = write_labels(folder, out, overwrite=overwrite)
        typer.echo(f"pr1: {lines:,} labels, for pr1 judge --calibrate {out}", err=True)
    else:
        show_outcome(apply_review(folder, out, overwrite=overwrite), out)
    return out


def _open(
    folder: Path, who: str | None, host: str, port: int, *, judge: bool, browser: bool
) -> None:
    from ..review.log import ReviewLog
    from ..review.page import ReviewPages
    from ..review.rows import ReviewSet
    from ..review.server import serve

    rows = ReviewSet(folder)
    if judge and rows.stage != "judge":
        raise UsageError(f"{folder} is an output of `pr1 {rows.stage}`. Leave --judge out.")
    with ReviewLog(folder, who or _login()) as log:
        if log.cut_off:
            typer.echo(f"pr1: {log.path}: half a line at the end was cut off", err=True)
        try:
            run_interruptibly(
                serve(ReviewPages(rows, log), host, port, on_open=lambda url: _show(url, browser))
            )
        except KeyboardInterrupt:
            typer.echo(f"pr1: {len(log):,} decisions in {log.path}", err=True)


def _show(url: str, browser: bool) -> None:
    import os
    import sys
    import webbrowser

    typer.echo(url)
    typer.echo("pr1: reviewing; Ctrl-C ends it, every decision is saved at once", err=True)
    # Without a display a text browser may be found, which would take this terminal.
    has_display = sys.platform != "linux" or os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}
    if browser and has_display:
        webbrowser.open(url)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise UsageError("This machine does not say who you are. Give your name: --who.") from error
