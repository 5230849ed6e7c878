"""One HTTP endpoint that takes JSON and answers with JSON; each of its faults is a `ModelError`.

The clients post ready bytes through it: the SDKs' request transforms and connection pools cost five
to ten times the CPU of aiohttp, and would retry behind the engine's back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from pydantic import SecretStr

from ..schemas.errors import (
    BadRequest,
    ConnectionLost,
    ModelError,
    Overloaded,
    RateLimited,
    TimedOut,
    Unauthorised,
)

CONNECT_TIMEOUT_S = 30.0
LONGEST_IDLE_S = 4.0
MAX_WORDS = 300
MAX_REQUEST_ID = 100
SHORTEST_SECRET = 8  # a local server's key is often a word, such as EMPTY, that answers may hold
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}

# A 429 with one of these codes lasts until somebody pays or the month ends: no pause helps.
_SPENT_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "contract_spend_limit_reached",
    "enforced_spend_limit_reached",
    "linked_organization_spend_limit_reached",
}


class RejectedRequest(BadRequest):
    """The service rejects this request.

    Attributes:
        service_code: the service's own machine-readable reason, or empty.
    """

    def __init__(self, message: str, service_code: str = "") -> None:
        super().__init__(message, service_code)
        self.message = message
        self.service_code = service_code

    def __str__(self) -> str:
        return self.message


class JsonAnswer(NamedTuple):
    """The body of a successful answer, unparsed, and the service's id of the request."""

    body: bytes
    request_id: str | None


class JsonEndpoint:
    """A URL that answers POST requests; it keeps its connections open between them.

    Belongs to the event loop of its first request. How many requests are under way at once is its
    caller's business. Redirects are not followed: they would carry the key to another host.

    Args:
        url: without credentials.
        key: sent as a bearer token; it reaches no message and no representation.
        headers: sent with every request, beside the content type.
        timeout_s: seconds until a request is given up.
    """

    def __init__(
        self, url: str, *, key: SecretStr | None, headers: Mapping[str, str], timeout_s: float
    ) -> None:
        self.url = url
        self._key = key
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes) -> JsonAnswer:
        """The body of the answer.

        Raises:
            ModelError: the request came to nothing; the subclass says why.
        """
        if self._session is None:
            self._session = self._open_session()
        try:
            async with self._session.post(self.url, data=body, allow_redirects=False) as response:
                answer = self.body_without_key(await response.read())
                if response.status >= 500:  # some servers close the connection after that, unsaid
                    response.close()
        except aiohttp.InvalidURL:  # its words are the proxy's address, password included
            raise BadRequest(
                f"{self.url} cannot be asked: it, or the proxy that the environment names for it, "
                "is no address. Correct --base-url or the proxy's variable."
            ) from None
        except aiohttp.ClientError as error:
            message = f"{self.url}: the connection failed ({self.without_key(str(error))})."
            raise ConnectionLost(message) from error
        except TimeoutError as error:
            message = f"{self.url} did not answer within {self._timeout_s:g} s."
            raise TimedOut(message) from error
        if response.status != 200:
            raise self.error(response.status, answer, response.headers)
        return JsonAnswer(answer, request_id_in(response.headers))

    def body_without_key(self, body: bytes) -> bytes:
        """The body; a service that echoes the key does not get it into a message or the store."""
        secret = self._secret()
        return body.replace(secret.encode(), b"[key]") if secret else body

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> ModelError:
        """What an answer with this status means: 401 is `Unauthorised`, 429 `RateLimited`, ..."""
        words, code = _service_words(self.body_without_key(body))  # before they are cut
        said = f"{self.url} answered {status}: {self.without_key(words) or 'no explanation'}"
        if (request_id := request_id_in(headers)) is not None:
            said += f" (request {self.without_key(request_id)})"
        if status in (401, 402, 403) or code in _SPENT_CODES:
            return Unauthorised(f"{said}. Check the key, its rights and its credit.")
        if status == 429:
            return RateLimited(said, retry_after_s(headers))
        if status in (408, 409, 425) or (status >= 500 and status != 501):
            return Overloaded(said, retry_after_s(headers))
        if 300 <= status < 400:
            target = self.without_key(headers.get("location", "another place"))
            return RejectedRequest(f"{self.url} redirects to {target}. Correct --base-url.", code)
        if status in (404, 405):
            return RejectedRequest(f"{said}. Check --base-url and the model's name.", code)
        return RejectedRequest(said, code)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        headers = {"content-type": "application/json", **self._headers}
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        return aiohttp.ClientSession(
            headers=headers,
            # Many servers close what was idle for 5 s, and a request on its way then is lost.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=LONGEST_IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(self._timeout_s, sock_connect=CONNECT_TIMEOUT_S),
            # Not trust_env: aiohttp would also take credentials from ~/.netrc, in the key's place.
            proxy=proxy_for(self.url),
        )

    def without_key(self, words: str) -> str:
        """The words, where the service may have echoed the key."""
        secret = self._secret()
        return words.replace(secret, "[key]") if secret else words

    def _secret(self) -> str:
        value = self._key.get_secret_value() if self._key is not None else ""
        return value if len(value) >= SHORTEST_SECRET else ""


def to_json(values: dict[str, Any], *, sort_keys: bool = False) -> bytes:
    """The values as UTF-8 JSON.

    A schema's order of properties is the order in which a model writes them: what is sent stays
    unsorted.

    Raises:
        BadRequest: a text holds half of a surrogate pair, which UTF-8 cannot express.
    """
    try:
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError as error:
        message = f"the request cannot be written as JSON ({error}). Correct the row's text."
        raise BadRequest(message) from error


def request_id_in(headers: Mapping[str, str]) -> str | None:
    """The service's own id of the request, which its support asks for; None when it gives none."""
    text = headers.get("x-request-id") or headers.get("request-id")
    return text[:MAX_REQUEST_ID] if text and text.isprintable() else None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The pause that the service asks for, in seconds (0 or more), or None.

    Reads `retry-after-ms`, then `Retry-After` as seconds or as an HTTP date.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _service_words(body: bytes) -> tuple[str, str]:
    """The message on one line and the error code, from any of the forms that servers use."""
    try:
        error = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _one_line(body[: 4 * MAX_WORDS].decode(errors="replace")), ""
    if isinstance(error, dict):
        error = error.get("error", error)
    if not isinstance(error, dict):
        return _one_line(str(error)), ""
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, dict) else None
    words = error.get("message") or error.get("detail") or ""
    return _one_line(str(words)), str(code or error.get("code") or error.get("type") or "")


def _one_line(text: str) -> str:
    text = " ".join(text[: 4 * MAX_WORDS].split()).rstrip(".")
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]}…"


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for the URL; none for this machine's own.

    One that is given without a scheme is taken for `http://`, as curl takes it.
    """
    address = urlsplit(url)
    host = address.hostname or ""
    if host in LOOPBACK_HOSTS or proxy_bypass(host):
        return None
    proxy = getproxies().get(address.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
