"""What pr1 adds to a training step: `pr1 train` beside bare TRL with a reward that does nothing.

    python bench/step_time.py --json steps.json

A tiny random vision-language model (Idefics3) takes the same steps on the CPU, one thread, through
`pr1 train` with the rules judge, and through TRL's `GRPOTrainer` with the same settings, rows and
pictures and a reward of 0 for everything. What is compared is time.

Both trainers live in one process, have the same model, and take turns step by step, in an order
that is drawn: while one takes its step the other waits. The learning rate is 0, so neither changes
the model. Two processes would not do: one is up to a third faster than another of the same program,
for as long as it lives. Some of that luck stays with an arm within a process, so there are several
runs, each a new one. How much stays is what `--no-reward` shows, in which pr1 has no completions to
log, either.

CPU is given twice: that of the trainers' process, and with that of the processes beside it, in
which pr1 checks answers. The first steps are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import psutil

from pr1.stats.samples import mean_difference

TESTS = Path(__file__).parents[1] / "tests"
ARMS = ("bare", "pr1")
ROWS, LEFT_OUT = 64, 3
PATIENCE_S = 300.0
CLOCKS = {"wall_s": "wall", "cpu_s": "CPU", "all_cpu_s": "CPU, all processes"}

Seconds = dict[str, float]
Turn = dict[str, Seconds]
"""What a step of each arm took, and the reward in it."""


def settings(steps: int) -> dict[str, Any]:
    """The trainer's, in both arms: eight prompts of eight completions, 40 tokens each."""
    return {
        "max_steps": steps,
        "per_device_train_batch_size": 64,
        "num_generations": 8,
        "max_completion_length": 40,
        "generation_kwargs": {"forced_eos_token_id": 4},
        "learning_rate": 0.0,
        "save_strategy": "no",
    }


class Stopwatch:
    """What the `CLOCKS` show since it was made.

    Finding the processes beside this one takes a millisecond, so it is not done while a step runs.
    """

    helpers: ClassVar[list[psutil.Process]] = []

    def __init__(self) -> None:
        self._start = self._clocks()

    def seconds(self) -> Seconds:
        """By each clock."""
        ends = zip(CLOCKS, self._start, self._clocks(), strict=True)
        return {name: end - start for name, start, end in ends}

    @classmethod
    def find_helpers(cls) -> None:
        """Look for the processes beside this one; the start of one is no step's."""
        cls.helpers = psutil.Process().children(recursive=True)

    @classmethod
    def _clocks(cls) -> tuple[float, ...]:
        wall, own = time.perf_counter(), time.process_time()
        beside = 0.0
        for process in cls.helpers:
            with suppress(psutil.NoSuchProcess):  # ended just now
                taken = process.cpu_times()
                beside += taken.user + taken.system
        return (wall, own, own + beside)


class Turns:
    """Two arms take their steps one at a time, each in a thread of its own, in a drawn order."""

    def __init__(self, steps: int, train_bare: Callable[[], None]) -> None:
        dice = random.Random(0)
        drawn = chain.from_iterable(dice.sample(ARMS, 2) for _ in range(steps - 1))
        # pr1's first step is under way before the bare arm starts, and pr1 has the last word.
        self._to_follow = chain(["bare"], drawn, ["pr1"])
        self.taken: dict[str, list[Seconds]] = {name: [] for name in (*ARMS, "reward")}
        self._turn = {arm: threading.Semaphore(0) for arm in ARMS}
        self._bare = threading.Thread(target=train_bare, daemon=True)
        self._watch = Stopwatch()

    def end_step(self, arm: str) -> None:
        """Note what the arm's step took; returns when its next one may begin."""
        self.taken[arm].append(self._watch.seconds())
        follows = next(self._to_follow)
        if follows == "bare" and self._bare.ident is None:
            self._bare.start()
        else:
            self._turn[follows].release()
        if not self._turn[arm].acquire(timeout=PATIENCE_S):
            raise SystemExit("The other arm has stopped.")
        Stopwatch.find_helpers()
        self._watch = Stopwatch()


