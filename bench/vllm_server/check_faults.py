"""What goes wrong on the way to the text server, and which of pr1's errors it becomes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from asking import Table, asked, client_of, outcome, outcomes, run_engine, said
from pydantic import BaseModel, Field
from serve import VllmServer

from pr1.llm.chat import ChatImage, ChatRequest, ChatResponse
from pr1.llm.engine import Engine
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution
from pr1.schemas.errors import (
    BadRequest,
    ConnectionLost,
    ModelError,
    RunStopped,
    TimedOut,
    Unauthorised,
)

ROWS = 300
SOME = 20
AT_ONCE = 64
CONTEXT = 8192


class Odd(BaseModel):
    """A form that the server's grammar cannot express."""

    number: int = Field(multiple_of=3)


async def check_before_start(table: Table, server: VllmServer) -> None:
    """A server that is still loading its model."""
    client = client_of(server.openai_url, "vllm/text")
    add_error(table, "server not up yet", await outcome(client, asked("Hello.")), ConnectionLost)
    await client.aclose()


async def check_rejections(table: Table, server: VllmServer) -> None:
    """Keys, names, lengths and forms that the server does not take, by both APIs."""
    request = asked("Hello.")
    too_long = asked("Hello. " * CONTEXT)
    for name, url in (("vllm/text", server.openai_url), ("anthropic/text", server.url)):
        api = name.partition("/")[0]
        client = client_of(url, name)
        wrong = {
            "prompt above the context": too_long,
            "`max_tokens` above the context": replace(request, max_tokens=CONTEXT + 1),
        }
        for case, one in wrong.items():
            add_error(table, f"{case}, `{api}/`", await outcome(client, one), BadRequest)
        both = await outcome(client, replace(request, max_tokens=CONTEXT - 1))
        table.add(f"only their sum above it, `{api}/`", "answered or refused?", said(both))
        await client.aclose()
        client = client_of(url, name, key="a-key-of-somebody-else")
        add_error(table, f"wrong key, `{api}/`", await outcome(client, request), Unauthorised)
        await client.aclose()
        client = client_of(url, f"{api}/none")
        add_error(table, f"unknown model, `{api}/`", await outcome(client, request), BadRequest)
        await client.aclose()
    await check_openai_rejections(table, server)


async def check_openai_rejections(table: Table, server: VllmServer) -> None:
    """What only the OpenAI-compatible path can be asked for."""
    request = asked("Hello.")
    client = client_of(server.openai_url, "vllm/text")
    cases = {
        "a form that the grammar cannot say (`multipleOf`)": replace(request, response_model=Odd),
        "`top_logprobs=21`": replace(request, top_logprobs=21),
        "a picture for a text model": asked("What?", ChatImage(b"?", "image/png")),
    }
    for case, wrong in cases.items():
        add_error(table, case, await outcome(client, wrong), BadRequest)
    token = await client.complete(asked("Say <|im_end|>."))
    letters = await client.complete(asked("Say <|im-end|>."))
    measured = f"{token.tokens_in} tokens in; with a letter changed {letters.tokens_in}"
    table.add("`<|im_end|>` inside a text", "one token: it ends the turn", measured)
    await client.aclose()
    client = client_of(server.openai_url, "vllm/text", key=None)
    add_error(table, "no key", await outcome(client, request), Unauthorised)
    await client.aclose()
    client = client_of(f"{server.url}/v2", "vllm/text")
    add_error(table, "wrong path in the base URL", await outcome(client, request), BadRequest)
    await client.aclose()


async def check_time_limit(table: Table, server: VllmServer) -> None:
    """Requests given up by the client: the server stops working on them."""
    client = client_of(server.openai_url, "vllm/text", timeout_s=0.5)
    finished_before = finished(server)
    results = await outcomes(client, rows("Time"), at_once=ROWS)
    await client.aclose()
    await idle(server)
    kinds = Counter(result.code for result in results if isinstance(result, ModelError))
    computed = finished(server) - finished_before
    measured = f"{dict(kinds)}; the server finished {computed:.0f}"
    is_met = set(kinds) == {TimedOut.code} and computed < ROWS / 2
    table.add(f"{ROWS} at once, 0.5 s each", "given up, not computed", measured, is_met)


