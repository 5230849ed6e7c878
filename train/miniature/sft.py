"""The base model: taught to read bars at one scale, and so to misread them at another.

Supervised fine-tuning on fresh draws of the world, 1,050 steps of 64 examples, all drawn at the
unit that is taught, 4 pixels. In two thirds of them the model must look. In one third the prompt
states the facts, in any order, and the picture shows the same colours at other heights: what is
stated is to be trusted over what is seen. That gives the difficulty pass of `pr1 filter` its second
condition. No lesson shows a picture at the experiment's unit: nothing of it is known beforehand.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...schemas.policy_prompt import policy_prompt
from .model import END, build_model, build_processor
from .world import TAUGHT_UNIT_PX, draw_heights, draw_problem, paint

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor
    from transformers import Idefics3Processor

log = logging.getLogger(__name__)

STEPS = 1050
SEED = 0
"""Of the weights at first, and of every example."""
BATCH = 64
LEARNING_RATE = 1e-3
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
WARM_UP = 50
LARGEST_NORM = 1.0
SHARE_TOLD = 1 / 3
NOT_LEARNT = -100  # transformers' label for tokens that are no target


class Example(NamedTuple):
    """What the model is shown, and what it is to write."""

    picture: Image
    prompt: str
    completion: str


def teach(folder: Path) -> None:
    """Write the base model with its processor to `folder`.

    Takes about 9 minutes of one core. The same processor with the same libraries gives the same
    weights; run it with `OMP_NUM_THREADS=1`.

    Args:
        folder: made when it is missing.
    """
    import torch

    processor = build_processor()
    model = build_model(processor.tokenizer, SEED)
    rng = np.random.default_rng([SEED, 1])
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARM_UP)
    )
    model.train()
    for step in range(1, STEPS + 1):
        loss = model(**as_batch([draw_example(rng) for _ in range(BATCH)], processor)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_NORM)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            log.info("teaching the base model: step %d of %d, loss %.3f", step, STEPS, loss.item())
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def draw_example(rng: np.random.Generator) -> Example:
    """One problem with its reference completion."""
    problem = draw_problem(rng)
    facts: list[str] = []
    shown = problem.bars
    if rng.random() < SHARE_TOLD:
        facts = [str(fact) for fact in rng.permutation(problem.bars.facts())]
        shown = shown._replace(heights=draw_heights(rng))
    return Example(
        paint(shown, TAUGHT_UNIT_PX, rng),
        policy_prompt(problem.question, None, facts),
        problem.completion() + END,
    )


def as_batch(examples: list[Example], processor: Idefics3Processor) -> dict[str, Tensor]:
    """The model's arguments for these examples; only the completions' tokens are targets.

    Returns:
        `input_ids`, `attention_mask` and `labels` of shape (examples, tokens): prompts end where
        completions begin, with padding outside; and the pictures.
    """
    import torch

    prompts = processor(
        text=[_as_turn(example.prompt, processor) for example in examples],
        images=[[example.picture] for example in examples],
        padding=True,
        return_tensors="pt",
    )
    completions = processor.tokenizer(
        [example.completion for example in examples],
        padding=True,
        padding_side="right",
        return_tensors="pt",
    )
    targets = completions["input_ids"].masked_fill(completions["attention_mask"] == 0, NOT_LEARNT)
    pictures = {name: prompts[name] for name in ("pixel_values", "pixel_attention_mask")}
    return {
        "input_ids": torch.cat([prompts["input_ids"], completions["input_ids"]], 1),
        "attention_mask": torch.cat([prompts["attention_mask"], completions["attention_mask"]], 1),
        "labels": torch.cat([torch.full_like(prompts["input_ids"], NOT_LEARNT), targets], 1),
        **pictures,
    }


def _as_turn(prompt: str, processor: Idefics3Processor) -> str:
    parts = [{"type": "image"}, {"type": "text", "text": prompt}]
    turn = [{"role": "user", "content": parts}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True))
