"""`python -m pr1.train.miniature OUT`: the whole experiment, from nothing to a table and a figure.

What is there already is kept, so an interrupted run goes on where it was, and a run with more seeds
adds only those. OUT then holds:

    base/         the model before GRPO      problems/   what it is trained and evaluated on
    runs/         what `pr1 train` wrote     filter/     with --filter: what `pr1 filter` wrote
    results.json  results.md  filter.md  figure.png
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
from pathlib import Path

from ...schemas.errors import Pr1Error
from .experiment import as_json, read_results, run_arms, write_problems
from .figure import draw_figure
from .limited import compare_sets
from .sft import teach
from .table import as_markdown


def main() -> int:
    """Run what the options say; the exit status."""
    options = _read_options()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("pr1.train.miniature").setLevel(logging.INFO)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    try:
        _prepare_base(out, options.base)
        if not options.base_only:
            write_problems(out)
            _compare_arms(out, range(options.seeds))
        if options.filter:
            _say(compare_sets(out), out / "filter.md")
    except Pr1Error as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pr1.train.miniature",
        description="Train a tiny model with and without the perception reward; compare.",
    )
    parser.add_argument("out", type=Path, help="folder to write, or to go on with")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each arm (1)")
    parser.add_argument(
        "--base", type=Path, help="a base model to start from; without it, one is taught"
    )
    last = parser.add_mutually_exclusive_group()
    last.add_argument("--base-only", action="store_true", help="teach the base model and stop")
    last.add_argument(
        "--filter",
        action="store_true",
        help="also compare training on what the base misreads with training on a random set",
    )
    return parser.parse_args()


def _prepare_base(out: Path, base: Path | None) -> None:
    folder, unfinished = out / "base", out / "base.unfinished"
    if folder.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    if base is None:
        teach(unfinished)
    else:
        shutil.copytree(base, unfinished)
    unfinished.rename(folder)


def _compare_arms(out: Path, seeds: range) -> None:
    run_arms(out, seeds)
    results = read_results(out, seeds)
    (out / "results.json").write_text(as_json(results), encoding="utf-8")
    draw_figure(out, seeds, out / "figure.png")
    _say(as_markdown(results), out / "results.md")


def _say(table: str, path: Path) -> None:
    path.write_text(table + "\n", encoding="utf-8")
    sys.stdout.write(f"{table}\n\n{path}\n\n")


if __name__ == "__main__":
    sys.exit(main())
