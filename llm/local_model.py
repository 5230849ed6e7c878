"""A vision-language model of transformers in this process: several prompts in, their answers out.

Any folder that `AutoModelForImageTextToText` and `AutoProcessor` load. Answers are sampled as the
trainer samples them, from the model's own distribution at a temperature; what the folder's
generation settings say of top-p, top-k or repetition penalties is not applied.

**Seeds.** A row's tokens are drawn with a generator of its own: to the scaled logits Gumbel noise
is added and the largest taken, which draws each token with its probability. So an answer depends on
its request's seed and not on the rows beside it, up to floating point: a batch of another size
rounds otherwise, and where two tokens are as good as level the other one may be taken. Devices have
different generators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..images import load_image
from ..schemas.errors import BadRequest, MissingExtra, UsageError
from .chat import ChatImage, ChatMessage, ChatRequest, ChatResponse

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Row(NamedTuple):
    """One request of a batch.

    Attributes:
        is_abandoned: whether nobody waits for the answer any more, so that it need not be finished.
    """

    request: ChatRequest
    is_abandoned: Callable[[], bool]


class LocalModel:
    """A model and its processor, on the GPU where there is one.

    Args:
        folder: of a model in safetensors.

    Raises:
        MissingExtra: torch or transformers is not installed.
        UsageError: the folder cannot be loaded, or its processor reads no pictures.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from safetensors import SafetensorError
            from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig
        except ImportError as error:
            raise MissingExtra(
                "a local model needs torch and transformers. Install them: pip install 'pr1[train]'"
            ) from error
        self.name = folder.resolve().name
        has_gpu = torch.cuda.is_available()
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._processor = AutoProcessor.from_pretrained(folder, **here)
            self._check_sees(folder)
            self._model, loaded = AutoModelForImageTextToText.from_pretrained(
                folder,
                use_safetensors=True,
                dtype="auto" if has_gpu else torch.float32,
                output_loading_info=True,
                **here,
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise UsageError(
                f"{folder}: transformers cannot load it ({type(error).__name__}: {first_line}). "
                "It must hold a vision-language model with its processor."
            ) from error
        if missing := sorted(loaded["missing_keys"]):
            # transformers would make them up at random, with a warning.
            raise UsageError(
                f"{folder}: {len(missing)} weights are missing, {missing[0]} among them. Save the "
                "whole model anew with model.save_pretrained(FOLDER)."
            )
        self._model.to("cuda" if has_gpu else "cpu").eval()
        given = self._model.generation_config
        self._ends = _as_list(given.eos_token_id) or _as_list(self._tokenizer.eos_token_id)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        # Else `generate` would fill in the folder's sampling settings.
        self._model.generation_config = GenerationConfig(
            eos_token_id=self._ends, pad_token_id=self._tokenizer.pad_token_id, do_sample=False
        )

    def answer(self, rows: Sequence[Row]) -> list[ChatResponse]:
        """The answers, in order. All rows have one `max_tokens` and as many pictures each.

        Raises:
            InputError: a picture cannot be read.
            BadRequest: a prompt leaves no room for its answer.
        """
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        requests = [row.request for row in rows]
        inputs = self._encoded(requests)
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        for request, length in zip(requests, lengths, strict=True):
            self._check_room(length, request.max_tokens)
        sampler = _Sampler(requests, self._model.device)
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs.to(self._model.device),
                max_new_tokens=requests[0].max_tokens,
                logits_processor=LogitsProcessorList([sampler]),
                stopping_criteria=StoppingCriteriaList([_Abandoned(rows)]),
            )
        prompt = inputs["input_ids"].shape[1]
        return [
            self._response(row[prompt:].tolist(), request, length, first)
            for row, request, length, first in zip(
                tokens, requests, lengths, sampler.first_logprobs, strict=True
            )
        ]

    @property
    def _tokenizer(self) -> Any:
        return self._processor.tokenizer

    def _check_sees(self, folder: Path) -> None:
        # Where AutoProcessor does not know the class it returns a bare tokenizer, and says nothing.
        if getattr(self._processor, "image_processor", None) is None:
            raise UsageError(
                f"{folder}: its processor reads no pictures ({type(self._processor).__name__}). "
                "Save the model's own processor beside it: processor.save_pretrained(FOLDER). If "
                "it is there, a package that it needs may be missing: pip install torchvision"
            )
        if not getattr(self._processor, "chat_template", None):
            raise UsageError(
                f"{folder}: its processor has no chat template. Save one beside it, as "
                "chat_template.jinja."
            )

    def _encoded(self, requests: Sequence[ChatRequest]) -> Any:
        return self._processor.apply_chat_template(
            [[_turn(message) for message in request.messages] for request in requests],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True, "padding_side": "left"},
        )

    def _check_room(self, prompt: int, max_tokens: int) -> None:
        text_config = self._model.config.get_text_config()
        most = getattr(text_config, "max_position_embeddings", None)
        if most is not None and prompt + max_tokens > most:
            raise BadRequest(
                f"the prompt has {prompt:,} tokens and the answer may have {max_tokens:,}; "
                f"{self.name} reads {most:,} in all. Lower the token limit, or scale pictures down"
            )

    def _response(
        self, tokens: list[int], request: ChatRequest, prompt: int, first: list[_Likely]
    ) -> ChatResponse:
        end = next((place for place, token in enumerate(tokens) if token in self._ends), None)
        first_token: dict[str, float] = {}
        for token, logprob in first:
            first_token.setdefault(self._tokenizer.decode([token]), logprob)
        return ChatResponse(
            text=self._tokenizer.decode(tokens[:end], skip_special_tokens=True),
            finish="length" if end is None else "stop",
            tokens_in=prompt,
            tokens_out=len(tokens) if end is None else end + 1,
            model=self.name,
            first_token=first_token if request.top_logprobs else None,
        )


