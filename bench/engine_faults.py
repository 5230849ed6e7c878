"""What faults, limits and kills do to a run: `python bench/engine_faults.py`, a quarter of an hour.

Three tables, each made by the engine's client (`engine_rows.py`) against the mock server:

- faults: every row must be answered or have a typed failure, once, in its place;
- limits: a server that refuses what is over its limit (429) must be used to nine tenths of what a
  client gets that knows the limit, and at most a fifth of the requests may be refused;
- kills: `kill -9` after a share of the answers, then the same command again. Answers that are paid
  for twice may be as many as were in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from engine_runner import KEYS, SHARED, Runner, annotate_command, engine_rows, free_port, prepared
from slow_drip import dripping

KINDS = {
    "e429": "429",
    "e500": "500",
    "e529": "529",
    "edrop": "connection dropped",
    "ebadjson": "malformed JSON",
    "etrunc": "answer truncated",
    "ebody": "body cut",
    "drip": "slow drip",
}
ROWS, CONCURRENCY = 2_000, 64
TIMEOUT_S = 2.0


class Limit(NamedTuple):
    """A limit of the server; `in_flight` is None where it limits the requests a second."""

    name: str
    server: Mapping[str, str]
    rows: int
    in_flight: int | None


REQUESTS_PER_S = 50
LIMITS = [
    Limit(f"{REQUESTS_PER_S} requests a second", {"rps": str(REQUESTS_PER_S)}, 3_000, None),
    Limit("32 in flight, 200 ms each", {"maxinflight": "32"}, 6_400, 32),
]


def main() -> None:
    """Run what was asked for and print its tables."""
    parser = argparse.ArgumentParser(description="What faults, limits and kills do to a run.")
    parser.add_argument("parts", nargs="*", default=["faults", "limits", "kills"])
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    options = parser.parse_args()
    with prepared(options.shared) as runner:
        for part in options.parts:
            {"faults": faults, "limits": limits, "kills": kills}[part](runner)
            print(flush=True)


def faults(runner: Runner) -> None:
    """Each kind of fault in 5% and in 20% of the answers, then all kinds together."""
    print("| fault | share | answered | failed | lost | in order, once | requests | span, s |")
    print("|---|---:|---:|---|---:|---|---:|---:|")
    for kind, name in KINDS.items():
        for share in (0.05, 0.20):
            print_fault(runner, name, {kind: share})
    for share in (0.05, 0.10):
        print_fault(runner, "all together, each", dict.fromkeys(KINDS, share))


def print_fault(runner: Runner, name: str, shares: dict[str, float]) -> None:
    """Print what became of the rows when the server has such faults."""
    port = free_port()
    server = {kind: str(share) for kind, share in shares.items() if kind != "drip"}
    with proxied(port, shares.get("drip", 0.0)) as asked_port:
        base_url = f"http://127.0.0.1:{asked_port}/v1"
        run = runner.run(
            engine_rows("vllm"),
            rows=ROWS,
            concurrency=CONCURRENCY,
            latency="fixed:50",
            server=server,
            environment=KEYS | {"BASE_URL": base_url, "TIMEOUT_S": str(TIMEOUT_S)},
            port=port,
            timeout_s=300,
        )
    ids, errors = ends_of(runner.work)
    failed = ", ".join(f"{count} {code}" for code, count in errors.items()) or "0"
    is_right = ids == list(range(ROWS))
    print(
        f"| {name} | {max(shares.values()):.0%} | {len(ids) - errors.total()} | {failed} "
        f"| {ROWS - len(set(ids))} | {'yes' if is_right else ended(run)} "
        f"| {run['srv'].get('req', 0)} | {run['span']:.1f} |",
        flush=True,
    )


def limits(runner: Runner) -> None:
    """How much of a server's limit is used, and how much is refused."""
    print("| limit | asked at once | of the limit used | refused | span, s |")
    print("|---|---:|---:|---:|---:|")
    for limit in LIMITS:
        allowed = rows_per_s(runner, limit)
        for concurrency in (64, 256):
            run = runner.run(
                engine_rows("vllm"),
                rows=limit.rows,
                concurrency=concurrency,
                server=limit.server,
                timeout_s=400,
            )
            used = run["srv"]["ok"] / run["span"] / allowed
            refused = run["srv"].get("limit429", 0) / run["srv"]["req"]
            print(
                f"| {limit.name} | {concurrency} | {used:.0%} | {refused:.1%} "
                f"| {run['span']:.1f} |{ended(run)}",
                flush=True,
            )


def rows_per_s(runner: Runner, limit: Limit) -> float:
    """What the limit allows: what a plain client gets that knows how many to have in flight."""
    if limit.in_flight is None:
        return REQUESTS_PER_S
    run = runner.run("c_raw.py", rows=limit.rows, concurrency=limit.in_flight)
    return limit.rows / float(run["span"])


def kills(runner: Runner) -> None:
    """What is paid for twice when a run is killed and started again."""
    print(
        "| program | killed at | answered by then | paid for twice | in flight | rows in the end |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    for name in ("engine", "pr1 annotate"):
        for share in (0.1, 0.5, 0.9):
            port = free_port()
            program, server = engine_rows("vllm"), {}
            if name == "pr1 annotate":
                program = annotate_command(runner, ROWS, CONCURRENCY, port)
                server = {"content": str(runner.folder / "facts.json")}
            run = runner.run(
                program,
                rows=ROWS,
                concurrency=CONCURRENCY,
                server=server,
                kill=share,
                port=port,
            )
            print(
                f"| {name} | {share:.0%} | {run['answered_at_kill']} | {run['repaid']} "
                f"| {CONCURRENCY} | {run['rows_ok']} |{ended(run['rerun'])}",
                flush=True,
            )


def ends_of(work: Path) -> tuple[list[int], Counter[str]]:
    """The rows that were written, in their order, and how many of them failed by which error."""
    lines = [json.loads(line) for line in (work / "out.jsonl").read_text().splitlines()]
    return [line["id"] for line in lines], Counter(
        line["error"] for line in lines if "error" in line
    )


def ended(run: dict[str, Any]) -> str:
    """Nothing when the program ended well, else how."""
    if run["killed"] == "timeout":
        return " **hung**"
    return "" if run["rc"] == 0 else f" **exit {run['rc'] >> 8}**"


@contextmanager
def proxied(server_port: int, share: float) -> Iterator[int]:
    """The port of a dripping proxy in a thread of its own; without faults, the server's own."""
    if not share:
        yield server_port
        return
    ready: Future[int] = Future()
    is_over = Event()

    async def serve() -> None:
        async with dripping(server_port, share) as port:
            ready.set_result(port)
            await asyncio.to_thread(is_over.wait)

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield ready.result(timeout=10)
    finally:
        is_over.set()
        thread.join()


if __name__ == "__main__":
    main()
