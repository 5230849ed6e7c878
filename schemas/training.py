"""What a training run was asked to do: its judge, its reward, and the recipe that holds them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .config import Execution, ModelConfig
from .records import NonEmpty, Record

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class JudgeConfig(Record):
    """Which judge reads the completions.

    Attributes:
        model: `rules`, `embedded`, or a chat model as `provider/model`.
        is_hybrid: rules decide what they decide safely, and the model the rest.
        execution: how the model is asked.
    """

    model: ModelConfig
    is_hybrid: bool = False
    execution: Execution = Execution()


class RewardConfig(Record):
    """Weights of the reward's parts, and the options of some of them.

    The reward is `format·f + accuracy·a + visual·v + repetition·r + length·l`, where f, a and v lie
    in 0..1, r in -2..0 and l in -1..0. An annotation counts by its `weight` in the row.

    Attributes:
        format, accuracy, visual, repetition: weights; the defaults are the paper's. A part of
            weight 0 is scored and logged all the same, and cannot keep a completion from being
            scored.
        length: weight of the penalty for long completions; the paper has none.
        length_tail: the share of `max_completion_length`, at its end, over which that penalty
            grows from 0 to -1.
        contradiction_penalty: hits that one contradicted annotation takes back; the paper: 0. It
            keeps a completion that lists every value from earning anything.
        max_judge_failures: a larger share of completions that the judge's service could not judge
            stops the run at its next checkpoint; counted over the last 256, or over the last batch
            where that is larger.

    Source: Perception-R1 (arXiv 2506.07218), section 4: weights. DAPO (arXiv 2503.14476), equation
        13: the penalty for length, as TRL's `get_soft_overlong_punishment` computes it; its
        `length_tail` is 4,096 of 20,480 tokens.
    """

    format: Weight = 0.1
    accuracy: Weight = 0.9
    visual: Weight = 0.7
    repetition: Weight = 1.0
    length: Weight = 0.0
    length_tail: float = Field(default=0.2, gt=0, le=1)
    contradiction_penalty: Weight = 1.0
    max_judge_failures: Share = 0.1


class TrainedModel(Record):
    """The model that is trained.

    Attributes:
        path: a folder, or a hub id.
        revision: of a hub id; None takes the newest.
        dtype: of the weights. Full fine-tuning wants float32: at a learning rate of 1e-6 an update
            is smaller than the step between two bfloat16 numbers, and would be lost. Computation
            is in bfloat16 all the same (`grpo.bf16`).
        attn: the attention's implementation.
    """

    path: NonEmpty
    revision: str | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    attn: Literal["sdpa", "flash_attention_2", "eager"] = "sdpa"


class PixelBounds(Record):
    """Bounds of a picture's width times height, as the policy sees it.

    Source: the defaults are those of Perception-R1's published training script.
    """

    min: int = Field(default=3_136, ge=1)
    max: int = Field(default=1_806_336, ge=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> PixelBounds:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is larger than max {self.max}")
        return self


class LoraSettings(Record):
    """Low-rank adapters in place of full fine-tuning, through peft.

    Attributes:
        r: rank.
        alpha: scale; the adapter is multiplied by `alpha / r`.
        dropout: of the adapter's input.
        target_modules: names of the layers that get one, or `all-linear`.
    """

    r: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0, allow_inf_nan=False)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: str | list[str] = "all-linear"


class EvaluationConfig(Record):
    """The problems that are not trained on, answered greedily while training goes on.

    Attributes:
        rows: how many of the training set are held out, by the recipe's seed.
        dataset: another set of `pr1 filter` to evaluate on; then nothing is held out, and `rows` is
            the most that is read of it.
        every: optimiser steps between two evaluations; there is one before the first step and one
            at the end in any case.
    """

    rows: int = Field(default=64, ge=1)
    dataset: str | None = None
    every: int = Field(default=50, ge=1)


class Recipe(Record):
    """What `pr1 train` does.

    Attributes:
        processes: training processes, one to a GPU; a vLLM server's GPUs are beside them.
        model: what is trained.
        freeze_vision: the vision tower stays as it is.
        lora: None for full fine-tuning.
        judge: who says which annotations a completion reflects.
        reward: how the parts are weighed.
        pixels: to which pictures are scaled.
        evaluation: None for none.
        grpo: any field of TRL's `GRPOConfig`, by its name there.
        report_to: experiment trackers: `tensorboard`, `trackio`, `wandb`.
        limit: at most this many rows of the dataset.
        seed: of everything random in the run.
    """

    processes: int = Field(default=1, ge=1)
    model: TrainedModel
    freeze_vision: bool = False
    lora: LoraSettings | None = None
    judge: JudgeConfig
    reward: RewardConfig = RewardConfig()
    pixels: PixelBounds = PixelBounds()
    evaluation: EvaluationConfig | None = None
    grpo: dict[str, Any] = {}
    report_to: list[Literal["tensorboard", "trackio", "wandb"]] = []
    limit: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
