"""What pr1 adds to a training step: `pr1 train` beside bare TRL with a reward that does nothing.

    python bench/step_time.py --json steps.json

A tiny random vision-language model (Idefics3) takes the same steps on the CPU, one thread, through
`pr1 train` with the rules judge, and through TRL's `GRPOTrainer` with the same settings, rows and
model and a reward of 0 for everything. Each arm is a program of its own; they take turns, and a
pair's ratio is what is reported: a busy machine slows both. The learning rate is 0, so that both
sample from the same model throughout; what is compared is time. The first steps are left out.
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
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
ARMS = ("bare", "pr1")
ROWS, STEPS, LEFT_OUT = 64, 12, 3

Times = list[tuple[float, float]]


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


def run_arm(arm: str, folder: Path) -> Times:
    """Wall and CPU time at the end of each step."""
    from tiny_models import tiny_idefics3
    from train_sets import tiny_recipe, train_rows, write_train_set

    model = tiny_idefics3(folder / "model", hidden=96)
    dataset = write_train_set(folder / "set", train_rows(ROWS))
    recipe = tiny_recipe(model, settings())
    times: Times = []

    def note(*_: Any) -> None:
        times.append((time.perf_counter(), time.process_time()))

    if arm == "pr1":
        from pr1.train.run import train

        train(recipe, str(dataset), folder / "out", on_progress=note)
    else:
        train_bare(recipe, dataset, folder, note)
    return times


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


def measure(arm: str) -> dict[str, list[float]]:
    """Wall and CPU seconds of each step of one run, in a program of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS)}
    command = [sys.executable, __file__, "--arm", arm]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    times = json.loads(run.stdout.splitlines()[-1])[LEFT_OUT - 1 :]
    pairs = list(itertools.pairwise(times))
    return {
        "wall_s": [after[0] - before[0] for before, after in pairs],
        "cpu_s": [after[1] - before[1] for before, after in pairs],
    }


def table(pairs: list[dict[str, dict[str, list[float]]]]) -> str:
    """The medians over steps, and the ratio of each pair's."""
    lines = ["| | bare TRL, s | pr1 train, s | ratio | of each pair |", "|---|---:|---:|---:|---|"]
    for clock in ("cpu_s", "wall_s"):
        medians = {arm: [statistics.median(pair[arm][clock]) for pair in pairs] for arm in ARMS}
        ratios = [ours / bare for bare, ours in zip(medians["bare"], medians["pr1"], strict=True)]
        bare, ours = (statistics.median(medians[arm]) for arm in ARMS)
        each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        middle = statistics.median(ratios)
        lines.append(f"| {clock[:-2]} | {bare:.3f} | {ours:.3f} | {middle:.3f} | {each} |")
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
