"""How well judges agree with our labelled pairs, on the halves tuned on and on those held out.

    python bench/judge_quality.py rules embedded hybrid:embedded
    python bench/judge_quality.py rules --half tune --errors

Prints the whole table of each judge and half, as `pr1 judge --calibrate` does, and one summary.
`--errors` lists the pairs in dispute; it goes with a half tuned on only. A model's answers are
kept in `--store`.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from pathlib import Path

from judges import add_judge_arguments, opened

from pr1.judge.calibration import Calibration, Rate, calibrate
from pr1.judge.calibration_table import calibration_table
from pr1.judge.judge import Judge, JudgeTask
from pr1.judge.labels import read_labels
from pr1.schemas.outcomes import Judgement

LABELS = Path(__file__).parents[1] / "data/judge_labels"
HALVES = ("tune", "held_out", "tune_2", "held_out_2")
TUNED_ON = ("tune", "tune_2")


def main() -> None:
    """Calibrate each judge on each half and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_judge_arguments(parser)
    parser.add_argument("--half", choices=HALVES)
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    if arguments.errors and arguments.half not in TUNED_ON:
        parser.error("--errors goes with --half tune or tune_2: the others are for measuring only")
    halves = [arguments.half] if arguments.half else HALVES
    asyncio.run(report(arguments, halves))


async def report(arguments: argparse.Namespace, halves: Iterable[str]) -> None:
    """Print the table of each judge and half, then a line for each."""
    lines = []
    for name in arguments.judges:
        async with opened(name, arguments.base_url, arguments.store) as judge:
            for half in halves:
                path = LABELS / f"{half}.jsonl"
                kept = Kept(judge)
                started = time.perf_counter()
                calibration = await calibrate(kept, path)
                seconds = time.perf_counter() - started
                print(f"{calibration_table(calibration)}\n")
                if arguments.errors:
                    print_disputes(kept, path)
                lines.append(summary(name, half, calibration, seconds))
    print("\n".join(lines))


class Kept:
    """A judge that keeps what it said."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.name, self.prompt_hash = judge.name, judge.prompt_hash
        self.words: dict[tuple[str, str], str] = {}

    async def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        """As the judge within."""
        asked = {task.id: task for task in tasks}
        async with aclosing(self._judge.judge(asked.values())) as judgements:
            async for judgement in judgements:
                task = asked[judgement.completion_id]
                facts = {annotation.id: annotation.statement for annotation in task.annotations}
                for verdict in judgement.verdicts or []:
                    self.words[task.completion, facts[verdict.annotation_id]] = verdict.verdict
                yield judgement


def print_disputes(kept: Kept, path: Path) -> None:
    """The pairs on which judge and label differ."""
    for pair in read_labels(path).pairs:
        word = kept.words.get((pair.completion, pair.annotation), "not scored")
        if word != pair.label:
            text = " ".join(pair.completion.split())
            print(f"{pair.label:12} judged {word:12} {pair.annotation}\n    {text}")
    print()


def summary(name: str, half: str, calibration: Calibration, seconds: float) -> str:
    """One line of the table in docs/judge.md."""
    overall = calibration.overall
    rates = (
        *(overall.accuracy, overall.binary_accuracy),
        *(overall.false_yes, overall.false_no, overall.false_contradiction),
    )
    kappa = f"{overall.kappa.value:.2f}" if overall.kappa else "-"
    unscored = sum(calibration.unscored.values())
    cells = [name, half, *map(cell, rates), kappa, f"{unscored}", f"{seconds:.1f} s"]
    return f"| {' | '.join(cells)} |"


def cell(rate: Rate) -> str:
    """Such as `.853 [.811, .888]`."""
    if rate.value is None:
        return "-"
    value, low, high = (
        f"{share:.3f}".removeprefix("0") for share in (rate.value, rate.low, rate.high)
    )
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    main()
