"""Rewards of 1,024 completions with a judge of 200 ms: do the judge and the answers overlap?

    python bench/reward_speed.py --json rewards.json

128 problems of 8 completions each, about 1,800 characters long, made of the sample's trajectories;
their answers are numbers, units and choices, one in eight a formula, and three in eight are wrong.
The judge is pr1's own, behind the mock chat server (another process, `--shared`), 256 requests at
once. Measured in turn, on completions that no earlier turn has seen:

- judge: the judge alone;
- accuracy: the comparison of answers alone, in its processes;
- reward: the whole combined reward, as TRL calls it;
- ratio: reward over the larger of the other two.

The first turn opens the judge and starts the processes that compare answers and formulas; it is
left out.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import statistics
import subprocess
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from engine_runner import SHARED, Runner, free_port, machine

from pr1.judge.judge import JudgeTask
from pr1.judge.opening import opened_judge
from pr1.schemas.completion_format import format_completion
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.training import JudgeConfig, RewardConfig
from pr1.train.answer_process import AnswerProcesses
from pr1.train.loop import BackgroundLoop
from pr1.train.rewards import PerceptionReward
from pr1.train.scoring import check_accuracy
from pr1.train.trl_columns import TokenLimit, read_completions
from pr1.train.watched_judge import WatchedJudge

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "problems.jsonl"
PROBLEMS, GROUP = 128, 8
LIMIT = TokenLimit(4_096, frozenset())
VERDICTS = "1r2a3r4r5c6r7a8r"
ANNOTATIONS = [
    {"id": n, "statement": f"the bar for 20{10 + n} is at {n}.{n}", "kind": "value", "weight": 1.0}
    for n in range(1, 9)
]
# reference, choices, right, wrong; {n} is the problem's own number
ANSWERS = [
    ("{n}", None, "{n}.0", "{n}1"),
    ("{n} cm", None, "{n}", "{n} m"),
    ("C", ["{n}", "1{n}", "2{n}", "3{n}"], "2{n}", "A"),
    (r"2 \sqrt { {n} }", None, r"2\sqrt{{n}}", "{n}"),
    (r"\frac{{n}}{7}", None, r"\dfrac{{n}}{7}", r"\frac{7}{{n}}"),
    ("x^2+{n}x+1", None, "1+{n}x+x^2", "x^2+{n}x-1"),
    ("(x+{n})^2", None, "x^2+2*{n}x+{n}^2", "x^2+{n}^2"),
    ("True", None, "yes", "False"),
    ("{n}°", None, "{n} degrees", "1{n}"),
    ("{n}.5", None, "{n}.50", "{n}"),
    ("({n}, 3)", None, "({n},3)", "(3, {n})"),
    ("{n}:7", None, r"\frac{{n}}{7}", "7:{n}"),
    ("{n}%", None, "{n}", "0.{n}1"),
    ("B", ["red {n}", "blue {n}"], "blue {n}", "red {n}"),
    ("A", ["True", "False"], "A", "B"),
    ("{n} m/s", None, "{n} m/s", "{n} km/h"),
]


def batch(turn: int) -> dict[str, list[Any]]:
    """The columns of one step, as TRL hands them to a reward function."""
    dice = random.Random(turn)
    with SAMPLE.open(encoding="utf-8") as lines:
        texts = [t["text"] for line in lines for t in json.loads(line)["trajectories"]]
    rows = []
    for problem in range(PROBLEMS):
        number = str(turn * PROBLEMS + problem + 3)
        reference, choices, right, wrong = ANSWERS[problem % len(ANSWERS)]
        for sample in range(GROUP):
            answer = (wrong if sample % 3 == 0 else right).replace("{n}", number)
            think = f"Turn {turn}, look {sample}. " + " ".join(dice.sample(texts, 8))
            text = format_completion(think, rf"\boxed{{{answer}}}")
            rows.append(
                {
                    "completions": [{"role": "assistant", "content": text}],
                    "completion_ids": [
                        zlib.crc32(text[at : at + 4].encode()) for at in range(0, len(text), 4)
                    ],
                    "id": f"p{problem}",
                    "question": "What is the value?",
                    "choices": [it.replace("{n}", number) for it in choices] if choices else None,
                    "answer": reference.replace("{n}", number),
                    "annotations": ANNOTATIONS,
                }
            )
    return {name: [row[name] for row in rows] for name in rows[0]}


@contextmanager
def judge_server(runner: Runner, delay_ms: int) -> Iterator[str]:
    """The base URL of the mock server, which gives every completion the same verdicts."""
    content = runner.folder / "content.json"
    content.write_text(json.dumps({"verdicts": VERDICTS}))
    port = free_port()
    options = ["--port", str(port), "--latency", f"fixed:{delay_ms}", "--content", str(content)]
    with subprocess.Popen([str(runner.server), *options]) as process:
        try:
            wait_until_it_listens(port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def wait_until_it_listens(port: int) -> None:
    """Returns once a connection is taken; a request before that would be refused, and wait."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("the mock server does not listen.")


