r"""A vision-language model of 0.64 million parameters, made from a configuration.

It is an ordinary Idefics3 with an ordinary processor and chat template, so `pr1 train`, `pr1 filter
--policy local/FOLDER` and every other program that loads a folder of transformers takes it for what
it is. Only its size is unusual:

    picture 48 × 48 ─▶ 36 patches of 8 × 8 ─▶ 2 vision layers ─▶ 9 image tokens ─▶ 3 text layers

The prompt is the one that the product gives every policy. Its long instruction is one token here,
as are the four tags and `\boxed{`; so a prompt has some 20 tokens and a completion under 40.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...schemas.completion_format import TAGS
from ...schemas.policy_prompt import FACTS, INSTRUCTION
from .world import SIDE_PX, draw_problem

if TYPE_CHECKING:
    from transformers import (
        Idefics3ForConditionalGeneration,
        Idefics3Processor,
        PreTrainedTokenizerFast,
    )

VOCABULARY = 329  # there are no more words in the world
HIDDEN = 96
INNER = 288
HEADS = 4
TEXT_LAYERS = 3
VISION_LAYERS = 2
PATCH_PX = 8
SHUFFLE = 2
IMAGE_TOKENS = (SIDE_PX // PATCH_PX // SHUFFLE) ** 2
CONTEXT = 256

PAD, END, IMAGE = "<pad>", "<end_of_utterance>", "<image>"
CONTROL = [PAD, END, IMAGE, "<fake_token_around_image>", "<global-img>", "<user>", "<assistant>"]
PHRASES = [INSTRUCTION, FACTS, *TAGS, r"\boxed{"]

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<' + message['role'] + '>' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ '<end_of_utterance>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE: 256 bytes, 7 control tokens, 7 whole phrases, and the world's few words.

    The tags are ordinary tokens and no special ones: a decoder that skips special tokens would hide
    them from the format reward.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(CONTROL) - len(PHRASES),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(), trainer)
    bpe.add_special_tokens(CONTROL)
    bpe.add_tokens([AddedToken(phrase, normalized=False) for phrase in PHRASES])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        padding_side="left",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def build_processor() -> Idefics3Processor:
    """Tokenizer, picture processor and chat template; a picture is taken as it is, in one piece."""
    from transformers import Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": SIDE_PX},
        max_image_size={"longest_edge": SIDE_PX},
        do_resize=False,
        do_image_splitting=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )
    return Idefics3Processor(
        pictures, build_tokenizer(), image_seq_len=IMAGE_TOKENS, chat_template=CHAT_TEMPLATE
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Idefics3ForConditionalGeneration:
    """The untrained model, its weights drawn from `seed`."""
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    pad, end, image = tokenizer.convert_tokens_to_ids([PAD, END, IMAGE])
    layers = {
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
    }
    text = {
        **layers,
        "model_type": "llama",
        "num_hidden_layers": TEXT_LAYERS,
        "num_key_value_heads": HEADS,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "pad_token_id": pad,
        "bos_token_id": None,
        "eos_token_id": end,
    }
    vision = {
        **layers,
        "num_hidden_layers": VISION_LAYERS,
        "image_size": SIDE_PX,
        "patch_size": PATCH_PX,
    }
    config = Idefics3Config(
        text_config=text,
        vision_config=vision,
        scale_factor=SHUFFLE,
        image_token_id=image,
        tie_word_embeddings=True,
        pad_token_id=pad,
        bos_token_id=None,
        eos_token_id=end,
    )
    torch.manual_seed(seed)
    model = Idefics3ForConditionalGeneration(config)
    model.generation_config.update(pad_token_id=pad, eos_token_id=end, bos_token_id=None)
    return model


def _texts() -> list[str]:
    """What the tokenizer's words are taken from; the rest of a prompt is whole phrases."""
    rng = np.random.default_rng(0)
    problems = [draw_problem(rng) for _ in range(2000)]
    return [
        text
        for problem in problems
        for text in (problem.question, problem.reasoning(), problem.answer)
    ]
