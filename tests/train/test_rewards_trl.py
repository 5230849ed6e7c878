"""The reward inside TRL's own `GRPOTrainer`, on a tiny random model."""

import logging.handlers
import math
from statistics import mean, stdev
from typing import Any, NamedTuple

import pytest
from rewarding import ANNOTATIONS, reward_of
from scripted_judge import ScriptedJudge, service_failure
from tiny_models import tiny_idefics3

from pr1.judge.judge import JudgeTask, judgement_of
from pr1.schemas.records import TrainAnnotation
from pr1.train.scoring import ScoredCompletion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning"),  # of TRL 1.16
]
GROUP = 4
ASKED = tuple(TrainAnnotation.model_validate(one) for one in ANNOTATIONS)


def by_place(task):
    """The first of each group fails; the others reflect one, two and three annotations."""
    place = int(task.id.rpartition(".")[2]) % GROUP
    return service_failure() if place == 0 else ["reflected"] * place + ["absent"] * (4 - place)


class Trained(NamedTuple):
    trainer: Any
    judge: ScriptedJudge
    sink: list[ScoredCompletion]
    said: list[logging.LogRecord]


def trainer_of(folder, reward, steps, **options):
    """TRL's trainer of a tiny model with this reward: two groups of four completions a step."""
    from datasets import Dataset
    from PIL import Image
    from trl import GRPOConfig, GRPOTrainer

    problem = {
        "prompt": [{"role": "user", "content": "How long is AB + BC?"}],
        "image": Image.new("RGB", (48, 48), "white"),
        "question": "How long is AB + BC?",
        "choices": None,
        "answer": "12",
        "annotations": list(ANNOTATIONS),
    }
    return GRPOTrainer(
        str(tiny_idefics3(folder / "model")),
        reward_funcs=reward,
        args=GRPOConfig(
            output_dir=str(folder / "out"),
            max_steps=steps,
            per_device_train_batch_size=2 * GROUP,
            num_generations=GROUP,
            max_completion_length=12,
            scale_rewards="group",
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            bf16=False,
            dataloader_pin_memory=False,
            disable_tqdm=True,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_list([{**problem, "id": f"p{n}"} for n in range(4)]),
        **options,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trainer after two steps, its judge, what the reward handed over, what TRL logged."""
    judge, sink = ScriptedJudge(by_place), []
    said = logging.handlers.BufferingHandler(1_000)
    logging.getLogger("trl.trainer.grpo_trainer").addHandler(said)
    with reward_of(judge, max_completion_length=12, on_scored=sink.extend) as reward:
        trainer = trainer_of(tmp_path_factory.mktemp("trl"), reward, steps=2)
        trainer.train()
    logging.getLogger("trl.trainer.grpo_trainer").removeHandler(said)
    return Trained(trainer, judge, sink, said.buffer)


def test_an_unscored_row_has_advantage_0_and_the_others_are_normalised_without_it(trained):
    trainer, sink = trained.trainer, trained.sink
    rewards = list(trainer._logs["rewards"]["perception_reward"])[-2 * GROUP :]
    advantages = list(trainer._logs["advantages"])[-2 * GROUP :]
    for start in (0, GROUP):
        unscored, *scored = rewards[start : start + GROUP]
        assert math.isnan(unscored)
        expected = [(one - mean(scored)) / (stdev(scored) + 1e-4) for one in scored]
        assert advantages[start : start + GROUP] == pytest.approx([0.0, *expected], abs=1e-4)
    assert [one.breakdown.total for one in sink][-2 * GROUP :: GROUP] == [None, None]


def test_one_judge_serves_all_steps_in_the_trainers_run(trained):
    judge, sink = trained.judge, trained.sink
    assert judge.events == ["opened", "closed"]
    assert len(judge.loops) == 1
    assert [one.step for one in sink] == [0] * 8 + [1] * 8


def test_the_parts_are_in_the_trainers_log(trained):
    trainer = trained.trainer
    first = next(line for line in trainer.state.log_history if "loss" in line)
    assert first["parts/visual"] == pytest.approx((0.25 + 0.5 + 0.75) / 3)
    assert first["unscored/total"] == first["unscored/judge"] == 0.25
    assert first["judge/asked"] == 4.0
    assert trainer._logs["extra"]["verdicts"][1] == "reflected 1, absent 2 3 4"


def test_a_row_that_is_not_scored_is_not_printed_whole(trained):
    """TRL would warn with all of it, picture and text, at each step."""
    assert [
        record.getMessage()[:80] for record in trained.said if "None" in record.getMessage()
    ] == []


@pytest.mark.filterwarnings("ignore:.*rollout_func.*:UserWarning")  # TRL calls it experimental
def test_judgements_of_a_rollout_function_are_used(tmp_path):
    """The seam for judging finished completions while others are still being generated."""

    def rollout(prompts, trainer):
        processor = trainer.processing_class
        tokens = processor.apply_chat_template(
            prompts, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        said = [*processor.tokenizer("AB = 5.")["input_ids"], processor.tokenizer.eos_token_id]
        judgements = [
            judgement_of(JudgeTask(f"early-{n}", ASKED, ""), ["reflected"] * 4, judge="early")
            for n in range(len(prompts))
        ]
        return {
            "prompt_ids": tokens["input_ids"],
            "completion_ids": [said] * len(prompts),
            "logprobs": None,
            "judgement": [one.model_dump() for one in judgements],
        }

    judge, sink = ScriptedJudge(by_place), []
    with reward_of(judge, max_completion_length=12, on_scored=sink.extend) as reward:
        trainer_of(tmp_path, reward, steps=1, rollout_func=rollout).train()
    assert judge.tasks == []
    assert [one.judgement.judge for one in sink] == ["early"] * 2 * GROUP
    assert {one.breakdown.visual for one in sink} == {1.0}
