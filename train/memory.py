"""A rough estimate of the memory that training takes on one GPU.

It tells a recipe that cannot fit from one that may. What it leaves out: fragmentation, the buffers
of communication, and the CUDA context (some gigabytes together).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..schemas.errors import UsageError
from ..schemas.training import Recipe
from .policy import VISION, load_config
from .schedule import setting

GB = 1e9
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
ADAM = 8  # two moments in float32
# Bytes of activations that one token leaves in one layer, per hidden unit, in 16 bits, without the
# attention matrix, which no implementation in use keeps. Source: Korthikanti et al., arXiv
# 2205.05198, equation 1.
PER_TOKEN = 34


class ModelSize(NamedTuple):
    """Counted on a model without weights.

    Attributes:
        parameters: of all of it; `vision` ones are among them.
    """

    parameters: int
    vision: int
    layers: int
    hidden: int
    key_values: int


def model_size(recipe: Recipe) -> ModelSize:
    """The model's size, from its config.json alone.

    Raises:
        UsageError: the config cannot be loaded, or is none of a vision-language model.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    config = load_config(recipe.model)
    try:
        with torch.device("meta"):
            model = AutoModelForImageTextToText.from_config(config)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{recipe.model.path}: transformers makes no vision-language model of its config.json "
            f"({' '.join(str(error).split())[:200]})."
        ) from error
    text = config.get_text_config()
    heads = int(text.num_attention_heads)
    head = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    return ModelSize(
        parameters=sum(it.numel() for it in model.parameters()),
        vision=sum(it.numel() for name, it in model.named_parameters() if VISION.search(name)),
        layers=int(text.num_hidden_layers),
        hidden=int(text.hidden_size),
        key_values=2 * int(getattr(text, "num_key_value_heads", None) or heads) * head,
    )


def memory_estimate(recipe: Recipe, size: ModelSize, prompt_tokens: int) -> dict[str, Any]:
    """Gigabytes by what takes them, on one GPU.

    Args:
        recipe: what is to be trained.
        size: of the model.
        prompt_tokens: of the longest prompt.

    Returns:
        `weights_gb`, `gradients_gb`, `optimizer_gb`, `reference_gb`: of the whole model;
        `activations_gb`, `cache_gb`: of one GPU's batch; and their sums where the first four are
        whole on each GPU (`replicated_gb`) and where FSDP or ZeRO-3 shares them out
        (`sharded_gb`).
    """
    grpo = recipe.grpo
    width = BYTES[recipe.model.dtype]
    trained = _trained(recipe, size)
    micro = int(setting(grpo, "per_device_train_batch_size"))
    tokens = prompt_tokens + int(setting(grpo, "max_completion_length"))
    states = {
        "weights_gb": size.parameters * width,
        "gradients_gb": trained * width,
        "optimizer_gb": trained * ADAM,
        "reference_gb": size.parameters * width if grpo.get("beta") and not recipe.lora else 0,
    }
    is_checkpointed = grpo.get("gradient_checkpointing", grpo.get("activation_checkpointing", True))
    per_layer = tokens * micro * size.hidden
    layers = 2 * size.layers + PER_TOKEN if is_checkpointed else PER_TOKEN * size.layers
    batch = {"activations_gb": per_layer * layers}
    if not grpo.get("use_vllm"):
        at_once = micro * int(
            grpo.get("steps_per_generation") or setting(grpo, "gradient_accumulation_steps")
        )
        batch["cache_gb"] = at_once * tokens * size.layers * size.key_values * width
    whole, own = sum(states.values()), sum(batch.values())
    found = {
        **states,
        **batch,
        "replicated_gb": whole + own,
        "sharded_gb": whole / recipe.processes + own,
    }
    estimate: dict[str, Any] = {name: round(value / GB, 3) for name, value in found.items()}
    if grpo.get("use_vllm") and grpo.get("vllm_mode", "colocate") == "colocate":
        estimate["vllm_share_of_the_gpu"] = grpo.get("vllm_gpu_memory_utilization", 0.3)
    return estimate


def _trained(recipe: Recipe, size: ModelSize) -> int:
    if recipe.lora is None:
        return size.parameters - (size.vision if recipe.freeze_vision else 0)
    # Seven linear layers to a block, each of about hidden x hidden and two and a half times that.
    return round(size.layers * recipe.lora.r * 7 * 2 * size.hidden * 1.8)
