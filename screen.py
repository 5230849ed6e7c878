"""What a run shows: a bar on a terminal or a line now and then in a log, and what came out.

All of it goes to stderr; stdout is for the result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .schemas.manifest import Manifest
from .schemas.progress import OnProgress, Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LINE_EVERY_S = 10.0


@contextmanager
def shown_progress(label: str) -> Iterator[OnProgress]:
    """A function to call whenever the run has come further; `label` says what is going on."""
    show = _bar if sys.stderr.isatty() else _lines
    with show(label) as on_progress:
        yield on_progress


@contextmanager
def _bar(label: str) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeRemainingColumn(),
    )
    # The estimate looks back over the last 20 minutes: one unit of the embedded model takes half a
    # minute, and the default of 30 s would never tell the time left.
    with RichProgress(
        *columns, console=Console(stderr=True), transient=True, speed_estimate_period=1200
    ) as bar:
        task = bar.add_task(label, total=None, detail="")

        def on_progress(progress: Progress) -> None:
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                detail=", ".join(["problems", *_details(progress)]),
            )

        yield on_progress


@contextmanager
def _lines(label: str) -> Iterator[OnProgress]:
    started = last_line = time.monotonic()

    def on_progress(progress: Progress) -> None:
        nonlocal last_line
        now = time.monotonic()
        if now - last_line < LINE_EVERY_S:
            return
        last_line = now
        count = f"{progress.done}" if progress.total is None else _share(progress)
        rate = progress.done / (now - started)
        parts = [f"{count} problems", f"{rate:.2g}/s", *_details(progress)]
        if progress.total is not None and progress.done:
            parts.append(f"{(progress.total - progress.done) / rate:.0f} s left")
        print(f"{label}: {', '.join(parts)}", file=sys.stderr, flush=True)  # noqa: T201

    yield on_progress


def _share(progress: Progress) -> str:
    return f"{progress.done}/{progress.total}"


def _details(progress: Progress) -> list[str]:
    details = []
    if progress.failed:
        details.append(f"{progress.failed} failed")
    if progress.usage.requests:
        tokens = progress.usage.tokens_in + progress.usage.tokens_out
        details.append(f"{tokens:,} tokens")
    if progress.usage.cost_usd is not None:
        details.append(f"${progress.usage.cost_usd:.2f}")
    return details


def show_outcome(manifest: Manifest, out: Path) -> None:
    """What became of the records, and the first row as an example."""
    from rich.console import Console

    console = Console(stderr=True)
    console.print(_counts_table(manifest))
    _show_example(manifest, out, console)


def _counts_table(manifest: Manifest) -> Table:
    from rich.table import Table

    counts = manifest.counts
    table = Table(box=None, pad_edge=False, title=f"{manifest.stage}: {counts.read} records read")
    table.add_column("where they are", no_wrap=True)
    table.add_column("records", justify="right")
    table.add_column("why", overflow="fold")
    table.add_row(f"{counts.rows} rows", f"{counts.in_rows}", "")
    for reason, number in counts.dropped_by_reason.items():
        table.add_row("dropped.jsonl", f"{number}", reason)
    for error, number in counts.failed_by_error.items():
        table.add_row("failures.jsonl", f"{number}", error)
    for reason, number in counts.rejected_by_reason.items():
        table.add_row("rejected facts", f"{number}", reason)
    return table


def _show_example(manifest: Manifest, out: Path, console: Console) -> None:
    """Print the first row, with its picture as a file that can be opened."""
    from rich.text import Text

    from .outputs.rows import read_rows
    from .schemas.records import AnnotatedProblem, TrainRow

    rows: Iterator[TrainRow] | Iterator[AnnotatedProblem]
    if manifest.stage == "filter":
        rows = read_rows(out, TrainRow)
    else:
        rows = read_rows(out, AnnotatedProblem)
    row = next(rows, None)
    if row is None or not row.images:
        return
    picture = out / ".pr1" / f"example{Path(row.images[0].path or '.png').suffix}"
    picture.write_bytes(row.images[0].bytes)
    console.print(Text(f"\nfor example {row.id}: {row.question}\n  answer   {row.answer}"))
    console.print(Text(f"  picture  {picture}"))
    for annotation in row.annotations:
        console.print(Text(f"  {annotation.kind:8} {annotation.statement}"))
