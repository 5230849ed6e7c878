"""Anthropic's Message Batches API: requests in one body, results as one stream when all have ended.

Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing and the reference of
anthropic-python 2.12: at most 100,000 requests and 256 MB in a batch; ids of 1 to 64 letters,
digits, `-` and `_`; each result `succeeded`, `errored`, `canceled` or `expired`, and only the first
is billed. A batch carries nothing of ours but the ids of its requests, and these show only in its
results: one that was made while nobody noted its id is told by when it was made and by its size,
and known for sure when it is read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

from anthropic import AnthropicError, AsyncAnthropic
from anthropic.types.messages import MessageBatch
from pydantic import BaseModel, SecretStr

from ...schemas.errors import ModelError, TimedOut
from ..chat import ChatRequest
from ..http import JsonAnswer, JsonEndpoint, to_json
from .ledger import Chunk
from .sdk import CLOCKS_DIFFER_S, READ_TIMEOUT_S, checked, json_again, records_of, sdk_errors
from .service import BatchableClient, BatchResult, BatchState, Limits

_URL = "/v1/messages/batches"
_OPENING, _CLOSING = b'{"requests":[', b"]}"
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicBatches:
    """The `BatchService` of `anthropic/MODEL`.

    Args:
        client: its `body` and `read` are the batch's, too.
        timeout_s: seconds until one call of the service is given up; at least `READ_TIMEOUT_S`.
    """

    limits = Limits(requests=100_000, bytes=256_000_000 - len(_OPENING + _CLOSING))

    def __init__(self, client: BatchableClient, *, key: SecretStr, timeout_s: float) -> None:
        self.client = client
        url = client.identity.endpoint.removesuffix("/v1")
        timeout_s = max(timeout_s, READ_TIMEOUT_S)
        self._endpoint = JsonEndpoint(f"{url}{_URL}", key=key, headers={}, timeout_s=timeout_s)
        self._sdk = AsyncAnthropic(
            api_key=key.get_secret_value(), base_url=url, timeout=timeout_s, max_retries=0
        )

    def line(self, key: str, request: ChatRequest) -> bytes:
        """The request as one line of a chunk file."""
        return to_json({"custom_id": key, "params": self.client.body(request)}) + b"\n"

    async def newest(self) -> str | None:
        """The id of the batch that was made last, or None."""
        with sdk_errors(self._endpoint, AnthropicError):
            page = await self._sdk.messages.batches.list(limit=1)
            return page.data[0].id if page.data else None

    async def submit(self, chunk: Chunk, path: Path) -> str:
        """The id of the batch that was made of the chunk file.

        The file is streamed: the SDK's own method would hold all requests in memory.

        Raises:
            ModelError: as `service.py` says.
        """
        size = len(_OPENING + _CLOSING) + path.stat().st_size + chunk.requests - 1
        headers = {"content-type": "application/json", "content-length": str(size)}
        with sdk_errors(self._endpoint, AnthropicError):
            batch = await self._sdk.post(
                _URL, cast_to=MessageBatch, content=_body_of(path), options={"headers": headers}
            )
            return checked(batch, MessageBatch, self._endpoint).id

    async def find(self, chunk: Chunk, known: set[str]) -> str | None:
        """The id of the first batch of the chunk's size after its intention, or None."""
        found = None
        with sdk_errors(self._endpoint, AnthropicError):
            async for batch in self._sdk.messages.batches.list(limit=100):
                is_older = batch.created_at.timestamp() < chunk.since_s - CLOCKS_DIFFER_S
                if batch.id == chunk.newest_before or is_older:
                    break
                total = sum(batch.request_counts.model_dump().values())
                if total == chunk.requests and batch.id not in known:
                    found = batch.id
        return found

    async def state(self, batch_id: str) -> BatchState:
        """How far the batch is; the service counts its results only when all of it has ended."""
        with sdk_errors(self._endpoint, AnthropicError):
            batch = await self._sdk.messages.batches.retrieve(batch_id)
            counts = checked(batch, MessageBatch, self._endpoint).request_counts
        return BatchState(
            word=batch.processing_status,
            has_ended=batch.processing_status == "ended",
            is_cancelled=counts.canceled > 0,
            completed=counts.succeeded,
            failed=counts.errored + counts.expired,
        )

    async def results(self, batch_id: str) -> AsyncGenerator[BatchResult, None]:
        """What became of the batch's requests."""
        batches = self._sdk.messages.batches.with_streaming_response
        with sdk_errors(self._endpoint, AnthropicError):
            async with (
                batches.results(batch_id) as file,
                aclosing(records_of(file.iter_bytes(), _Line, self._endpoint)) as lines,
            ):
                async for line in lines:
                    yield self._result(line)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    def _result(self, line: _Line) -> BatchResult:
        result = line.result
        try:
            if result.type == "succeeded":
                answer = self.client.read(JsonAnswer(json_again(result.message), None))
                return BatchResult(line.custom_id, answer, None)
            if result.type == "canceled":
                return BatchResult(line.custom_id, None, None)
            if result.type == "expired":
                raise TimedOut("the batch's 24 hours ended before the request was run")
            raise self._endpoint.error(result.status, json_again(result.error), {})
        except ModelError as error:
            return BatchResult(line.custom_id, None, error)


async def _body_of(path: Path) -> AsyncIterator[bytes]:
    """The chunk file as the body of the request that makes the batch, in pieces."""
    yield _OPENING
    with path.open("rb") as file:
        separator = b""
        for line in file:
            yield separator + line
            separator = b","
    yield _CLOSING


class _Result(BaseModel):
    type: Literal["succeeded", "errored", "canceled", "expired"]
    message: Any = None
    error: Any = None

    @property
    def status(self) -> int:
        """The HTTP status that the error would have had online; 500 for an unknown one."""
        error = self.error.get("error") if isinstance(self.error, dict) else None
        kind = error.get("type") if isinstance(error, dict) else None
        return _STATUS.get(str(kind), 500)


class _Line(BaseModel):
    custom_id: str
    result: _Result