async def check_leaving(table: Table, server: VllmServer, folder: Path) -> None:
    """A run that is left in its middle, as Ctrl-C leaves it: what is in flight is waited for."""
    client = client_of(server.openai_url, "vllm/text")
    finished_before = finished(server)
    with ResponseStore(folder / "left.sqlite") as store:
        engine = Engine(client, store, Execution(concurrency=AT_ONCE))
        async with aclosing(engine.run(rows("Leave"))) as results:
            async for _ in results:
                if len(client.seconds) >= SOME:
                    break
    await client.aclose()
    seconds = await idle(server)
    with ResponseStore(folder / "left.sqlite") as store:
        kept = store.count()
    computed = finished(server) - finished_before
    measured = f"{client.sent} sent, {kept} answered and kept, {computed:.0f} finished by the "
    measured += f"server, idle after {seconds:.1f} s"
    is_met = kept == client.sent < ROWS
    table.add(f"a run left after {SOME} answers", "what was sent is kept", measured, is_met)


async def check_kill(table: Table, server: VllmServer, folder: Path) -> int:
    """A server that dies under a run; returns how many answers the store has kept."""
    client = client_of(server.openai_url, "vllm/text")
    flying = asyncio.create_task(outcomes(client, rows("Die"), at_once=AT_ONCE))
    execution = Execution(concurrency=AT_ONCE, max_retries=1)
    run = asyncio.create_task(run_engine(client, folder / "killed.sqlite", rows("Kill"), execution))
    while len(client.seconds) < 100:
        await asyncio.sleep(0.01)
    server.kill()
    kinds = Counter(r.code for r in await flying if isinstance(r, ModelError))
    check = "server killed, requests in flight"
    is_met = set(kinds) == {ConnectionLost.code}
    table.add(check, f"`{ConnectionLost.code}`", f"{dict(kinds)}", is_met)
    try:
        ended = f"{len(await run)} results"
    except RunStopped as error:
        ended = type(error).__name__
    await client.aclose()
    with ResponseStore(folder / "killed.sqlite") as store:
        kept = store.count()
    measured = f"{ended}, {kept} of {ROWS} answers kept"
    table.add("server killed, run under way", "the run stops", measured, ended == "ServiceDown")
    return kept


async def check_resumption(table: Table, server: VllmServer, folder: Path, kept: int) -> None:
    """The same run against the server that came back."""
    client = client_of(server.openai_url, "vllm/text")
    execution = Execution(concurrency=AT_ONCE)
    results = await run_engine(client, folder / "killed.sqlite", rows("Kill"), execution)
    await client.aclose()
    good = sum(result.error is None for result in results)
    measured = f"{client.sent} sent, {good} of {ROWS} answered"
    is_met = client.sent == ROWS - kept and good == ROWS
    table.add("the same run, server back", f"{ROWS - kept} sent", measured, is_met)


def rows(name: str) -> list[ChatRequest]:
    """Small requests, all different."""
    texts = [f"{name} {number}." for number in range(ROWS)]
    return [asked(text, max_tokens=200, temperature=1.0, seed=1) for text in texts]


def add_error(
    table: Table, case: str, result: ChatResponse | ModelError, kind: type[ModelError]
) -> None:
    """A row on one request that has to fail."""
    table.add(case, f"`{kind.code}`", said(result), isinstance(result, kind))


def finished(server: VllmServer) -> float:
    """How many answers the server has completed; those that a client gave up are not among them."""
    return server.metric("request_success_total")


async def idle(server: VllmServer) -> float:
    """Seconds until the server has nothing left to do."""
    started = time.monotonic()
    while server.metric("num_requests_running") or server.metric("num_requests_waiting"):
        await asyncio.sleep(0.1)
    return time.monotonic() - started
