"""Many requests at once to a server that computes 8 of them at a time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from asking import Table, asked, client_of, outcomes, run_engine
from serve import VllmServer

from pr1.llm.chat import ChatRequest
from pr1.schemas.config import Execution

ROWS = 300
AT_ONCE = (1, 8, 64, 256)

Answered = TypeVar("Answered")


async def check_load(table: Table, server: VllmServer, folder: Path) -> None:
    """How the answer's time grows with the requests under way; then the engine's own run."""
    for at_once in AT_ONCE:
        client = client_of(server.openai_url, "vllm/text")
        requests = rows(f"c{at_once}", 60 if at_once == 1 else ROWS)
        started = time.perf_counter()
        results, waiting = await watched(server, outcomes(client, requests, at_once))
        wall_s = time.perf_counter() - started
        kinds = Counter(type(result).__name__ for result in results)
        measured = f"{len(requests) / wall_s:.0f} rows/s, {times(client.seconds)}"
        measured += f", at most {waiting:.0f} waiting in the server"
        is_met = set(kinds) == {"ChatResponse"}
        table.add(f"client, {at_once} at once", "all answered", measured, is_met)
        await client.aclose()
    await check_engine(table, server, folder)
    statuses = server.statuses()
    table.add("429 or 503 so far", "does it ever say so?", f"statuses {statuses}")


async def check_engine(table: Table, server: VllmServer, folder: Path) -> None:
    """The same rows through the engine and its store, twice."""
    client = client_of(server.openai_url, "vllm/text")
    execution = Execution(concurrency=64)
    for check, expected in (("engine, 64 at once", ROWS), ("the same run again", 0)):
        already = client.sent
        started = time.perf_counter()
        run = run_engine(client, folder / "load.sqlite", rows("engine", ROWS), execution)
        results, waiting = await watched(server, run)
        wall_s = time.perf_counter() - started
        good = {result.index for result in results if result.error is None}
        sent = client.sent - already
        measured = f"{ROWS / wall_s:.0f} rows/s, {len(good)} of {ROWS} rows, {sent} sent"
        if sent:
            measured += f", {times(client.seconds)}, at most {waiting:.0f} waiting in the server"
        is_met = len(good) == len(results) == ROWS and sent == expected
        table.add(check, f"none lost, {expected} sent", measured, is_met)
    await client.aclose()


async def watched(server: VllmServer, work: Awaitable[Answered]) -> tuple[Answered, float]:
    """What the work returns, and the most requests that waited in the server meanwhile."""
    task = asyncio.ensure_future(work)
    most = 0.0
    while not task.done():
        await asyncio.wait({task}, timeout=0.25)
        most = max(
            most, await asyncio.to_thread(server.metric, "num_requests_waiting", 'engine="0"')
        )
    return task.result(), most


def times(seconds: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{median(seconds):.2f} s median, {quantiles(seconds, n=20)[-1]:.2f} s 95th percentile"


def rows(name: str, count: int) -> list[ChatRequest]:
    """Small requests, all different."""
    return [
        asked(f"{name} {number}.", max_tokens=64, temperature=1.0, seed=number)
        for number in range(count)
    ]
