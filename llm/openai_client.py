"""The client of OpenAI's chat completions, which vLLM and most other servers speak as well."""

from __future__ import annotations

import logging
import math
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from ..schemas.errors import Malformed
from .chat import (
    ChatImage,
    ChatRequest,
    ChatResponse,
    ModelIdentity,
    TokenCount,
    message_body,
)
from .http import JsonAnswer, JsonEndpoint, RejectedRequest, to_json
from .json_schema import openai_schema

log = logging.getLogger(__name__)

LEAST_LOGPROB = -9999.0
"""What servers report of a token that may not come; minus infinity is no JSON."""

# What some models take no value for; which ones do changes with every release, so the first
# rejection teaches it, and not a list of names.
_OPTIONAL_PARAMETERS = ("temperature", "seed")


class OpenAIClient:
    """A `ChatClient` for OpenAI itself and for servers that speak its language.

    Args:
        identity: its endpoint is the base URL, e.g. `https://api.openai.com/v1`.
        key: None for a server that asks for none.
        timeout_s: seconds until a request is given up.
    """

    def __init__(self, identity: ModelIdentity, *, key: SecretStr | None, timeout_s: float) -> None:
        self.identity = identity
        url = f"{identity.endpoint}/chat/completions"
        self._endpoint = JsonEndpoint(url, key=key, headers={}, timeout_s=timeout_s)
        self._unsupported: set[str] = set()

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The model's answer.

        Raises:
            ModelError: one of its subclasses.
        """
        body = self.body(request)
        try:
            answer = await self._post(body)
        except RejectedRequest as error:
            if error.service_code == "content_filter":
                return ChatResponse(text="", finish="stop", refusal=str(error))
            raise
        return self.read(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    async def _post(self, body: dict[str, Any]) -> JsonAnswer:
        """The answer, asked for again without each parameter that the model takes no value for."""
        try:
            return await self._endpoint.post(to_json(body))
        except RejectedRequest as error:
            rejected = {name for name in _OPTIONAL_PARAMETERS if _is_unsupported(name, error)}
            rejected &= body.keys()
            if not rejected:
                raise
            slim = {name: value for name, value in body.items() if name not in rejected}
            answer = await self._post(slim)
            if not rejected <= self._unsupported:
                self._unsupported |= rejected
                names = ", ".join(sorted(rejected))
                log.warning("%s: sent without %s (%s)", body["model"], names, error)
            return answer

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The request in the service's JSON.

        Raises:
            TypeError: no strict schema can express its `response_model`.
        """
        is_openai = self.identity.provider == "openai"
        body: dict[str, Any] = {
            "model": self.identity.model,
            "messages": [message_body(message, _part) for message in request.messages],
            "max_completion_tokens" if is_openai else "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if request.response_model is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": request.response_model.__name__,
                    "schema": openai_schema(request.response_model),
                    "strict": True,
                },
            }
        for name in self._unsupported:
            body.pop(name, None)
        return body

    def read(self, answer: JsonAnswer) -> ChatResponse:
        """The answer in our words.

        Raises:
            Malformed: it is no chat completion.
            ModelError: it is an error that came with status 200.
        """
        try:
            completion = _Completion.model_validate_json(answer.body)
        except ValidationError as error:
            message = f"{self._endpoint.url} answered no chat completion: {answer.body[:80]!r}"
            raise Malformed(message) from error
        if completion.error is not None:  # some gateways report faults with status 200
            raise self._endpoint.error(completion.error.status, answer.body, {})
        if not completion.choices:
            raise Malformed(f"{self._endpoint.url} answered a completion without choices")
        choice = completion.choices[0]
        refusal = choice.message.refusal
        if choice.finish_reason == "content_filter":
            refusal = refusal or "the service's content filter cut the answer"
        usage = completion.usage or _Usage()
        return ChatResponse(
            text=choice.message.content or "",
            finish="length" if choice.finish_reason == "length" else "stop",
            refusal=refusal or None,
            tokens_in=usage.prompt_tokens,
            tokens_cached=usage.cached_tokens,
            tokens_out=usage.completion_tokens,
            model=completion.model or "",
            request_id=answer.request_id or completion.id,
            first_token=choice.first_token,
        )


def _log_of_sum(first: float, second: float) -> float:
    """The logarithm of the sum of two numbers whose logarithms are given."""
    larger, smaller = max(first, second), min(first, second)
    return larger if smaller == -math.inf else larger + math.log1p(math.exp(smaller - larger))


def _is_unsupported(parameter: str, error: RejectedRequest) -> bool:
    """Whether the model takes no value for the parameter; one out of range is another matter."""
    words = str(error).lower()
    is_unsupported = "unsupported" in error.service_code or "support" in words
    return is_unsupported and parameter in words


def _part(part: str | ChatImage) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = f"data:{part.media_type};base64,{part.base64}"
    return {"type": "image_url", "image_url": {"url": url}}


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _TokenChance(BaseModel):
    token: str
    logprob: float


class _Position(BaseModel):
    top_logprobs: list[_TokenChance] = []


class _Logprobs(BaseModel):
    content: list[_Position] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None

    @property
    def first_token(self) -> dict[str, float] | None:
        """The likeliest first tokens and their log probabilities, where there are any."""
        if self.logprobs is None or not self.logprobs.content:
            return None
        chances: dict[str, float] = {}
        for chance in self.logprobs.content[0].top_logprobs:
            # Tokens that are parts of a character are all spelt alike: their chances add up.
            known = chances.get(chance.token, -math.inf)
            added = _log_of_sum(known, chance.logprob)
            chances[chance.token] = max(added, LEAST_LOGPROB)
        return chances


class _PromptDetails(BaseModel):
    cached_tokens: TokenCount | None = None


class _Usage(BaseModel):
    prompt_tokens: TokenCount = 0
    completion_tokens: TokenCount = 0
    prompt_tokens_details: _PromptDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Those of the prompt that the service read from its cache; 0 where it says nothing."""
        details = self.prompt_tokens_details or _PromptDetails()
        return details.cached_tokens or 0


class _Error(BaseModel):
    code: int | str | None = None

    @property
    def status(self) -> int:
        """The HTTP status that the service means; 500 when it names none."""
        return self.code if isinstance(self.code, int) and 400 <= self.code < 600 else 500


class _Completion(BaseModel):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | None = None
