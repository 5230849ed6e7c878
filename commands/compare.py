"""`pr1 compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..schemas.errors import UsageError
from .options import Seed, errors_as_text, print_json


def compare(
    a: Annotated[
        Path,
        typer.Argument(
            help="JSONL or CSV with `id` and `correct` of one model; or a pairs file, without B.",
            show_default=False,
        ),
    ],
    b: Annotated[Path | None, typer.Argument(help="The same of the other model.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Compare by group, too, e.g. by subject.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="For a README.")] = False,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the intervals, too.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Tell whether B answers, or sees, better than A on the same problems, and what is not shown.

    A line is a problem: `id`, `correct` (0, 1, true, false, or a list of several samples) and,
    where there is one, `perception`, a score between 0 and 1. Problems are matched by id.
    """
    with errors_as_text():
        from ..evaluate.comparison import compare as compare_models
        from ..evaluate.matching import read_matched

        if as_json and as_markdown:
            raise UsageError("--json and --markdown exclude each other. Leave one out.")
        if figure:
            from ..evaluate.figure import check_figure, draw_figure

            check_figure(figure)
        reports = compare_models(read_matched(a, b), by, seed)
        if figure:
            draw_figure(reports, figure)
            typer.echo(f"pr1: figure: {figure}", err=True)
        if as_json:
            from ..evaluate.wording import as_plain_data

            print_json({"a": str(a), "b": b and str(b), "seed": seed} | as_plain_data(reports))
        elif as_markdown:
            from ..evaluate.markdown import render_markdown

            typer.echo(render_markdown(reports))
        else:
            from ..evaluate.text import render_text

            typer.echo(render_text(reports))
