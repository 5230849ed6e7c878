"""The policy: a vision-language model and its processor, loaded and looked at before training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..schemas.completion_format import TAGS
from ..schemas.errors import MissingExtra, UsageError
from ..schemas.training import LoraSettings, TrainedModel

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin

# How the vision towers of today's models are called: Qwen-VL; Idefics3, SmolVLM; LLaVA, Gemma 3.
VISION = re.compile(r"(^|\.)(visual|vision_model|vision_tower)(\.|$)")


def load_processor(config: TrainedModel) -> ProcessorMixin:
    """The processor, which turns pictures and text into what the model reads.

    Raises:
        UsageError: there is none, it cannot read pictures, it has no chat template, or it would
            lose the thinking tags. `AutoProcessor` returns a bare tokenizer where it finds no
            processor, and the trainer would then train without pictures and say nothing.
    """
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(
            config.path, revision=config.revision, padding_side="left", truncation_side="left"
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _unloadable("processor", config, error) from error
    if getattr(processor, "image_processor", None) is None:
        raise UsageError(
            f"{config.path}: its processor is a {type(processor).__name__} without an image "
            "processor, so it would be trained on text alone. Save the model together with its "
            "processor (preprocessor_config.json), or name another model."
        )
    if not processor.chat_template:
        raise UsageError(
            f"{config.path}: its processor has no chat template. Use an instruction-tuned model, "
            "or add chat_template.jinja to its folder."
        )
    _refuse_special_tags(processor, config.path)
    return processor


def load_policy(config: TrainedModel) -> PreTrainedModel:
    """The model, with random state taken from nowhere: its weights are those on the disk.

    Raises:
        UsageError: it cannot be loaded as a model that reads pictures and writes text.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    try:
        return AutoModelForImageTextToText.from_pretrained(
            config.path,
            revision=config.revision,
            dtype=getattr(torch, config.dtype),
            attn_implementation=config.attn,
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _unloadable("model", config, error) from error


def context_limit(config: TrainedModel, grpo: dict[str, Any]) -> int | None:
    """The most tokens that prompt and completion may have together; None where nothing says.

    Raises:
        UsageError: the model's config.json cannot be loaded.
    """
    text = load_config(config).get_text_config()
    limits = [getattr(text, "max_position_embeddings", None), grpo.get("vllm_max_model_length")]
    return min((int(limit) for limit in limits if limit), default=None)


def load_config(config: TrainedModel) -> PreTrainedConfig:
    """The model's config.json.

    Raises:
        UsageError: it cannot be loaded.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(config.path, revision=config.revision)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _unloadable("config.json", config, error) from error


def freeze_vision(model: PreTrainedModel) -> int:
    """How many of the vision tower's parameters were frozen.

    Raises:
        UsageError: the model has no part that is known as a vision tower.
    """
    frozen = [it for name, it in model.named_parameters() if VISION.search(name)]
    if not frozen:
        raise UsageError(
            f"freeze_vision: {type(model).__name__} has no part named visual, vision_model or "
            "vision_tower. Take that line out of the recipe."
        )
    for parameter in frozen:
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen)


def lora_config(settings: LoraSettings, *, is_vision_frozen: bool) -> LoraConfig:
    """The adapter's settings, as peft reads them.

    Raises:
        MissingExtra: peft is not installed.
    """
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise MissingExtra("lora needs peft. Install it: pip install 'pr1[train]'") from error
    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        exclude_modules=rf".*{VISION.pattern}.*" if is_vision_frozen else None,
        task_type="CAUSAL_LM",
    )


def end_token_ids(config: TrainedModel, processor: ProcessorMixin) -> set[int]:
    """The tokens that end a completion, as TRL counts them: the model's, the tokenizer's, padding.

    Source: TRL 1.16, `GRPOTrainer.__init__`: `eos_token_ids`, and the pad token beside them.
    """
    from transformers import GenerationConfig

    try:
        generation = GenerationConfig.from_pretrained(config.path, revision=config.revision)
    except OSError:  # a model without generation_config.json
        generation = GenerationConfig.from_model_config(load_config(config))
    declared = generation.eos_token_id
    listed: list[int | None] = declared if isinstance(declared, list) else [declared]
    tokenizer = processor.tokenizer
    ids = (*listed, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return {id_ for id_ in ids if id_ is not None}


def _refuse_special_tags(processor: ProcessorMixin, path: str) -> None:
    tokenizer = processor.tokenizer
    lost = [tag for tag in TAGS if tag not in _decoded(tokenizer, tag)]
    if lost:
        raise UsageError(
            f"{path}: {', '.join(lost)} are special tokens of its tokenizer, which are left out "
            "when a completion is decoded: no completion would have the format. Save the "
            "tokenizer with them as ordinary added tokens (AddedToken(..., special=False))."
        )


def _decoded(tokenizer: Any, text: str) -> str:
    """What becomes of a text that a completion holds, as the trainer decodes completions."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def _unloadable(what: str, config: TrainedModel, error: Exception) -> UsageError:
    reason = " ".join(str(error).split())[:300]
    return UsageError(
        f"model.path {config.path}: its {what} cannot be loaded "
        f"({type(error).__name__}: {reason}). Name the folder or the hub id of a vision-language "
        "model."
    )
