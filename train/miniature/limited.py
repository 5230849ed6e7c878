"""Is it the misread problems that a perception reward should be spent on?

    problems/annotated ─▶ pr1 filter --policy local/base ─▶ those that it misreads ─▶ pr1 train
                     └──▶ pr1 filter --size (as many) ────▶ a random set ───────────▶ pr1 train

Both through the real commands, both trained with the perception reward, both evaluated on the same
fresh problems as the experiment's arms.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...outputs.folder import PAIRED_OUTCOMES
from ...outputs.rows import MANIFEST, count_rows, read_rows
from ...schemas.records import AnnotatedProblem, TrainRow
from ..outcomes import Outcome, changes, summary
from .experiment import WEIGHTS, evaluations, run_command, train_arm
from .world import SIDE_PX

PROBLEMS = 600
SEED = 0
MISREAD = 0.5


def compare_sets(out: Path) -> str:
    """Filter, train on both sets, and say as Markdown what came of it.

    Args:
        out: the experiment's folder, with its base model, its problems and the arms of seed 0.

    Raises:
        Pr1Error: a command failed; its log says why.
    """
    chosen, random = out / "filter" / "perception-limited", out / "filter" / "random"
    _filter(
        out,
        chosen,
        *("--policy", f"local/{out / 'base'}", "--max-tokens", "40"),
        *("--keep", "perception-limited"),
    )
    size = count_rows(chosen)
    _filter(out, random, "--size", str(size))
    for folder in (chosen, random):
        train_arm(out, folder.name, SEED, WEIGHTS["perception"], dataset=folder)
    return f"{bucket_table(out, chosen)}\n\n{_training_table(out, size)}"


def _filter(out: Path, folder: Path, *options: str) -> None:
    if (folder / MANIFEST).exists():
        return
    folder.parent.mkdir(exist_ok=True)
    run_command(
        [
            *("filter", str(out / "problems" / "annotated"), "-o", str(folder)),
            *("--limit", str(PROBLEMS), "--min-pixels", str(SIDE_PX**2), "--seed", str(SEED)),
            *options,
        ],
        folder.with_suffix(".log"),
    )


def misread_heights(rows: Sequence[TrainRow], outcomes: Sequence[Outcome]) -> list[int]:
    """The heights that a model states wrongly more often than not.

    Args:
        rows: problems with a fact for each bar (`red is 2`).
        outcomes: what the model wrote about them.
    """
    written = {one.id: one.completion for one in outcomes}
    seen: Counter[int] = Counter()
    wrong: Counter[int] = Counter()
    for row in rows:
        for annotation in row.annotations:
            height = int(annotation.statement.split()[-1])
            seen[height] += 1
            wrong[height] += f"{annotation.statement}." not in written[row.id]
    return sorted(height for height in seen if wrong[height] > MISREAD * seen[height])


def bucket_table(out: Path, chosen: Path) -> str:
    """What became of the problems that ask for a height which the base model misreads, and others.

    Args:
        out: the experiment's folder, with the base model's evaluation in the perception arm's.
        chosen: the folder of `pr1 filter --policy`.
    """
    rows = list(read_rows(out / "problems" / "evaluate", TrainRow))
    start = evaluations(out, "perception", SEED)[0]
    misread = set(misread_heights(rows, start))
    tested = _lines(chosen / PAIRED_OUTCOMES)
    buckets = {line["problem_id"]: line["paired"]["bucket"] for line in tested}
    counts: Counter[tuple[str, bool]] = Counter()
    for problem in read_rows(out / "problems" / "annotated", AnnotatedProblem):
        if problem.id in buckets:
            counts[buckets[problem.id], bool(_asked_heights(problem) & misread)] += 1
    names = sorted({bucket for bucket, _ in counts})
    lines = [f"| {name} | {counts[name, True]} | {counts[name, False]} |" for name in names]
    heights = ", ".join(map(str, sorted(misread)))
    return "\n".join(
        [
            f"Heights that the base model mostly misreads: {heights}.",
            "",
            "| bucket | asks for a misread height | does not |",
            "|---|---|---|",
            *lines,
        ]
    )


def _asked_heights(problem: AnnotatedProblem) -> set[int]:
    facts = [annotation.statement.split(" is ") for annotation in problem.annotations]
    return {int(height) for colour, height in facts if colour in problem.question}


def _training_table(out: Path, size: int) -> str:
    ends = {name: evaluations(out, name, SEED)[-1] for name in ("perception-limited", "random")}
    lines = [
        f"| {name} | {figures['accuracy']:.3f} | {figures['perception']:.3f} "
        f"| {figures['all_reflected']:.3f} |"
        for name, figures in ((name, summary(end)) for name, end in ends.items())
    ]
    compared = changes(ends["random"], ends["perception-limited"])
    heads = [
        f"{what}: random alone right {change.lost}, perception-limited alone {change.gained}, "
        f"p = {change.p_value:.1g}"
        for what, change in (
            ("all facts", compared["all_reflected"]),
            ("answers", compared["accuracy"]),
        )
    ]
    return "\n".join(
        [
            f"| trained on {size} problems | answers | per fact | all facts |",
            "|---|---|---|---|",
            *lines,
            "",
            f"Head to head, {'; '.join(heads)}.",
        ]
    )


def _lines(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