def one_run(steps: int, has_reward: bool, folder: Path) -> list[Turn]:
    """What each turn took, in this process; without `has_reward` pr1's does nothing, too."""
    from tiny_models import tiny_idefics3
    from train_sets import tiny_recipe, train_rows, write_train_set

    from pr1.train import run, trainer
    from pr1.train.policy import load_policy

    path = tiny_idefics3(folder / "model", hidden=96)
    dataset = write_train_set(folder / "set", train_rows(ROWS))
    as_they_are = {"min": 1}  # the pictures: pr1 would enlarge them
    recipe = tiny_recipe(path, settings(steps), pixels=as_they_are)
    model = load_policy(recipe.model)
    turns = Turns(steps, lambda: train_bare(recipe, model, dataset, folder, turns))

    class TimedReward(run.PerceptionReward):
        """Notes what each call takes."""

        async def __call__(self, **columns: Any) -> list[float | None]:
            watch = Stopwatch()
            totals: list[float | None] = [0.0] * len(columns["completions"])
            if has_reward:
                totals = await super().__call__(**columns)
            turns.taken["reward"].append(watch.seconds())
            return totals

    def end_step(_: Any) -> None:
        turns.end_step("pr1")

    run.PerceptionReward = TimedReward
    trainer.load_policy = lambda _: model
    run.train(recipe, str(dataset), folder / "out", on_progress=end_step)
    every = zip(*turns.taken.values(), strict=True)
    return [dict(zip(turns.taken, turn, strict=True)) for turn in every][LEFT_OUT:]


def train_bare(recipe: Any, model: Any, dataset: Path, folder: Path, turns: Turns) -> None:
    """The same run without pr1's reward and callbacks."""
    from transformers import PrinterCallback, TrainerCallback
    from trl import GRPOTrainer

    from pr1.outputs.rows import read_rows
    from pr1.schemas.records import TrainRow
    from pr1.train.policy import load_processor
    from pr1.train.rows import as_dataset
    from pr1.train.trainer import trainer_arguments

    class EndOfStep(TrainerCallback):
        """Gives the turn away where `pr1 train` does."""

        def on_step_end(self, *_: Any, **__: Any) -> None:
            turns.end_step("bare")

    def nothing(completions: list[Any], **_: Any) -> list[float]:
        return [0.0] * len(completions)

    trainer = GRPOTrainer(
        model=model,
        processing_class=load_processor(recipe.model),
        reward_funcs=nothing,
        args=trainer_arguments(recipe, folder / "bare"),
        train_dataset=as_dataset(read_rows(dataset, TrainRow)),
        callbacks=[EndOfStep()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def measure(steps: int, has_reward: bool) -> list[Turn]:
    """What each turn took, in a new process with one arena, so that both arms share its memory."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "PYTHONPATH": str(TESTS),
    }
    command = [sys.executable, __file__, "--steps", str(steps), "--one-run"]
    command += [] if has_reward else ["--no-reward"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def table(runs: list[list[Turn]]) -> str:
    """Medians over all steps; the runs' median ratios, with the interval of their mean; all steps.

    The last column holds what a median leaves out: the few steps that take far longer.
    """
    turns = [turn for run in runs for turn in run]
    lines = [
        "| | bare TRL, s | pr1 train, s | of it the reward, s | ratio [95%] | runs | all steps |",
        "|---|---:|---:|---:|---|---|---:|",
    ]
    for clock, name in CLOCKS.items():
        bare, ours, reward = (
            statistics.median(turn[span][clock] for turn in turns) for span in (*ARMS, "reward")
        )
        ratios = [ratio(run, clock) for run in runs]
        mean = mean_difference([one - 1 for one in ratios])
        all_steps = [sum(turn[arm][clock] for turn in turns) for arm in ARMS]
        lines.append(
            f"| {name} | {bare:.3f} | {ours:.3f} | {reward:.3f} "
            f"| {1 + mean.value:.3f} [{1 + mean.low:.3f}, {1 + mean.high:.3f}] "
            f"| {', '.join(f'{one:.3f}' for one in ratios)} | {all_steps[1] / all_steps[0]:.3f} |"
        )
    return "\n".join(lines)


def ratio(run: list[Turn], clock: str) -> float:
    """The median over a run's turns of pr1's step over bare TRL's."""
    return statistics.median(turn["pr1"][clock] / turn["bare"][clock] for turn in run)


def main() -> None:
    """Measure, print the table and write every step."""
    parser = argparse.ArgumentParser(description="pr1 train beside bare TRL.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40, help="of each arm in a run")
    parser.add_argument("--no-reward", action="store_true", help="pr1's does nothing, too")
    parser.add_argument("--json", type=Path, help="file for the seconds of every step")
    parser.add_argument("--one-run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    has_reward = not options.no_reward
    if options.one_run:
        with tempfile.TemporaryDirectory(prefix="steps-") as folder:
            print(json.dumps(one_run(options.steps, has_reward, Path(folder))))
        return
    runs = [measure(options.steps, has_reward) for _ in range(options.runs)]
    if options.json:
        options.json.write_text(json.dumps(runs, indent=1) + "\n")
    print(table(runs))


if __name__ == "__main__":
    main()
