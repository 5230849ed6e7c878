"""The experiment: one base model, two arms for each seed, and what each arm sees afterwards.

    base ──pr1 train, visual weight 0.7──▶ perception ──┐
      └────pr1 train, visual weight 0────▶ answer-only ─┴─▶ 400 fresh problems, greedily; McNemar

Everything is read from what `pr1 train` wrote, so that nothing here measures in a way of its own.
A folder that holds finished arms is gone on with: only what is missing runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ...outputs.rows import MANIFEST
from ...schemas.errors import Pr1Error
from ..outcomes import Change, Outcome, changes, read_outcomes, summary
from .problems import write_annotated_set, write_training_set

WEIGHTS = {"answer-only": 0.0, "perception": 0.7}
TRAINING, EVALUATION = 2000, 400
TRAINING_SEED, EVALUATION_SEED = 2, 3
AT_ONCE = 2


class ArmResult(NamedTuple):
    """What one arm came to on the evaluation problems.

    Attributes:
        answer, fact, all_facts: shares: of problems answered right, of facts stated right, of
            problems with all three facts right.
        base_fact: the base model's share of facts stated right.
        lucky: problems answered right on facts of which at least one was wrong.
        answers, facts: problems lost and gained against the base model, by answer and by all facts.
    """

    arm: str
    seed: int
    answer: float
    fact: float
    all_facts: float
    base_fact: float
    lucky: int
    answers: Change
    facts: Change


class SeedResult(NamedTuple):
    """Both arms of one seed, and the perception arm against the answer-only arm.

    Attributes:
        answers, facts: at the end.
        early_answers, early_facts: after a third of the evaluations.
    """

    answer_only: ArmResult
    perception: ArmResult
    answers: Change
    facts: Change
    early_answers: Change
    early_facts: Change


def write_problems(out: Path) -> None:
    """Write the problems to train on (also as an annotated set) and those to evaluate on."""
    sets = {
        "train": (write_training_set, TRAINING, TRAINING_SEED),
        "annotated": (write_annotated_set, TRAINING, TRAINING_SEED),
        "evaluate": (write_training_set, EVALUATION, EVALUATION_SEED),
    }
    for name, (write, count, seed) in sets.items():
        folder = out / "problems" / name
        if not (folder / MANIFEST).exists():
            write(folder, count, seed)


def run_arms(out: Path, seeds: Sequence[int], settings: dict[str, Any] | None = None) -> None:
    """Train both arms for each seed, two at a time, each on one core.

    Args:
        out: holds `base` and `problems`; takes `runs`.
        seeds: of the GRPO runs.
        settings: of `GRPOConfig`, to shorten the runs.

    Raises:
        Pr1Error: an arm failed; its log says why. Remedy: mend it and run the same again.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [
            pool.submit(train_arm, out, arm, seed, visual, settings=settings)
            for seed in seeds
            for arm, visual in WEIGHTS.items()
        ]
        for run in runs:
            run.result()


def read_results(out: Path, seeds: Sequence[int]) -> list[SeedResult]:
    """What the arms came to, seed by seed."""
    return [_seed_result(out, seed) for seed in seeds]


def evaluations(out: Path, arm: str, seed: int) -> list[Sequence[Outcome]]:
    """Every evaluation of a run in the order of its steps; the first is the base model's."""
    found = read_outcomes(run_folder(out, arm, seed) / "evaluation")
    return [found[step] for step in sorted(found)]


def run_folder(out: Path, arm: str, seed: int) -> Path:
    """Where `pr1 train` wrote this arm."""
    return out / "runs" / f"{arm}-{seed}"


def train_arm(
    out: Path,
    arm: str,
    seed: int,
    visual: float,
    *,
    dataset: Path | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Train one arm through the command `pr1 train`, unless it is there.

    Args:
        out: holds `base` and `problems`; takes `runs`, and the recipe in `recipes`.
        arm: names the run.
        seed: of everything random in it.
        visual: weight of the visual reward.
        dataset: what is trained on; by default the problems of the experiment.
        settings: of `GRPOConfig`, to shorten the run.

    Raises:
        Pr1Error: the command failed.
    """
    folder = run_folder(out, arm, seed)
    if (folder / MANIFEST).exists():
        return
    recipe = yaml.safe_load(resources.files(__package__).joinpath("recipe.yaml").read_text())
    recipe["model"]["path"] = str(out / "base")
    recipe["reward"]["visual"] = visual
    recipe["evaluation"]["dataset"] = str(out / "problems" / "evaluate")
    recipe["grpo"] |= settings or {}
    recipe["seed"] = seed
    config = out / "recipes" / f"{folder.name}.yaml"
    for parent in (config.parent, folder.parent):
        parent.mkdir(exist_ok=True)
    config.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    trained_on = dataset or out / "problems" / "train"
    run_command(
        ["train", str(trained_on), "--config", str(config), "-o", str(folder)],
        folder.with_name(f"{folder.name}.log"),
    )


def run_command(arguments: Sequence[str], log: Path) -> None:
    """Run `pr1` with these arguments on one core.

    Raises:
        Pr1Error: it failed; the message gives its last words.
    """
    with log.open("wb") as written:
        run = subprocess.run(
            [sys.executable, "-m", "pr1", *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=written,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if run.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise Pr1Error(f"pr1 {arguments[0]} failed: {' '.join(last)} (see {log})")


def _seed_result(out: Path, seed: int) -> SeedResult:
    answer_only, perception = (evaluations(out, arm, seed) for arm in ("answer-only", "perception"))
    third = len(perception) // 3
    end = changes(answer_only[-1], perception[-1])
    early = changes(answer_only[third], perception[third])
    return SeedResult(
        _arm_result(out, "answer-only", seed),
        _arm_result(out, "perception", seed),
        answers=end["accuracy"],
        facts=end["all_reflected"],
        early_answers=early["accuracy"],
        early_facts=early["all_reflected"],
    )


def _arm_result(out: Path, arm: str, seed: int) -> ArmResult:
    first, *_, last = evaluations(out, arm, seed)
    figures = summary(last)
    changed = changes(first, last)
    return ArmResult(
        arm,
        seed,
        answer=figures["accuracy"],
        fact=figures["perception"],
        all_facts=figures["all_reflected"],
        base_fact=summary(first)["perception"],
        lucky=sum(map(is_lucky, last)),
        answers=changed["accuracy"],
        facts=changed["all_reflected"],
    )


def is_lucky(one: Outcome) -> bool:
    """Whether the answer is right beside a wrong fact."""
    return one.correct == 1 and (one.perception or 0) < 1


def as_json(results: Sequence[SeedResult]) -> str:
    """The results for programs."""

    def plain(value: Any) -> Any:
        if hasattr(value, "_asdict"):
            return {name: plain(part) for name, part in value._asdict().items()}
        return value

    return json.dumps([plain(result) for result in results], indent=2) + "\n"
