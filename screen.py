"""What a run shows: a bar on a terminal or a line now and then in a log, and what came out.

All of it goes to stderr; stdout is for the result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .schemas.manifest import Manifest, Usage
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
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    console = Console(stderr=True)
    # The estimate looks back over the last 20 minutes: one unit of the embedded model takes half a
    # minute, and the default of 30 s would never tell the time left.
    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        speed_estimate_period=1200,
    )
    task = bar.add_task(label, total=None, unit=Progress(0, None).unit)
    started, latest = time.monotonic(), Progress(0, None)

    def render() -> Group:
        bar.update(task, completed=latest.done, total=latest.total, unit=latest.unit)
        details = _details(latest, time.monotonic() - started)
        return Group(bar, Text(", ".join(details), style="dim"))

    def on_progress(progress: Progress) -> None:
        nonlocal latest
        latest = progress

    with Live(get_renderable=render, console=console, transient=True, redirect_stdout=False):
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
        parts = [f"{count} {progress.unit}", *_details(progress, now - started)]
        if progress.total is not None and progress.done:
            left_s = (progress.total - progress.done) * (now - started) / progress.done
            parts.append(f"{left_s:.0f} s left")
        print(f"{label}: {', '.join(parts)}", file=sys.stderr, flush=True)  # noqa: T201

    yield on_progress


def _share(progress: Progress) -> str:
    return f"{progress.done}/{progress.total}"


def _details(progress: Progress, seconds: float) -> list[str]:
    """How fast it goes and what goes wrong, each in a few words."""
    details = [progress.doing] if progress.doing else []
    if progress.done and seconds:
        details.append(f"{progress.done / seconds:.3g}/s")
    if progress.failed:
        details.append(f"{sum(progress.failed.values())} failed ({_counted(progress.failed)})")
    traffic = progress.traffic
    if traffic is None:
        return details
    details.append(f"{traffic.in_flight} in flight of at most {traffic.limit}")
    if traffic.pause_s:
        details.append(f"no answer: asked again in {traffic.pause_s:.0f} s")
    if traffic.refusals:
        details.append(f"told to wait {traffic.refusals} times")
    if traffic.retries:
        details.append(f"sent again {sum(traffic.retries.values())} ({_counted(traffic.retries)})")
    if traffic.from_store:
        details.append(f"{traffic.from_store} from the store")
    return [*details, *_consumed(traffic.usage)]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _consumed(usage: Usage) -> list[str]:
    parts = [f"{usage.tokens_in + usage.tokens_out:,} tokens"] if usage.requests else []
    if usage.cost_usd is not None:
        parts.append(f"${usage.cost_usd:.4g}")
    return parts


def show_outcome(manifest: Manifest, out: Path) -> None:
    """What became of the records, and the first row as an example."""
    from rich.console import Console

    console = Console(stderr=True)
    console.print(_counts_table(manifest))
    if manifest.traffic:
        console.print(_what_was_asked(manifest), highlight=False)
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


def _what_was_asked(manifest: Manifest) -> str:
    """One line: how many answers came from where, and what they cost."""
    usage, in_all = manifest.usage, manifest.usage_in_all
    parts = [f"\n{usage.requests} answers asked for", *_consumed(usage)]
    if usage.cost_usd is None:
        parts.append("cost unknown: no price")
    if from_store := manifest.traffic.get("from_store"):
        parts.append(f"{from_store} read from the store")
    if in_all is not None and in_all.requests > usage.requests:
        parts.append(f"all runs together: {', '.join(_consumed(in_all))}")
    return "; ".join(parts)


def _show_example(manifest: Manifest, out: Path, console: Console) -> None:
    """Print the first row, with its picture as a file that can be opened."""
    from rich.text import Text

    if manifest.stage == "judge":
        _show_judged(out, console)
        return
    if manifest.stage == "train":
        console.print(Text(f"\nopen {out / 'report.html'}"))
        return
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


def _show_judged(out: Path, console: Console) -> None:
    """Print the first judged completion: what was asked, and what it got."""
    from rich.text import Text

    from .outputs.rows import read_rows
    from .schemas.outcomes import JudgedRow

    row = next(read_rows(out, JudgedRow), None)
    if row is None:
        return
    verdicts = {one.annotation_id: one.verdict for one in row.judgement.verdicts or []}
    console.print(Text(f"\nfor example {row.id}: {row.completion[:200]}"))
    for annotation in row.annotations:
        console.print(Text(f"  {verdicts.get(annotation.id, '-'):12} {annotation.statement}"))
    console.print(Text(f"  visual {row.reward.visual}, accuracy {row.reward.accuracy}"))
