"""Small training sets, as `pr1 filter` writes them, and recipes that are done in seconds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pr1.outputs.folder import StageFolder
from pr1.schemas.config import FilterConfig
from pr1.schemas.records import ProblemImage, TrainAnnotation, TrainRow
from pr1.schemas.training import Recipe


def bar_picture(height: int, side: int = 48) -> bytes:
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).rectangle((16, side - 4 * height - 1, 31, side - 1), fill="red")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def train_rows(count: int) -> list[TrainRow]:
    return [
        TrainRow(
            id=f"bar-{number}",
            question="How high is the red bar?",
            answer=str(number % 9 + 1),
            images=[ProblemImage(bytes=bar_picture(number % 9 + 1))],
            annotations=[
                TrainAnnotation(id=1, statement=f"red is {number % 9 + 1}", kind="value"),
                TrainAnnotation(id=2, statement="the bar is red", kind="colour"),
            ],
        )
        for number in range(count)
    ]


def write_train_set(folder: Path, rows: Sequence[TrainRow]) -> Path:
    with StageFolder.start(
        folder,
        stage="filter",
        config=FilterConfig(annotated="bars"),
        parents={},
        prompts={},
        overwrite=False,
        row_model=TrainRow,
        command="pr1 filter bars",
    ) as stage:
        for row in rows:
            stage.write_row(row)
        stage.finish(read=len(rows))
    return folder


def unspoken_tokens(model: Path) -> list[int]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    spoken = {*tokenizer.convert_tokens_to_ids([*"123456789", "<think>"]), tokenizer.eos_token_id}
    return [id_ for id_ in range(len(tokenizer)) if id_ not in spoken]


def tiny_recipe(model: Path, grpo: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """Two steps of two prompts, four completions each.

    They are written with a dozen tokens, the end among them, and paid for being short: so a random
    model's completions differ, and there is something to learn from the first step on.
    """
    settings = {
        "use_cpu": True,
        "bf16": False,
        "max_steps": 2,
        "per_device_train_batch_size": 8,
        "num_generations": 4,
        "max_completion_length": 24,
        "generation_kwargs": {"suppress_tokens": unspoken_tokens(model)},
        "learning_rate": 1e-3,
        "loss_type": "bnpo",
        "gradient_checkpointing": False,
        "save_steps": 1,
        **(grpo or {}),
    }
    values = {
        "model": {"path": str(model)},
        "judge": {"model": {"name": "rules"}},
        "reward": {"length": 1.0, "length_tail": 1.0},
        "grpo": settings,
        **changes,
    }
    return Recipe.model_validate(values)