class _Likely(NamedTuple):
    token: int
    logprob: float


class _Sampler:
    """Turns logits into scores whose largest is the token drawn; called by `generate` each step."""

    def __init__(self, requests: Sequence[ChatRequest], device: Any) -> None:
        self._requests = requests
        self._generators = [_generator(request, device) for request in requests]
        self.first_logprobs: list[list[_Likely]] = []

    def __call__(self, input_ids: Tensor, logits: Tensor) -> Tensor:
        import torch

        if not self.first_logprobs:
            self.first_logprobs = [
                _likeliest(row, request.top_logprobs)
                for row, request in zip(logits, self._requests, strict=True)
            ]
        scores = logits.clone()  # (rows, vocabulary)
        for row, (request, generator) in enumerate(
            zip(self._requests, self._generators, strict=True)
        ):
            if request.temperature > 0:
                waits = torch.empty_like(logits[row]).exponential_(generator=generator)
                scores[row] = logits[row] / request.temperature - waits.log()
        return scores


def _generator(request: ChatRequest, device: Any) -> Generator:
    """The row's own source of chance. Without a seed it starts anywhere."""
    import torch

    generator = torch.Generator(device)
    if request.seed is None:
        generator.seed()
    else:
        generator.manual_seed(request.seed + request.sample_index)
    return generator


def _likeliest(logits: Tensor, how_many: int) -> list[_Likely]:
    """The likeliest tokens, before any temperature."""
    logprobs, tokens = logits.log_softmax(-1).topk(how_many)
    return [_Likely(*pair) for pair in zip(tokens.tolist(), logprobs.tolist(), strict=True)]


class _Abandoned:
    """Ends the rows that nobody waits for; asked by `generate` after each step."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        import torch

        return torch.tensor([row.is_abandoned() for row in self._rows], device=input_ids.device)


def images_of(request: ChatRequest) -> list[ChatImage]:
    """The pictures of a request, in the order in which the model reads them."""
    return [
        part for message in request.messages for part in message.parts if not isinstance(part, str)
    ]


def _turn(message: ChatMessage) -> dict[str, Any]:
    """The message as chat templates take it, its pictures decoded."""
    return {"role": message.role, "content": [_part(part) for part in message.parts]}


def _part(part: str | ChatImage) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image", "image": load_image(part.data, "a picture of the request")}


def _as_list(ids: int | list[int] | None) -> list[int]:
    return ids if isinstance(ids, list) else [] if ids is None else [ids]
