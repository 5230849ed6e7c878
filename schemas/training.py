"""What a training run was asked to do: its judge, its reward, and the recipe that holds them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .config import Execution, ModelConfig
from .records import Record

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
    """Weights of the reward's parts and the options of the visual one.

    Attributes:
        format, accuracy, visual, repetition: weights; the defaults are the paper's.
        contradiction_penalty: hits that one contradicted annotation takes back; the paper: 0.

    Source: Perception-R1 (arXiv 2506.07218), section 4.
    """

    format: Weight = 0.1
    accuracy: Weight = 0.9
    visual: Weight = 0.7
    repetition: Weight = 1.0
    contradiction_penalty: Weight = 1.0
