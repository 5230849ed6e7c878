"""What the checks share: pr1's clients, a count of what they send, and the table."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pr1.llm.chat import ChatClient, ChatImage, ChatMessage, ChatRequest, ChatResponse
from pr1.llm.engine import Engine, Result
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import ModelError

KEY = "a-key-of-these-checks-only"
KEY_VARIABLES = {"vllm": "VLLM_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


class Table:
    """Prints each row as soon as it is measured, in Markdown."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        print("| check | asked | measured | met |\n|---|---|---|---|")

    def add(self, check: str, asked: str, measured: str, is_met: bool | None = None) -> None:
        """One row; `is_met` is None where a figure is only reported."""
        if is_met is False:
            self.missed.append(check)
        met = {True: "yes", False: "**no**", None: ""}[is_met]
        cells = (cell.replace("|", "\\|") for cell in (check, asked, measured, met))
        print(f"| {' | '.join(cells)} |", flush=True)


class Counted:
    """A client that remembers what it sent and how long each answer took."""

    def __init__(self, client: ChatClient) -> None:
        self.identity = client.identity
        self.sent = 0
        self.seconds: list[float] = []
        self.finishes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._client = client

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The client's answer."""
        self.sent += 1
        started = time.perf_counter()
        try:
            response = await self._client.complete(request)
        except ModelError as error:
            self.errors[type(error).__name__] += 1
            raise
        self.seconds.append(time.perf_counter() - started)
        self.finishes[response.finish] += 1
        return response

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()


def client_of(url: str, name: str, *, key: str | None = KEY, timeout_s: float = 120.0) -> Counted:
    """pr1's own client for `provider/model` at the URL."""
    variable = KEY_VARIABLES[name.partition("/")[0]]
    os.environ[variable] = key or ""
    return Counted(
        open_client(ModelConfig(name=name, base_url=url), Execution(timeout_s=timeout_s))
    )


def asked(*parts: str | ChatImage, max_tokens: int = 64, **fields: object) -> ChatRequest:
    """A request of one turn."""
    messages = (ChatMessage("user", parts),)
    return ChatRequest(messages, purpose="collect", max_tokens=max_tokens, **fields)


async def outcome(client: ChatClient, request: ChatRequest) -> ChatResponse | ModelError:
    """The answer, or the error in its place."""
    try:
        return await client.complete(request)
    except ModelError as error:
        return error


async def outcomes(
    client: ChatClient, requests: Iterable[ChatRequest], at_once: int
) -> list[ChatResponse | ModelError]:
    """The outcomes of all requests, so many of them under way together, without the engine."""
    gate = asyncio.Semaphore(at_once)

    async def one(request: ChatRequest) -> ChatResponse | ModelError:
        async with gate:
            return await outcome(client, request)

    return await asyncio.gather(*map(one, requests))


async def run_engine(
    client: ChatClient, store: Path, requests: Iterable[ChatRequest], execution: Execution
) -> list[Result]:
    """All results of one run over a store."""
    with ResponseStore(store) as opened:
        return [result async for result in Engine(client, opened, execution).run(requests)]


def said(outcome: ChatResponse | ModelError) -> str:
    """The outcome in a cell of the table."""
    if isinstance(outcome, ChatResponse):
        return f"answered, {outcome.tokens_in} tokens in"
    status = str(outcome).partition(" answered ")[2][:3]
    return f"{status} `{outcome.code}`".strip()
