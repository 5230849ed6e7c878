"""Makes two tiny random models that a vLLM server loads: `python models.py FOLDER`.

`FOLDER/text` is a Qwen2, `FOLDER/vision` a Qwen2.5-VL, each of about 0.1M parameters, with a
tokenizer trained here on pr1's own documents. Nothing is downloaded. They answer noise, but of a
sensible length: the first number of every embedding is the same, so that the first column of the
output layer acts as a bias, and the bias favours the end of the answer and the closing quote.

Runs in the server's environment (torch, transformers, tokenizers), not in pr1's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Config,
    Qwen2ForCausalLM,
)

ROOT = Path(__file__).parents[2]
VOCABULARY = 512
CONTEXT = 8192
END, TURN_START, TURN_END, IMAGE = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>"
VISION_START, VISION_END, VIDEO = "<|vision_start|>", "<|vision_end|>", "<|video_pad|>"
SPECIAL = [END, TURN_START, TURN_END, VISION_START, VISION_END, IMAGE, VIDEO]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.content is string %}{{ m.content }}"
    "{% else %}{% for p in m.content %}"
    "{% if p.type == 'text' %}{{ p.text }}"
    "{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
EMBEDDING_CONSTANT = 4.0
ODDS = {TURN_END: 0.64, '"': 0.64}
TEXT_LAYERS = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": False,
}
VISION_LAYERS = {
    "depth": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 2,
    "out_hidden_size": 64,
    "fullatt_block_indexes": [1],
}
PICTURES = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "min_pixels": 4 * 28 * 28,
    "max_pixels": 1280 * 28 * 28,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


def main() -> None:
    """Write both models into the folder that the first argument names."""
    folder = Path(sys.argv[1])
    torch.manual_seed(0)
    tokenizer = trained_tokenizer()
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    ends = {"bos_token_id": ids[END], "eos_token_id": ids[TURN_END], "pad_token_id": ids[END]}
    text = Qwen2ForCausalLM(Qwen2Config(**TEXT_LAYERS, **ends))
    save(text, tokenizer, folder / "text")
    rope = {"rope_type": "default", "type": "default", "mrope_section": [4, 6, 6]}
    vision_config = Qwen2_5_VLConfig(
        text_config={**TEXT_LAYERS, **ends, "rope_scaling": rope},
        vision_config=VISION_LAYERS,
        image_token_id=ids[IMAGE],
        video_token_id=ids[VIDEO],
        vision_start_token_id=ids[VISION_START],
        vision_end_token_id=ids[VISION_END],
        tie_word_embeddings=False,
        **ends,
    )
    save(Qwen2_5_VLForConditionalGeneration(vision_config), tokenizer, folder / "vision")
    (folder / "vision/preprocessor_config.json").write_text(json.dumps(PICTURES))


def trained_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of `VOCABULARY` tokens, so that any text can be written with it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = [ROOT / "LICENSE", *ROOT.glob("annotate/prompts/*.*")]
    tokenizer.train([str(path) for path in sorted(corpus)], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END,
        model_max_length=CONTEXT,
        chat_template=CHAT_TEMPLATE,
    )


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Give the model its random weights with the bias, and write it."""
    embedding, output = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        embedding.normal_(0, 0.5)
        embedding[:, 0] = EMBEDDING_CONSTANT
        output.normal_(0, 0.3)
        output[:, 0] = 0
        for token, odds in ODDS.items():
            output[tokenizer.convert_tokens_to_ids(token), 0] = odds
        for token in SPECIAL:
            if token not in ODDS:
                output[tokenizer.convert_tokens_to_ids(token), 0] = -10
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
