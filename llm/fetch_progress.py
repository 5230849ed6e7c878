"""How a long download shows that it is alive: a bar on a terminal, a line per tenth in a log.

All of it goes to stderr; stdout is for the result.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnBytes = Callable[[int], None]


def say(line: str) -> None:
    """Write one line for the user."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def shown_bytes(total: int) -> Iterator[OnBytes]:
    """A function to call with the number of bytes that are there; the first call is the start."""
    show = _bar if sys.stderr.isatty() else _lines
    with show(total) as on_bytes:
        yield on_bytes


@contextmanager
def _bar(total: int) -> Iterator[OnBytes]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(bar_width=None), DownloadColumn(), TimeRemainingColumn())
    # Bytes come in parts of 50 MB, so the estimate must look back over several of them.
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=300) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _lines(total: int) -> Iterator[OnBytes]:
    started = time.monotonic()
    first: int | None = None
    last_tenth = 0

    def on_bytes(done: int) -> None:
        nonlocal first, last_tenth
        if first is None:
            first = done
        if (tenth := 10 * done // total) == last_tenth:
            return
        last_tenth = tenth
        elapsed_s = time.monotonic() - started
        left_s = elapsed_s * (total - done) / (done - first) if done > first else None
        left = "" if left_s is None else f", about {left_s:.0f} s left"
        say(f"  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB{left}")

    yield on_bytes
