"""What pr1 adds to a training step: `pr1 train` beside bare TRL with a reward that does nothing.

    python bench/step_time.py --json steps.json

A tiny random vision-language model (Idefics3) takes the same steps on the CPU, one thread, through
`pr1 train` with the rules judge, and through TRL's `GRPOTrainer` with the same settings, rows and
model and a reward of 0 for everything. Each arm is a program of its own; they take turns, and a
pair's ratio is what is reported: a busy machine slows both. The learning rate is 0, so that both
sample from the same model throughout; what is compared is time. The first steps are left out.

CPU is given twice: that of the trainer's own process, and with that of the processes beside it, in
which pr1 checks answers. Where the pairs differ by more than what is compared, because the machine
is busy, what the reward takes of a step, measured inside it, tells more. The rest of pr1 (callbacks
and logs) takes 2 ms of a step.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

TESTS = Path(__file__).parents[1] / "tests"
ARMS = ("bare", "pr1")
ROWS, STEPS, LEFT_OUT = 64, 12, 3

CLOCKS = {"wall_s": "wall", "cpu_s": "CPU", "all_cpu_s": "CPU, all processes"}

Seconds = tuple[float, ...]


def settings() -> dict[str, Any]:
    """The trainer's, in both arms: eight prompts of eight completions, 40 tokens each."""
    return {
        "max_steps": STEPS,
        "per_device_train_batch_size": 64,
        "num_generations": 8,
        "max_completion_length": 40,
        "generation_kwargs": {"forced_eos_token_id": 4},
        "learning_rate": 0.0,
        "save_strategy": "no",
    }


def clocks() -> Seconds:
    """What the `CLOCKS` show now."""
    own = everything = time.process_time()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended just now
            taken = process.cpu_times()
            everything += taken.user + taken.system
    return (time.perf_counter(), own, everything)


def run_arm(arm: str, folder: Path) -> dict[str, list[Seconds]]:
    """The clocks at the end of each step; and before and after each call of the reward."""
    from tiny_models import tiny_idefics3
    from train_sets import tiny_recipe, train_rows, write_train_set

    model = tiny_idefics3(folder / "model", hidden=96)
    dataset = write_train_set(folder / "set", train_rows(ROWS))
    recipe = tiny_recipe(model, settings())
    steps: list[Seconds] = []
    rewards: list[Seconds] = []

    def note(*_: Any) -> None:
        steps.append(clocks())

    if arm == "pr1":
        from pr1.train import run

        class TimedReward(run.PerceptionReward):
            """Notes the clocks around each call."""

            async def __call__(self, **columns: Any) -> list[float | None]:
                rewards.append(clocks())
                totals = await super().__call__(**columns)
                rewards.append(clocks())
                return totals

        run.PerceptionReward = TimedReward
        run.train(recipe, str(dataset), folder / "out", on_progress=note)
    else:
        train_bare(recipe, dataset, folder, note)
    return {"steps": steps, "rewards": rewards}


def train_bare(recipe: Any, dataset: Path, folder: Path, note: Any) -> None:
    """The same run without pr1's reward and callbacks."""
    from transformers import PrinterCallback, TrainerCallback, set_seed
    from trl import GRPOTrainer

    from pr1.outputs.rows import read_rows
    from pr1.schemas.records import TrainRow
    from pr1.train.policy import load_policy, load_processor
    from pr1.train.rows import as_dataset
    from pr1.train.trainer import quiet_libraries, trainer_arguments

    class Clock(TrainerCallback):
        """Notes the end of each step."""

        def on_step_end(self, *_: Any, **__: Any) -> None:
            note()

    def nothing(completions: list[Any], **_: Any) -> list[float]:
        return [0.0] * len(completions)

    with quiet_libraries():
        set_seed(recipe.seed)
        trainer = GRPOTrainer(
            model=load_policy(recipe.model),
            processing_class=load_processor(recipe.model),
            reward_funcs=nothing,
            args=trainer_arguments(recipe, folder / "out"),
            train_dataset=as_dataset(read_rows(dataset, TrainRow)),
            callbacks=[Clock()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def measure(arm: str) -> dict[str, dict[str, list[float]]]:
    """Seconds of each step of one run, and of the reward in it, by each clock."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, __file__, "--arm", arm]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    times = json.loads(run.stdout.splitlines()[-1])
    steps = list(itertools.pairwise(times["steps"][LEFT_OUT - 1 :]))
    rewards = list(zip(times["rewards"][::2], times["rewards"][1::2], strict=True))[LEFT_OUT:]
    return {"step": by_clock(steps), "reward": by_clock(rewards)}


def by_clock(spans: Sequence[tuple[Seconds, ...]]) -> dict[str, list[float]]:
    """The length of each span from its two readings, by each clock."""
    return {
        name: [after[place] - before[place] for before, after in spans]
        for place, name in enumerate(CLOCKS)
    }


def table(pairs: list[dict[str, Any]]) -> str:
    """The medians over steps, the ratio of each pair's, and the reward's median over all calls."""
    lines = [
        "| | bare TRL, s | pr1 train, s | of it the reward, s | ratio | of each pair |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for clock, name in CLOCKS.items():
        medians = {
            arm: [statistics.median(pair[arm]["step"][clock]) for pair in pairs] for arm in ARMS
        }
        reward = statistics.median(it for pair in pairs for it in pair["pr1"]["reward"][clock])
        ratios = [ours / bare for bare, ours in zip(medians["bare"], medians["pr1"], strict=True)]
        bare, ours = (statistics.median(medians[arm]) for arm in ARMS)
        each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        middle = statistics.median(ratios)
        lines.append(f"| {name} | {bare:.3f} | {ours:.3f} | {reward:.3f} | {middle:.3f} | {each} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write every step."""
    parser = argparse.ArgumentParser(description="pr1 train beside bare TRL.")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="file for the seconds of every step")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.arm:
        with tempfile.TemporaryDirectory(prefix="steps-") as folder:
            print(json.dumps(run_arm(options.arm, Path(folder))))
        return
    pairs = []
    for number in range(options.pairs):
        order = ARMS if number % 2 == 0 else ARMS[::-1]
        pairs.append({arm: measure(arm) for arm in order})
    if options.json:
        options.json.write_text(json.dumps(pairs, indent=1) + "\n")
    print(table(pairs))


if __name__ == "__main__":
    main()
