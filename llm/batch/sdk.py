"""What the two official SDKs share here: their faults as our errors, a download as its records.

Neither sends anything again by itself: a second POST could make a second batch, and `patience.py`
repeats the rest.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from ...schemas.errors import BadRequest, ConnectionLost, ModelError, Overloaded, TimedOut
from ..http import MAX_WORDS, JsonEndpoint

READ_TIMEOUT_S = 600.0
"""The least patience: taking in 200 MB lasts longer than one chat request may."""

CLOCKS_DIFFER_S = 3600.0
"""A batch that is older than its intention by more than this is not it."""

BatchObject = TypeVar("BatchObject")
LineT = TypeVar("LineT", bound=BaseModel)


@contextmanager
def sdk_errors(endpoint: JsonEndpoint, base: type[Exception]) -> Iterator[None]:
    """Turns the errors of an SDK, whose common class is `base`, into `ModelError`s."""
    try:
        yield
    except (base, httpx2.HTTPError) as error:
        raise _model_error(error, endpoint) from error
    except ValueError as error:
        raise Overloaded(f"{endpoint.url} answered no JSON.") from error


def checked(answer: object, kind: type[BatchObject], endpoint: JsonEndpoint) -> BatchObject:
    """The answer, which the SDK hands over as text when it is no JSON."""
    if not isinstance(answer, kind):
        raise Overloaded(f"{endpoint.url} answered no {kind.__name__}.")
    return answer


async def records_of(
    pieces: AsyncIterator[bytes], kind: type[LineT], endpoint: JsonEndpoint
) -> AsyncGenerator[LineT, None]:
    """The lines of a download as records; one that is none is passed over."""
    async with aclosing(lines_of(pieces, endpoint)) as lines:
        async for line in lines:
            try:
                record = kind.model_validate_json(line)
            except ValidationError:
                continue
            yield record


async def lines_of(
    pieces: AsyncIterator[bytes], endpoint: JsonEndpoint
) -> AsyncGenerator[bytes, None]:
    r"""The lines of a download that are not blank, without the key, should the service echo it.

    Split at `\n` alone: text in JSON may hold what Unicode counts as a line's end.
    """
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield endpoint.body_without_key(line)
    if rest.strip():
        yield endpoint.body_without_key(rest)


def json_again(value: Any) -> bytes:
    """A part of a record as the JSON that it was; orjson takes no number of 30 digits."""
    return to_json(value)


def one_line(words: str | None) -> str:
    """The service's words as a message can hold them."""
    return " ".join((words or "no explanation").split())[:MAX_WORDS]


def _model_error(error: Exception, endpoint: JsonEndpoint) -> ModelError:
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response):
        return endpoint.error(response.status_code, response.content, response.headers)
    cause = error.__cause__ or error
    if isinstance(cause, httpx2.TimeoutException):
        return TimedOut(f"{endpoint.url} did not answer in time.")
    if isinstance(cause, httpx2.HTTPError):
        return ConnectionLost(f"{endpoint.url}: the connection failed ({type(cause).__name__}).")
    return BadRequest(f"{endpoint.url}: {one_line(endpoint.without_key(str(error)))}")
