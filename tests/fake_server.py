"""A chat server on this machine for tests: OpenAI's and Anthropic's forms, and every fault.

    def test_something(fake_server):
        fake_server.answer = lambda body: '{"facts": []}'      # or a Reply, or in_turn(...)
        run(base_url=fake_server.openai_url)
        assert len(fake_server.bodies) == 1

`answer` gets the request's body and returns the assistant's text, or a `Reply` made by one of the
functions below. It runs in the server's thread, so the server serves synchronous tests and other
processes as well.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from loopback import served

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One answer of the server; the functions below make the usual ones."""

    text: str = ""
    finish: str = "stop"
    refusal: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    delay_s: float = 0.0
    is_cut: bool = False
    cached_tokens: int = 0
    has_id_header: bool = True
    closes: bool = False


def rate_limited(**headers: str) -> Reply:
    """A 429; give `retry_after="1"` or `retry_after_ms="50"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return failed(429, "Rate limit reached", headers=named)


def failed(status: int, message: str = "it broke", headers: dict[str, str] | None = None) -> Reply:
    """An error answer in the form that both APIs share."""
    error = {"type": "some_error", "message": message, "param": None, "code": None}
    raw = json.dumps({"type": "error", "error": error}).encode()
    return Reply(status=status, raw=raw, headers=headers or {})


def broken_inside() -> Reply:
    """A 500 as uvicorn's servers send it (vLLM is one): then they close the connection, unsaid."""
    message = "Image size exceeds limit, could be decompression bomb DOS attack."
    error = {"message": message, "type": "InternalServerError", "param": None, "code": 500}
    raw = json.dumps({"error": error}).encode()
    return Reply(status=500, raw=raw, has_id_header=False, closes=True)


def from_vllm(text: str = "an answer", likeliest: list[tuple[str, float]] | None = None) -> Reply:
    """An answer in the form of vLLM 0.32 as it starts by default, as recorded by make check-vllm.

    It sends no id in a header and no details of the prompt's tokens. `likeliest` are the first
    token's alternatives and their log probabilities: the token that was chosen stands first.
    """
    chances = [
        {"token": token, "logprob": chance, "bytes": list(token.encode())}
        for token, chance in likeliest or []
    ]
    message = {"role": "assistant", "content": text, "refusal": None, "reasoning": None}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": {"content": [chances[0] | {"top_logprobs": chances}]} if chances else None,
        "finish_reason": "stop",
        "stop_reason": None,
        "token_ids": None,
    }
    usage = {"prompt_tokens": 100, "total_tokens": 120, "completion_tokens": 20}
    completion = {
        "id": "chatcmpl-b51b9cbbb17d60e6",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-1",
        "choices": [choice],
        "usage": usage | {"prompt_tokens_details": None, "completion_tokens_details": None},
        "prompt_logprobs": None,
    }
    return Reply(raw=json.dumps(completion).encode(), has_id_header=False)


def silent(seconds: float = 60.0) -> Reply:
    """Nothing, for longer than a client waits."""
    return Reply(delay_s=seconds)


def cut() -> Reply:
    """Half an answer, then the connection breaks."""
    return Reply("never seen in full", is_cut=True)


def truncated(text: str) -> Reply:
    """An answer that reached its token limit."""
    return Reply(text, finish="length")


def refused(words: str = "I cannot help with that.") -> Reply:
    """The model declines."""
    return Reply(refusal=words)


def junk(raw: bytes = b"<html>It works!</html>") -> Reply:
    """Status 200 and no chat answer at all."""
    return Reply(raw=raw)


Answer = Callable[[Body], str | Reply]


def in_turn(*replies: str | Reply) -> Answer:
    """Each reply once, in order; the last one for ever."""
    left = list(replies)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]


def asked_text(body: Body) -> str:
    """All text of a request, system prompt included, in either API's form."""
    contents = [body.get("system") or ""] + [m["content"] for m in body["messages"]]
    parts = [part for c in contents for part in ([c] if isinstance(c, str) else c)]
    return "\n".join(p if isinstance(p, str) else p.get("text", "") for p in parts)


class FakeServer:
    """What a test sees of the server.

    Attributes:
        bodies, headers: of all requests so far, in the order of their arrival.
        most_at_once: the most requests that were under way together.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answer: Answer = lambda body: "an answer"
        self.bodies: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0

    @property
    def openai_url(self) -> str:
        """The base URL for `openai/...` and `vllm/...`."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for `anthropic/...`."""
        return self.url

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._chat(request)
        finally:
            self._at_once -= 1

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        answered = self.answer(body)
        reply = Reply(answered) if isinstance(answered, str) else answered
        await asyncio.sleep(reply.delay_s)
        number = len(self.bodies)
        as_json = anthropic_message if request.path.endswith("/messages") else openai_completion
        raw = json.dumps(as_json(reply, number)).encode() if reply.raw is None else reply.raw
        headers = {"content-type": "application/json"}
        if reply.has_id_header:
            headers["x-request-id"] = f"req_{number}"
        headers |= reply.headers
        if not (reply.is_cut or reply.closes):
            return web.Response(status=reply.status, body=raw, headers=headers)
        headers["content-length"] = str(len(raw))
        response = web.StreamResponse(status=reply.status, headers=headers)
        await response.prepare(request)
        await response.write(raw[: len(raw) // 2] if reply.is_cut else raw)
        assert request.transport is not None
        if reply.is_cut:
            request.transport.abort()
        else:
            request.transport.close()
        return response


def openai_completion(reply: Reply, number: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
    if reply.refusal is not None:
        message["content"] = None
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "fake-1",
        "choices": [
            {"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        },
    }


def anthropic_message(reply: Reply, number: int) -> dict[str, Any]:
    reasons = {"stop": "end_turn", "length": "max_tokens"}
    details = None
    if reply.refusal is not None:
        details = {"type": "refusal", "category": None, "explanation": reply.refusal}
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "fake-1",
        "content": [{"type": "text", "text": reply.text}] if reply.refusal is None else [],
        "stop_reason": "refusal" if details else reasons.get(reply.finish, reply.finish),
        "stop_sequence": None,
        "stop_details": details,
        "usage": {
            "input_tokens": 100 - reply.cached_tokens,
            "cache_read_input_tokens": reply.cached_tokens,
            "cache_creation_input_tokens": 0,
            "output_tokens": 20,
        },
    }


@contextmanager
def running_server() -> Iterator[FakeServer]:
    """A server, while the block runs."""
    server = FakeServer()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_post("/v1/messages", server.chat)
    with served(app) as server.url:
        yield server
