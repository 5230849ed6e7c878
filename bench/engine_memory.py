"""Peak memory by the number of rows: `python bench/engine_memory.py`, ten minutes.

Asks 2,000, 20,000 and 200,000 rows of the mock server through the engine (256 at once, 20 ms each)
and prints the peak resident memory of each run and its ratio to the first; with `--annotate`, the
same of the whole command `pr1 annotate`, which takes an hour.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine_runner import SHARED, Runner, annotate_command, engine_rows, free_port, prepared


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Peak memory by the number of rows.")
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 20_000, 200_000])
    parser.add_argument("--annotate", action="store_true", help="the whole command as well")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    options = parser.parse_args()
    print("| program | rows | peak RSS, MB | to the first | CPU, s |\n|---|---:|---:|---:|---:|")
    with prepared(options.shared) as runner:
        for program in ["engine", "pr1 annotate"][: 1 + options.annotate]:
            first = 0
            for rows in options.rows:
                run = measured(runner, program, rows)
                if run["rc"] != 0:
                    raise SystemExit(runner.log)
                first = first or run["rss_mb"]
                ratio = run["rss_mb"] / first
                print(
                    f"| {program} | {rows:,} | {run['rss_mb']} | {ratio:.2f} | {run['cpu']:.0f} |",
                    flush=True,
                )


def measured(runner: Runner, program: str, rows: int) -> dict[str, float]:
    """What the program took for so many rows."""
    if program == "engine":
        return runner.run(engine_rows("vllm"), rows=rows, latency="fixed:20")
    port = free_port()
    command = annotate_command(runner, rows, 256, port)
    server = {"content": str(runner.folder / "facts.json")}
    return runner.run(
        command, rows=rows, latency="fixed:20", server=server, port=port, timeout_s=7200
    )


if __name__ == "__main__":
    main()
