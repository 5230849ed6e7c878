"""`pr1 filter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    ConfigFile,
    Limit,
    Output,
    Overwrite,
    Seed,
    errors_as_text,
    run_stage,
)

if TYPE_CHECKING:
    from ..schemas.manifest import Manifest
    from ..schemas.progress import OnProgress


def filter_annotated(
    annotated: Annotated[str, typer.Argument(help="What `pr1 annotate` wrote.")],
    output: Output,
    min_annotations: Annotated[int, typer.Option(min=0, help="The least a row must have.")] = 1,
    size: Annotated[
        int | None, typer.Option(min=1, help="At most this many rows, stratified (paper: 1442).")
    ] = None,
    decontaminate: Annotated[
        list[str] | None, typer.Option(help="Evaluation set not to be trained on; repeatable.")
    ] = None,
    min_pixels: Annotated[int, typer.Option(min=1)] = 3_136,
    max_pixels: Annotated[int, typer.Option(min=1)] = 16_777_216,
    limit: Limit = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    config: ConfigFile = None,
) -> None:
    """Choose the training set, and account for every problem that is left out."""
    with errors_as_text():
        from ..filter.run import filter_problems
        from ..schemas.config import FilterConfig

        run_config = FilterConfig(
            annotated=annotated,
            min_annotations=min_annotations,
            size=size,
            decontaminate=decontaminate or [],
            min_pixels=min_pixels,
            max_pixels=max_pixels,
            seed=seed,
            limit=limit,
        )

        def run(on_progress: OnProgress) -> Manifest:
            return filter_problems(run_config, output, overwrite=overwrite, on_progress=on_progress)

        run_stage("filter", run, output, run_config.execution.max_failures)
