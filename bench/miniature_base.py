"""What the miniature's base model sees, and what it makes of facts that it is told.

    python bench/miniature_base.py data/miniature/base

200 fresh problems, answered greedily: at the unit that it was taught and at the experiment's; from
the picture alone, told its facts, and told another problem's. About two minutes of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from pr1.schemas.policy_prompt import policy_prompt
from pr1.train.miniature.world import (
    SHIFTED_UNIT_PX,
    TAUGHT_UNIT_PX,
    BarProblem,
    draw_problem,
    paint,
)

PROBLEMS = 200
SEED = 77
COLUMNS = ("px a unit", "told", "answers", "per fact", "all facts")


def main(folder: str) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for unit_px in (TAUGHT_UNIT_PX, SHIFTED_UNIT_PX):
        for told in ("nothing", "its facts", "another problem's"):
            rng = np.random.default_rng(SEED)
            problems = [draw_problem(rng) for _ in range(PROBLEMS)]
            others = [draw_problem(rng) for _ in range(PROBLEMS)]
            facts = {"nothing": None, "its facts": problems, "another problem's": others}[told]
            prompts = [
                policy_prompt(one.question, None, facts[n].bars.facts() if facts else ())
                for n, one in enumerate(problems)
            ]
            pictures = [paint(one.bars, unit_px, rng) for one in problems]
            texts = answer(model, processor, prompts, pictures)
            shares = " | ".join(f"{share:.3f}" for share in scores(problems, texts))
            print(f"| {unit_px} | {told} | {shares} |", flush=True)


def answer(model, processor, prompts, pictures) -> list[str]:
    """What the model writes, greedily."""
    turns = [
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}]
        for prompt in prompts
    ]
    inputs = processor(
        text=[processor.apply_chat_template(turn, add_generation_prompt=True) for turn in turns],
        images=[[picture] for picture in pictures],
        padding=True,
        padding_side="left",
        return_tensors="pt",
    )
    with torch.no_grad():
        written = model.generate(**inputs, max_new_tokens=40, do_sample=False)
    tokens = written[:, inputs["input_ids"].shape[1] :]
    return processor.batch_decode(tokens, skip_special_tokens=True)


def scores(problems: Sequence[BarProblem], texts: Sequence[str]) -> tuple[float, float, float]:
    """Shares of answers right, of facts stated right, and of problems with all facts right."""
    stated = [
        [f"{fact}." in text for fact in problem.bars.facts()]
        for problem, text in zip(problems, texts, strict=True)
    ]
    answers = [
        f"boxed{{{problem.answer}}}" in text for problem, text in zip(problems, texts, strict=True)
    ]
    return (
        float(np.mean(answers)),
        float(np.mean(stated)),
        float(np.mean([all(one) for one in stated])),
    )


if __name__ == "__main__":
    main(sys.argv[1])
