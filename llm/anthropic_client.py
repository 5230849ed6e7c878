"""The client of Anthropic's Messages API, in its version of 2026-10-21.

That version takes neither temperature nor seed: a request's values for them are not sent.
"""

from __future__ import annotations

import logging
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
from .http import JsonAnswer, JsonEndpoint, to_json
from .json_schema import anthropic_schema

API_VERSION = "2026-10-21"
API_TEMPERATURE = 1.0

log = logging.getLogger(__name__)


class AnthropicClient:
    """A `ChatClient` for Anthropic and for servers that speak its language.

    Args:
        identity: its endpoint is the base URL, e.g. `https://api.anthropic.com`.
        key: None for a server that asks for none.
        timeout_s: seconds until a request is given up.
    """

    def __init__(self, identity: ModelIdentity, *, key: SecretStr | None, timeout_s: float) -> None:
        self.identity = identity
        url = f"{identity.endpoint.removesuffix('/v1')}/v1/messages"
        headers = {"anthropic-version": API_VERSION}
        self._endpoint = JsonEndpoint(url, key=key, headers=headers, timeout_s=timeout_s)
        self._has_warned = False

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The model's answer.

        Raises:
            ModelError: one of its subclasses.
        """
        return self.read(await self._endpoint.post(to_json(self.body(request))))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The request in the service's JSON.

        Raises:
            TypeError: no strict schema can express its `response_model`.
        """
        if request.temperature != API_TEMPERATURE and not self._has_warned:
            self._has_warned = True
            log.warning(
                "anthropic/%s takes no temperature: %g is not sent, and it samples as it likes",
                self.identity.model,
                request.temperature,
            )
        system = [m for m in request.messages if m.role == "system"]
        body: dict[str, Any] = {
            "model": self.identity.model,
            "max_tokens": request.max_tokens,
            "messages": [message_body(m, _part) for m in request.messages if m.role != "system"],
        }
        if system:
            body["system"] = [_part(part) for m in system for part in m.parts]
        if request.response_model is not None:
            schema = anthropic_schema(request.response_model)
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return body

    def read(self, answer: JsonAnswer) -> ChatResponse:
        """The answer in our words.

        Raises:
            Malformed: it is no message.
        """
        try:
            message = _Answer.model_validate_json(answer.body)
        except ValidationError as error:
            said = f"{self._endpoint.url} answered no message: {answer.body[:80]!r}"
            raise Malformed(said) from error
        is_cut = message.stop_reason in ("max_tokens", "model_context_window_exceeded")
        usage = message.usage
        cached = usage.cache_read_input_tokens or 0
        return ChatResponse(
            text="".join(block.text for block in message.content if block.type == "text"),
            finish="length" if is_cut else "stop",
            refusal=message.why_refused if message.stop_reason == "refusal" else None,
            tokens_in=usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
            tokens_cached=cached,
            tokens_out=usage.output_tokens,
            model=message.model,
            request_id=answer.request_id or message.id,
        )


def _part(part: str | ChatImage) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": part.media_type, "data": part.base64},
    }


class _Block(BaseModel):
    type: str
    text: str = ""


class _Usage(BaseModel):
    input_tokens: TokenCount = 0
    output_tokens: TokenCount = 0
    cache_creation_input_tokens: TokenCount | None = None
    cache_read_input_tokens: TokenCount | None = None


class _StopDetails(BaseModel):
    category: str | None = None
    explanation: str | None = None


class _Answer(BaseModel):
    id: str | None = None
    model: str = ""
    content: list[_Block]
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage = _Usage()

    @property
    def why_refused(self) -> str:
        """The service's explanation, or the least that is known."""
        details = self.stop_details or _StopDetails()
        return details.explanation or details.category or "the model declined to answer"
