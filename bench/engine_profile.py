"""Where the CPU time of a run goes: `python bench/engine_profile.py vllm`.

Samples the program (`raw`, `vllm` or `anthropic` for the rows alone, `annotate` for the whole
command) with py-spy while it asks the mock server for its rows, and prints the share of
each part: what was imported, then the rest by the Python module that was at work. Time inside a C
extension (orjson, pydantic-core, sqlite3, sockets) counts for the module that called it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import gettempdir

from engine_runner import SHARED, annotate_command, engine_rows, free_port, prepared

ROOT = Path(__file__).parents[1]
SAMPLES_PER_S = 250
LINES = 25


def main() -> None:
    """Run the program under py-spy and print the shares."""
    parser = argparse.ArgumentParser(description="Where the CPU time of a run goes.")
    parser.add_argument("program", choices=["vllm", "anthropic", "annotate", "raw"])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    options = parser.parse_args()
    profiler = shutil.which("py-spy", path=Path(sys.executable).parent) or shutil.which("py-spy")
    if profiler is None:
        raise SystemExit("py-spy is missing. Install it: pip install py-spy")
    with prepared(options.shared) as runner:
        stacks, port, server = runner.folder / "stacks.txt", free_port(), {}
        if options.program == "raw":
            program = f"{runner.folder / 'c_raw.py'} aiohttp"
        elif options.program == "annotate":
            program = annotate_command(runner, options.rows, 256, port)
            server = {"content": str(runner.folder / "facts.json")}
        else:
            program = engine_rows(options.program)
        record = f"record --rate {SAMPLES_PER_S} --format raw --full-filenames --output {stacks}"
        run = runner.run(
            f"{record} -- {sys.executable} {program}",
            rows=options.rows,
            python=profiler,
            server=server,
            port=port,
        )
        if run["rc"] != 0:
            raise SystemExit(runner.log)
        print_shares(read_stacks(stacks))


def read_stacks(path: Path) -> Counter[tuple[str, ...]]:
    """Stack, outermost frame first -> how often it was seen."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in path.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(frames.split(";"))] += int(count)
    return stacks


def print_shares(stacks: Counter[tuple[str, ...]]) -> None:
    """Print the share of each part, and of each function alone and with what it calls."""
    total = stacks.total()
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for stack, count in stacks.items():
        part = part_of(stack)
        parts[part] += count
        if part != "imports":
            functions[function_of(stack[-1])] += count
            for function in {function_of(frame) for frame in stack if is_ours(frame)}:
                ours[function] += count
    print(f"{total} samples, {SAMPLES_PER_S} each CPU second\n")
    tables = {"part": parts, "function": functions, "pr1's function with all it calls": ours}
    for title, shares in tables.items():
        print(f"| {title} | share |\n|---|---:|")
        for name, count in shares.most_common(LINES):
            print(f"| {name} | {100 * count / total:.1f}% |")
        print()


def part_of(stack: tuple[str, ...]) -> str:
    """`imports`, or the package (of pr1: the module) whose Python code was at work."""
    if any("<frozen importlib" in frame for frame in stack):
        return "imports"
    path = Path(file_of(stack[-1]))
    if is_ours(stack[-1]):
        return path.relative_to(ROOT).as_posix()
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1]
    is_library = path.is_absolute() and not path.is_relative_to(gettempdir())
    return "Python's library" if is_library else "other"


def is_ours(frame: str) -> bool:
    """Whether the frame's code is of this repository."""
    path = Path(file_of(frame))
    return path.is_relative_to(ROOT) and "site-packages" not in path.parts


def function_of(frame: str) -> str:
    """A frame without its line number, its file by the last two names."""
    name = frame.partition(" (")[0]
    return f"{'/'.join(Path(file_of(frame)).parts[-2:])}: {name}"


def file_of(frame: str) -> str:
    """The file of `function (file:line)`."""
    return frame.partition(" (")[2].rstrip(")").rpartition(":")[0] or frame


if __name__ == "__main__":
    main()
