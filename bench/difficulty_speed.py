"""Memory and CPU of the paired difficulty pass: `python bench/difficulty_speed.py`, 15 minutes.

`pr1 filter --policy` over 1,000 and 10,000 problems, 8 rollouts under each of two conditions,
against the mock server (`engine_runner.py`; 256 at once, 20 ms each), which solves every problem,
so that no rollout is topped up. Printed are

- peak resident memory without `--policy` and with it: the difference is the pass's;
- CPU per rollout: what the command takes more than without `--policy`, over the rollouts: request,
  picture, answer, store, grading, decisions;
- the same of the run engine alone, on the rows of `engine_speed.py`.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from random import Random
from typing import Any

from engine_runner import KEYS, SHARED, Runner, engine_rows, free_port, machine, prepared
from PIL import Image, ImageDraw

from pr1.outputs.folder import StageFolder
from pr1.schemas.config import RunConfig
from pr1.schemas.records import AnnotatedProblem, ProblemImage, Trajectory, VisualAnnotation

ROLLOUTS = 8
CONDITIONS = 2
LATENCY = "fixed:20"
FEW, MANY = 2_000, 10_000

# The mock puts the number behind ROW- in the request in place of %ROW%.
COMPLETION = (
    "<think>\n"
    + "The bar on the left reaches the line marked 12, the one on the right 5. " * 12
    + "\n</think>\n<answer>\n\\boxed{%ROW%}\n</answer>"
)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Memory and CPU of the paired difficulty pass.")
    parser.add_argument("--problems", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    options = parser.parse_args()
    print("; ".join(f"{name}: {value}" for name, value in machine().items()), "\n")
    with prepared(options.shared) as runner:
        (runner.folder / "completion.txt").write_text(COMPLETION)
        engine_ms = 1_000 * engine_cpu_s(runner)
        print(
            "| problems | rollouts | peak RSS without, MB | with | of the pass | CPU without, s "
            "| with | per rollout, ms | x engine | span, s |\n"
            "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        )
        for problems in options.problems:
            source = write_annotated(runner.folder, problems)
            without = run(runner, f"-m pr1 filter {source} --output out", problems)
            run_with = run(runner, policy_command(source, port := free_port()), problems, port)
            rollouts = problems * ROLLOUTS * CONDITIONS
            if run_with["srv"]["req"] != rollouts:
                raise SystemExit(f"{run_with['srv']['req']} requests in place of {rollouts}")
            each_ms = 1_000 * (run_with["cpu"] - without["cpu"]) / rollouts
            print(
                f"| {problems:,} | {rollouts:,} | {without['rss_mb']} | {run_with['rss_mb']} "
                f"| {run_with['rss_mb'] - without['rss_mb']} | {without['cpu']:.0f} "
                f"| {run_with['cpu']:.0f} | {each_ms:.3f} | {each_ms / engine_ms:.2f} "
                f"| {run_with['span']:.0f} |",
                flush=True,
            )
        print(f"\nThe engine alone: {engine_ms:.3f} ms of CPU for a request.")


def engine_cpu_s(runner: Runner) -> float:
    """CPU seconds of the run engine for one more row, start-up left out."""
    few, many = (
        runner.run(engine_rows("vllm"), rows=rows, latency=LATENCY)["cpu"] for rows in (FEW, MANY)
    )
    return float(many - few) / (MANY - FEW)


def policy_command(source: Path, port: int) -> str:
    """The pass, against the mock on that port."""
    return (
        f"-m pr1 filter {source} --output out --policy vllm/mock --keep mastered "
        f"--base-url http://127.0.0.1:{port}/v1 --rollouts {ROLLOUTS} --concurrency 256"
    )


def run(runner: Runner, command: str, problems: int, port: int | None = None) -> dict[str, Any]:
    """What the command took; it ends the measurement where it fails."""
    server = {"content": str(runner.folder / "completion.txt")}
    measured = runner.run(
        command,
        rows=problems,
        latency=LATENCY,
        environment=KEYS,
        server=server,
        port=port,
        timeout_s=7200,
    )
    if measured["rc"] != 0:
        print(runner.log, file=sys.stderr)
        raise SystemExit(f"the command ended with {measured['rc']}")
    return measured


def write_annotated(folder: Path, problems: int) -> Path:
    """An annotated set of different problems, each with a small picture of its own."""
    out = folder / f"annotated-{problems}"
    with StageFolder.start(
        out,
        stage="annotate",
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=False,
        row_model=AnnotatedProblem,
        command="pr1 annotate",
    ) as stage:
        for number in range(problems):
            stage.write_row(problem(number))
        stage.finish(read=problems)
    return out


def problem(number: int) -> AnnotatedProblem:
    """Problem ROW-`number`, whose answer is its number."""
    text = f"In the chart AB = {number}. CD is taller than EF. The answer is {number}."
    facts = [f"AB = {number}", "CD is taller than EF", f"The bar marked {number} is red"]
    return AnnotatedProblem(
        id=f"row-{number}",
        question=f"What does the bar named ROW-{number} show in the chart on the left?",
        answer=str(number),
        images=[picture(number)],
        source="bench",
        trajectories=[Trajectory(id="t", problem_id=f"row-{number}", text=text, is_correct=True)],
        annotations=[
            VisualAnnotation(
                id=place,
                statement=fact,
                kind="value",
                quote="",
                trajectory_id="t",
                start=0,
                end=0,
                extractor="bench",
            )
            for place, fact in enumerate(facts, 1)
        ],
    )


def picture(number: int) -> ProblemImage:
    """64 x 64 pixels with bars that no other number has."""
    draws = Random(number)
    image = Image.new("RGB", (64, 64), "white")
    pen = ImageDraw.Draw(image)
    for left in range(0, 64, 8):
        pen.rectangle((left, draws.randrange(64), left + 5, 63), fill="navy")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ProblemImage(bytes=buffer.getvalue(), path=f"{number}.png")


if __name__ == "__main__":
    main()
