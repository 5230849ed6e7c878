"""A small language model inside this process: no key, no server, no network.

llama.cpp (through `xllamacpp`) runs Qwen2.5-Coder-1.5B-Instruct on the CPU. One request is computed
at a time, by one worker thread: a second one beside it would only slow both. Requests that begin
alike (instructions and examples first, the new text last) share the computed beginning, so keep
that order in a prompt.

An answer with a form (`response_model`) is compact JSON, `{"a":1,"b":[]}`: white space is not
allowed, for it costs tokens and a small model can lose itself in it. Write examples that way, too.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..schemas.errors import BadRequest, MissingExtra, ModelError, Overloaded, UsageError
from .chat import ChatMessage, ChatRequest, ChatResponse, ModelIdentity
from .cores import usable_cores
from .json_schema import openai_schema
from .model_file import EMBEDDED_MODEL, find_or_fetch

CONTEXT_TOKENS = 8192
"""Prompt and answer together; each 1,000 tokens cost 28 MB of memory."""

LONGEST_STRING = 240
LONGEST_LIST = 24
"""In an answer that has a form: characters of a string, items of a list."""

OTHER_PROMPTS_MIB = 512
"""Memory for the beginnings of other prompts: requests of two kinds may take turns."""

_MOST_CHARACTERS_PER_TOKEN = 32
"""Text above this density does not occur; used to refuse hopeless prompts without reading them."""


def open_embedded() -> EmbeddedClient:
    """The client of the embedded model; its file is fetched first where it is missing.

    Raises:
        MissingExtra: xllamacpp is not installed.
        UsageError: the model's file can be had from nowhere; the message says what was tried.
    """
    llama = import_llama()
    return EmbeddedClient(llama, find_or_fetch())


def import_llama() -> Any:
    """The module `xllamacpp`, imported so that its threads sleep while they wait.

    Raises:
        MissingExtra: it is not installed.
    """
    # OpenMP reads this once, when the library is loaded. Threads that spin at each barrier make
    # generation five times slower as soon as anything else uses a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        raise MissingExtra(
            "the embedded model needs xllamacpp. Install it: pip install 'pr1[embedded]'"
        ) from error


class EmbeddedClient:
    """A `ChatClient` that computes its answers here. It loads the model at the first request."""

    def __init__(self, llama: Any, model_path: Path) -> None:
        self._llama = llama
        self._model_path = model_path
        self._server: Any = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pr1-embedded")

    @property
    def identity(self) -> ModelIdentity:
        """The model by its file: the start of its sha256 is the revision."""
        return ModelIdentity("embedded", "", EMBEDDED_MODEL.name, EMBEDDED_MODEL.sha256[:12])

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The answer, computed after those that were asked for earlier.

        Raises:
            BadRequest: the prompt is too long or holds a picture, or the form of the answer cannot
                be enforced. Remedy: as the message says.
        """
        body = self._body(request)
        is_abandoned = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._answer, body, is_abandoned)
        except asyncio.CancelledError:
            is_abandoned.set()
            raise

    async def aclose(self) -> None:
        """Free the model's memory, once the request under way has ended."""
        await asyncio.get_running_loop().run_in_executor(self._worker, self._unload)
        self._worker.shutdown()

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "messages": [_message(message) for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        _refuse_hopeless_length(body["messages"])
        if request.seed is not None:
            body["seed"] = (request.seed + request.sample_index) % 2**32
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if request.response_model is not None:
            # Sent as `response_format`, the schema would lose the last key on its way.
            schema = _bounded(openai_schema(request.response_model))
            compact = schema | {"x-guidance": {"whitespace_flexible": False}}
            body["grammar"] = self._llama.json_schema_to_grammar(compact)
        return body

    def _answer(self, body: dict[str, Any], is_abandoned: threading.Event) -> ChatResponse:
        if self._server is None:
            self._server = self._load()
        chunks: list[dict[str, Any]] = []

        def receive(chunk: dict[str, Any]) -> bool:
            chunks.append(chunk)
            return is_abandoned.is_set()

        self._server.handle_chat_completions(body, receive)
        return _response(chunks)

    def _load(self) -> Any:
        parameters = self._llama.CommonParams()
        parameters.model.path = str(self._model_path)
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = 1
        parameters.cache_ram_mib = OTHER_PROMPTS_MIB
        # Weights rearranged for the processor cost 0.6 GB and seconds of loading; with this model
        # the prompt is read no faster for it.
        parameters.no_extra_bufts = True
        # llama.cpp opens a port on the loopback interface, which nobody here uses.
        parameters.api_keys = [secrets.token_hex()]
        parameters.ui = False
        parameters.endpoint_slots = False
        parameters.cpuparams.n_threads = usable_cores()
        parameters.cpuparams_batch.n_threads = usable_cores()
        parameters.verbosity = -1
        try:
            return self._llama.Server(parameters)
        except RuntimeError as error:
            raise UsageError(
                f"{self._model_path}: llama.cpp cannot load it ({error}). Check the file and the "
                "free memory (2 GB are needed): pr1 doctor --fetch"
            ) from error

    def _unload(self) -> None:
        self._server = None


def _message(message: ChatMessage) -> dict[str, str]:
    texts = [part for part in message.parts if isinstance(part, str)]
    if len(texts) < len(message.parts):
        raise BadRequest(
            "the embedded model reads text only, and the request holds a picture. "
            "Use a multimodal model, e.g. --model openai/NAME"
        )
    return {"role": message.role, "content": "\n".join(texts)}


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with a longest length for its strings and lists.

    A small model that begins to repeat itself would go on to its token limit, for minutes.
    """
    bounded = {
        key: _bounded(value) if isinstance(value, dict) else value for key, value in schema.items()
    }
    if "anyOf" in schema:
        return {**bounded, "anyOf": [_bounded(variant) for variant in schema["anyOf"]]}
    if schema.get("type") == "string" and not {"enum", "const"} & schema.keys():
        return {**bounded, "maxLength": LONGEST_STRING}
    if schema.get("type") == "array":
        return {**bounded, "maxItems": min(LONGEST_LIST, schema.get("maxItems", LONGEST_LIST))}
    return bounded


def _refuse_hopeless_length(messages: list[dict[str, str]]) -> None:
    characters = sum(len(message["content"]) for message in messages)
    if characters > CONTEXT_TOKENS * _MOST_CHARACTERS_PER_TOKEN:
        raise BadRequest(
            f"the prompt has {characters:,} characters; the embedded model reads "
            f"{CONTEXT_TOKENS:,} tokens. Shorten the text, or use a model that reads more"
        )


def _response(chunks: list[dict[str, Any]]) -> ChatResponse:
    texts: list[str] = []
    finish = None
    usage: dict[str, Any] = {}
    request_id = None
    first_token = None
    for chunk in chunks:
        if "error" in chunk:
            raise _model_error(chunk["error"])
        for choice in chunk["choices"]:
            texts.append(choice["delta"].get("content") or "")
            finish = choice["finish_reason"] or finish
            if first_token is None and choice.get("logprobs"):
                likeliest = choice["logprobs"]["content"][0]["top_logprobs"]
                first_token = {token["token"]: token["logprob"] for token in likeliest}
        usage = chunk.get("usage", usage)
        request_id = chunk["id"]
    if finish is None:
        raise Overloaded("the embedded model stopped before its answer was complete")
    return ChatResponse(
        text="".join(texts),
        finish=finish,
        tokens_in=usage["prompt_tokens"],
        tokens_cached=usage["prompt_tokens_details"]["cached_tokens"],
        tokens_out=usage["completion_tokens"],
        model=EMBEDDED_MODEL.name,
        request_id=request_id,
        first_token=first_token,
    )


def _model_error(error: dict[str, Any]) -> ModelError:
    if error["type"] == "exceed_context_size_error":
        return BadRequest(
            f"the prompt has {error['n_prompt_tokens']:,} tokens; the embedded model reads "
            f"{error['n_ctx']:,}. Shorten the text, or use a model that reads more"
        )
    if error["code"] < 500:
        return BadRequest(f"the embedded model rejects the request: {error['message']}")
    return Overloaded(f"the embedded model failed: {error['message']}")