def seconds(loop: BackgroundLoop, work: Callable[[], Awaitable[Any]]) -> float:
    """Wall seconds of the work in the loop."""

    async def timed() -> float:
        start = time.perf_counter()
        await work()
        return time.perf_counter() - start

    return loop.submit(timed()).result()


def measure(config: JudgeConfig, folder: Path, turns: int) -> list[dict[str, float]]:
    """One line for each turn: seconds of the judge, of the answers, and of the whole reward."""
    loop = BackgroundLoop()
    answers = AnswerProcesses()
    judge = WatchedJudge(partial(opened_judge, config, folder / "alone.sqlite"), 0.0)
    open_judge = partial(opened_judge, config, folder / "reward.sqlite")
    taken = []
    with PerceptionReward(RewardConfig(), open_judge, max_completion_length=LIMIT.tokens) as reward:
        for turn in range(turns + 1):
            columns = batch(2 * turn)  # of its own: what was compared once is remembered
            read = read_completions(
                columns["completions"], columns["completion_ids"], columns, LIMIT
            )
            tasks = [JudgeTask(f"{n}", one.annotations, one.text) for n, one in enumerate(read)]
            works: dict[str, Callable[[], Awaitable[Any]]] = {
                "judge": partial(judge.ask, tasks),
                "accuracy": partial(check_accuracy, read, answers.check),
                "reward": partial(reward, **batch(2 * turn + 1)),
            }
            names = random.Random(turn).sample(sorted(works), len(works))
            one = {name: seconds(loop, works[name]) for name in names}
            taken.append(one | {"ratio": one["reward"] / max(one["judge"], one["accuracy"])})

    async def wind_down() -> None:
        await answers.aclose()
        await judge.aclose()

    loop.close(wind_down)
    return taken[1:]


def main() -> None:
    """Measure, print the table and write every turn."""
    parser = argparse.ArgumentParser(description="Rewards of 1,024 completions.")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the mock server's folder")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--delay-ms", type=int, default=200, help="of the judge")
    parser.add_argument("--json", type=Path, help="file for the figures of every turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rewards-") as name:
        runner = Runner(Path(name), options.shared)
        with judge_server(runner, options.delay_ms) as url:
            config = JudgeConfig(
                model=ModelConfig(name="vllm/mock", base_url=url),
                execution=Execution(concurrency=256),
            )
            turns = measure(config, runner.folder, options.turns)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "turns": turns}, indent=1) + "\n")
    print("; ".join(f"{name}: {value}" for name, value in machine().items()), "\n")
    print("| | median, s | lowest | highest |\n|---|---:|---:|---:|")
    for name in ("judge", "accuracy", "reward", "ratio"):
        values = [turn[name] for turn in turns]
        middle = statistics.median(values)
        print(f"| {name} | {middle:.2f} | {min(values):.2f} | {max(values):.2f} |")


if __name__ == "__main__":
    main()
