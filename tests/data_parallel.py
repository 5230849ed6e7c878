"""Two GRPO steps whose completions are fixed: a function, and a program for several processes.

    python -m torch.distributed.run --standalone --nproc-per-node 2 data_parallel.py MODEL OUT

What the policy "samples" depends on the step and on the completion's place in the whole batch, so
the same eight completions, one group, are trained on however many processes share them. The judge
fails for some of them. The first process writes what was logged and the weights to `OUT`.
"""

import os
import random
import sys
import zlib
from pathlib import Path

import torch
from datasets import Dataset
from PIL import Image
from rewarding import ANNOTATIONS, reward_of
from scripted_judge import ScriptedJudge, service_failure
from transformers import set_seed
from trl import GRPOConfig, GRPOTrainer

from pr1.schemas.training import RewardConfig

GROUP, STEPS = 8, 2


class FixedSamples(GRPOTrainer):
    """Real in everything but the sampling."""

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, num_generations):
        first = self.accelerator.process_index * len(prompt_ids)
        places = range(first, first + len(prompt_ids))
        return [self._sample(place) for place in places], None

    def _sample(self, place):
        dice = random.Random(f"{self.state.global_step} {place}")
        letters = self._tokenizer.convert_tokens_to_ids([*"123456789"])
        return [*dice.choices(letters, k=dice.randint(3, 12)), self._tokenizer.eos_token_id]


def by_text(task):
    """One in four fails; the others reflect as many annotations as their text decides."""
    number = zlib.crc32(task.completion.encode())
    if number % 4 == 0:
        return service_failure()
    return ["reflected"] * (number % 5) + ["absent"] * (4 - number % 5)


def two_steps(model, out):
    problem = {
        "prompt": [{"role": "user", "content": "How long is AB + BC?"}],
        "image": Image.new("RGB", (48, 48), "white"),
        "question": "How long is AB + BC?",
        "choices": None,
        "answer": "12",
        "annotations": list(ANNOTATIONS),
    }
    set_seed(0)
    config = RewardConfig(max_judge_failures=1.0)
    with reward_of(ScriptedJudge(by_text), config, max_completion_length=16) as reward:
        trainer = FixedSamples(
            model,
            reward_funcs=reward,
            args=GRPOConfig(
                output_dir=f"{out}-trainer",
                max_steps=STEPS,
                per_device_train_batch_size=GROUP // int(os.environ.get("WORLD_SIZE", "1")),
                num_generations=GROUP,
                max_completion_length=16,
                learning_rate=1e-3,
                loss_type="dapo",
                logging_steps=1,
                report_to=[],
                use_cpu=True,
                bf16=False,
                gradient_checkpointing=False,
                dataloader_pin_memory=False,
                disable_tqdm=True,
                save_strategy="no",
            ),
            train_dataset=Dataset.from_list([{**problem, "id": f"p{n}"} for n in range(4)]),
        )
        trainer.train()
    weights = trainer.accelerator.unwrap_model(trainer.model).state_dict()
    if trainer.accelerator.is_main_process:
        logs = {name: list(values) for name, values in trainer._logs["rewards"].items()}
        torch.save(
            {
                "history": trainer.state.log_history,
                "rewards": logs["perception_reward"],
                "advantages": list(trainer._logs["advantages"]),
                "weights": weights,
            },
            out,
        )
    trainer.accelerator.end_training()


if __name__ == "__main__":
    two_steps(sys.argv[1], Path(sys.argv[2]))
