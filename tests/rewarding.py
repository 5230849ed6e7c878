"""A reward and the columns that TRL would hand to it."""

import asyncio
import json
from functools import partial
from pathlib import Path

from pr1.answers import check_answers
from pr1.judge.opening import opened_judge
from pr1.schemas.completion_format import format_completion
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.training import JudgeConfig, RewardConfig
from pr1.train.rewards import PerceptionReward

END = 0
RULES = JudgeConfig(model=ModelConfig(name="rules"))
ANNOTATIONS = (
    {"id": 1, "statement": "AB = 5", "kind": "length", "weight": 1.0},
    {"id": 2, "statement": "BC = 7", "kind": "length", "weight": 1.0},
    {"id": 3, "statement": "angle ABC = 40°", "kind": "angle", "weight": 1.0},
    {"id": 4, "statement": "CD = 9", "kind": "length", "weight": 1.0},
)
RIGHT = format_completion("AB is 5 and BC is 7. Together they are 12.", r"\boxed{12}")


def row(text=RIGHT, **changes):
    """One completion with its problem."""
    return {
        "completions": text,
        "completion_ids": [*text.encode("utf-8", "surrogatepass"), END],
        "id": "p1",
        "question": "How long is AB + BC?",
        "choices": None,
        "answer": "12",
        "annotations": list(ANNOTATIONS),
        **changes,
    }


def columns(rows):
    """The rows as TRL passes them: a list for each column."""
    return {name: [one[name] for one in rows] for name in rows[0]}


def rules_judge():
    return partial(opened_judge, RULES, Path("unused.sqlite"))


class ChecksHere:
    """Checks answers in this process, in place of `AnswerProcesses`, which take time to start."""

    async def start(self):
        """Nothing to start."""

    async def check(self, items):
        """The outcome of each item, in order."""
        return await asyncio.to_thread(check_answers, items)

    async def aclose(self):
        """Nothing to end."""


def reward_of(judge=None, config=None, answers=None, **options):
    """A `PerceptionReward` with the judge, or the rules; close it."""
    reward = PerceptionReward(
        config or RewardConfig(),
        judge.open if judge else rules_judge(),
        **{"max_completion_length": 100_000, "end_ids": [END], **options},
    )
    reward._answers = answers or ChecksHere()
    return reward


def reward_by_model(base_url, folder):
    """A `PerceptionReward` whose judge is a model behind an address; it is asked once or twice."""
    execution = Execution(max_retries=0, max_content_retries=1, timeout_s=10)
    judge = JudgeConfig(
        model=ModelConfig(name="vllm/fake-1", base_url=base_url), execution=execution
    )
    open_judge = partial(opened_judge, judge, folder / "judge.sqlite")
    return PerceptionReward(RewardConfig(), open_judge, max_completion_length=100_000)


def said(letters):
    """A model's answer: a letter (reflected, absent, contradicted) for each annotation."""
    return json.dumps({"verdicts": "".join(f"{n}{it}" for n, it in enumerate(letters, 1))})


def score(rows, judge=None, config=None, **options):
    """The rewards of the rows, and what the reward handed to its sink."""
    sink = []
    with reward_of(judge, config, on_scored=sink.extend, **options) as reward:
        rewards = asyncio.run(reward(**columns(rows)))
    return rewards, sink


def breakdown(text, judge=None, config=None, **changes):
    """The parts of one completion's reward."""
    _, (scored,) = score([row(text, **changes)], judge, config)
    return scored.breakdown
