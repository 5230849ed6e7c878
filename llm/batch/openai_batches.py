"""OpenAI's Batch API: a file of requests goes up, a file of answers and one of errors come back.

Source: https://developers.openai.com/api/docs/guides/batch and the reference of its `batches` and
`files`, as of openai-python 3.54: at most 50,000 requests and 200 MB in a file; a limit of prompt
tokens that may be queued, which shows as a batch that failed with `token_limit_exceeded`; results
in any order; after 24 hours what was done is in the output file and the rest in the error file.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

from openai import AsyncOpenAI, OpenAIError
from openai.types import Batch, FileObject
from pydantic import BaseModel, SecretStr

from ...schemas.errors import ModelError, Overloaded, TimedOut
from ..chat import ChatRequest, ChatResponse
from ..http import JsonAnswer, JsonEndpoint, RejectedRequest, to_json
from .ledger import Chunk
from .sdk import (
    CLOCKS_DIFFER_S,
    READ_TIMEOUT_S,
    checked,
    json_again,
    one_line,
    records_of,
    sdk_errors,
)
from .service import BatchableClient, BatchResult, BatchState, Limits, Problem

NAME_IN_METADATA = "pr1_chunk"
_URL: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_ENDED = {"completed", "failed", "expired", "cancelled"}
_LACKS_ROOM = {"token_limit_exceeded", "request_limit_exceeded"}


class OpenAIBatches:
    """The `BatchService` of `openai/MODEL`.

    Args:
        client: its `body` and `read` are the batch's, too.
        timeout_s: seconds until one call of the service is given up; at least `READ_TIMEOUT_S`.
    """

    limits = Limits(requests=50_000, bytes=200_000_000)

    def __init__(self, client: BatchableClient, *, key: SecretStr, timeout_s: float) -> None:
        self.client = client
        url = client.identity.endpoint
        timeout_s = max(timeout_s, READ_TIMEOUT_S)
        self._endpoint = JsonEndpoint(f"{url}/batches", key=key, headers={}, timeout_s=timeout_s)
        self._sdk = AsyncOpenAI(
            api_key=key.get_secret_value(), base_url=url, timeout=timeout_s, max_retries=0
        )

    def line(self, key: str, request: ChatRequest) -> bytes:
        """The request as one line of a chunk file."""
        body = self.client.body(request)
        return to_json({"custom_id": key, "method": "POST", "url": _URL, "body": body}) + b"\n"

    async def newest(self) -> str | None:
        """The id of the batch that was made last, or None."""
        with sdk_errors(self._endpoint, OpenAIError):
            page = await self._sdk.batches.list(limit=1)
            return page.data[0].id if page.data else None

    async def submit(self, chunk: Chunk, path: Path) -> str:
        """The id of the batch that was made of the chunk file.

        Raises:
            ModelError: as `service.py` says.
        """
        with sdk_errors(self._endpoint, OpenAIError), path.open("rb") as file:
            uploaded = await self._sdk.files.create(file=(path.name, file), purpose="batch")
            batch = await self._sdk.batches.create(
                input_file_id=checked(uploaded, FileObject, self._endpoint).id,
                endpoint=_URL,
                completion_window="24h",
                metadata={NAME_IN_METADATA: chunk.name},
            )
            return checked(batch, Batch, self._endpoint).id

    async def find(self, chunk: Chunk, known: set[str]) -> str | None:
        """The id of the batch that carries the chunk's name, or None."""
        with sdk_errors(self._endpoint, OpenAIError):
            async for batch in self._sdk.batches.list(limit=100):
                is_older = batch.created_at < chunk.since_s - CLOCKS_DIFFER_S
                if batch.id == chunk.newest_before or is_older:
                    break
                if (batch.metadata or {}).get(NAME_IN_METADATA) == chunk.name:
                    return None if batch.id in known else batch.id
        return None

    async def state(self, batch_id: str) -> BatchState:
        """How far the batch is."""
        with sdk_errors(self._endpoint, OpenAIError):
            batch = checked(await self._sdk.batches.retrieve(batch_id), Batch, self._endpoint)
        counts = batch.request_counts
        errors = (batch.errors and batch.errors.data) or []
        problems = tuple(
            Problem(
                e.line and int(e.line),
                e.code or "",
                one_line(self._endpoint.without_key(e.message or "")),
            )
            for e in errors
        )
        if batch.status == "failed" and not problems:
            problems = (Problem(None, "failed", "the service says nothing more"),)
        return BatchState(
            word=batch.status,
            has_ended=batch.status in _ENDED,
            is_cancelled=batch.status == "cancelled",
            completed=counts.completed if counts else 0,
            failed=counts.failed if counts else 0,
            problems=problems if batch.status == "failed" else (),
            lacks_room=batch.status == "failed" and any(p.code in _LACKS_ROOM for p in problems),
        )

    async def results(self, batch_id: str) -> AsyncGenerator[BatchResult, None]:
        """What became of the batch's requests: the output file, then the error file."""
        with sdk_errors(self._endpoint, OpenAIError):
            batch = checked(await self._sdk.batches.retrieve(batch_id), Batch, self._endpoint)
            for file_id in (batch.output_file_id, batch.error_file_id):
                if file_id is None:
                    continue
                async with (
                    self._sdk.files.with_streaming_response.content(file_id) as file,
                    aclosing(records_of(file.iter_bytes(), _Line, self._endpoint)) as lines,
                ):
                    async for line in lines:
                        yield self._result(line)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()

    def _result(self, line: _Line) -> BatchResult:
        if line.response is None:
            error = line.error.as_model_error() if line.error else None
            return BatchResult(line.custom_id, None, error)
        response = line.response
        body = json_again(response.body)
        try:
            if response.status_code == 200:
                answer = self.client.read(JsonAnswer(body, response.request_id))
                return BatchResult(line.custom_id, answer, None)
            raise self._endpoint.error(response.status_code, body, {})
        except RejectedRequest as error:
            if error.service_code != "content_filter":
                return BatchResult(line.custom_id, None, error)
            refusal = ChatResponse(text="", finish="stop", refusal=str(error))
            return BatchResult(line.custom_id, refusal, None)
        except ModelError as error:
            return BatchResult(line.custom_id, None, error)


class _Error(BaseModel):
    code: str | None = None
    message: str | None = None

    def as_model_error(self) -> ModelError | None:
        """What the service did instead of running the request; None where somebody cancelled it."""
        if self.code == "batch_cancelled":
            return None
        said = one_line(f"{self.code or 'no code'}: {self.message or 'no explanation'}")
        return TimedOut(said) if self.code == "batch_expired" else Overloaded(said)


class _Response(BaseModel):
    status_code: int
    request_id: str | None = None
    body: Any = None


class _Line(BaseModel):
    custom_id: str
    response: _Response | None = None
    error: _Error | None = None
