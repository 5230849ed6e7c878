"""pr1's run engine beside plain HTTP clients: `python bench/engine_speed.py --json results.json`.

Every client asks the same rows of the same mock server (`engine_runner.py`), as a program of its
own, in turn, so that a busy machine slows all of them alike. Printed are medians over the repeats:

- start-up: CPU seconds that do not grow with the rows, most of them imports;
- CPU per row: (CPU of 10,000 rows - CPU of 2,000) / 8,000, and its ratio to the plain client's of
  the same repeat;
- span / ideal: from the first request to the last answer, over ceil(rows / 256) x 200 ms;
- span / raw: the span over the plain client's of the same repeat.

`pr1 annotate` reads a source, compares answers, validates facts and writes Parquet besides: its
figures are those of the whole command and not the engine's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from engine_runner import (
    KEYS,
    SHARED,
    Runner,
    annotate_command,
    engine_rows,
    free_port,
    machine,
    prepared,
)

FEW, MANY = 2_000, 10_000
STEADY, VARIED = "fixed:200", "lognormal:800:0.6"
RAW = "raw aiohttp"
ANNOTATE = "pr1 annotate"

Measured = dict[str, Any]
Client = Callable[[int, str], Measured]


def main() -> None:
    """Measure, print the tables and write every single run."""
    parser = argparse.ArgumentParser(description="pr1's run engine beside plain HTTP clients.")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--annotate", type=int, default=1, help="repeats of the whole command")
    parser.add_argument("--json", type=Path, help="file for the figures of every run")
    options = parser.parse_args()
    with prepared(options.shared) as runner:
        runs = measure(runner, options.repeats, options.annotate)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "runs": runs}, indent=1) + "\n")
    print("; ".join(f"{name}: {value}" for name, value in machine().items()), "\n")
    print(steady_table(runs), "\n")
    print(varied_table(runs))


def measure(runner: Runner, repeats: int, annotate_repeats: int) -> list[Measured]:
    """The runs of all clients, in turn under each setting."""
    clients, runs = clients_of(runner), []
    for repeat in range(repeats):
        for rows, latency in [(FEW, STEADY), (MANY, STEADY), (MANY, VARIED)]:
            for name, client in clients.items():
                if name == ANNOTATE and (repeat >= annotate_repeats or latency == VARIED):
                    continue
                run = {"client": name, "repeat": repeat, **client(rows, latency)}
                check(run, rows, runner)
                runs.append(run)
                print(
                    f"{name}, {rows} rows, {latency}: {run['cpu']} s CPU, span {run['span']:.1f} s",
                    file=sys.stderr,
                )
    return runs


def clients_of(runner: Runner) -> dict[str, Client]:
    """What is compared, the plain client first."""

    def raw(rows: int, latency: str) -> Measured:
        return runner.run("c_raw.py", rows=rows, latency=latency)

    def fastest(rows: int, latency: str) -> Measured:
        environment = {"LIB": "pyreqwest", "UVLOOP": "1"}
        return runner.run("c_raw.py", rows=rows, latency=latency, environment=environment)

    def engine(provider: str) -> Client:
        return lambda rows, latency: runner.run(
            engine_rows(provider), rows=rows, latency=latency, environment=KEYS
        )

    def annotate(rows: int, latency: str) -> Measured:
        port = free_port()
        command = annotate_command(runner, rows, 256, port)
        server = {"content": str(runner.folder / "facts.json")}
        return runner.run(command, rows=rows, latency=latency, server=server, port=port)

    clients = {RAW: raw}
    if find_spec("pyreqwest") and find_spec("uvloop"):
        clients["raw pyreqwest, uvloop"] = fastest
    return clients | {
        "pr1 engine, OpenAI": engine("vllm"),
        "pr1 engine, Anthropic": engine("anthropic"),
        ANNOTATE: annotate,
    }


def check(run: Measured, rows: int, runner: Runner) -> None:
    """Stop when a client left rows out or asked twice: its figures would mean nothing."""
    server = run["srv"]
    if (run["rc"], server.get("rows_ok"), server.get("repeat_ok", 0)) != (0, rows, 0):
        print(runner.log, file=sys.stderr)
        raise SystemExit(f"{run['client']}: not every row was answered once: {json.dumps(run)}")


def steady_table(runs: list[Measured]) -> str:
    """CPU, span and memory where every answer takes 200 ms."""
    lines = [
        "| client | start-up CPU, s | CPU per row, ms | x raw | span / ideal, 2,000 | 10,000 "
        "| span / raw, 10,000 | peak RSS, MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    raw, raw_per_row = pick(runs, RAW, MANY, STEADY), marginal(runs, RAW)
    for name in names(runs):
        few, many = (pick(runs, name, rows, STEADY) for rows in (FEW, MANY))
        per_row = marginal(runs, name)
        cost = median(cpu / raw_per_row[repeat] for repeat, cpu in per_row.items())
        slower = median(run["span"] / raw[repeat]["span"] for repeat, run in many.items())
        start_up = median(few[repeat]["cpu"] - FEW * cpu for repeat, cpu in per_row.items())
        spans = [median(run["span"] / run["ideal"] for run in r.values()) for r in (few, many)]
        rss = median(run["rss_mb"] for run in many.values())
        lines.append(
            f"| {name} | {start_up:.2f} | {1000 * median(per_row.values()):.3f} "
            f"| {cost:.2f} | {spans[0]:.2f} | {spans[1]:.2f} | {slower:.2f} | {rss:.0f} |"
        )
    return "\n".join(lines)


def varied_table(runs: list[Measured]) -> str:
    """How long 10,000 rows took where answers take 800 ms in the median, and some much longer."""
    lines = ["| client | span, s | span / raw | CPU, s |", "|---|---:|---:|---:|"]
    raw = pick(runs, RAW, MANY, VARIED)
    for name in names(runs):
        found = pick(runs, name, MANY, VARIED)
        if found:
            span = median(run["span"] for run in found.values())
            ratio = median(run["span"] / raw[repeat]["span"] for repeat, run in found.items())
            cpu = median(run["cpu"] for run in found.values())
            lines.append(f"| {name} | {span:.1f} | {ratio:.2f} | {cpu:.1f} |")
    return "\n".join(lines)


def marginal(runs: list[Measured], name: str) -> dict[int, float]:
    """Repeat -> CPU seconds of one more row."""
    few, many = (pick(runs, name, rows, STEADY) for rows in (FEW, MANY))
    return {repeat: (many[repeat]["cpu"] - few[repeat]["cpu"]) / (MANY - FEW) for repeat in many}


def pick(runs: list[Measured], name: str, rows: int, latency: str) -> dict[int, Measured]:
    """Repeat -> the client's run of so many rows under these answer times."""
    wanted = (name, rows, latency)
    return {
        run["repeat"]: run for run in runs if (run["client"], run["n"], run["latency"]) == wanted
    }


def names(runs: list[Measured]) -> list[str]:
    """The clients, in the order in which they ran."""
    return list(dict.fromkeys(run["client"] for run in runs))


if __name__ == "__main__":
    main()
