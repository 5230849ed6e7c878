"""Pictures sent to the vision server, whole and broken, by both APIs."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from asking import Table, asked, client_of, outcome, run_engine, said
from check_answers import Verdicts
from PIL import Image
from serve import VllmServer

from pr1.images import encode_for_model
from pr1.llm.chat import ChatImage, ChatResponse
from pr1.schemas.config import CollectConfig, Execution
from pr1.schemas.errors import BadRequest, ModelError, Overloaded
from pr1.schemas.records import ProblemImage

FORMS = 20
RED, BLUE = (200, 30, 30), (30, 30, 200)


async def check_pictures(table: Table, server: VllmServer, folder: Path) -> None:
    """Formats, sizes and faults; then forms without the setting that forbids white space."""
    for make in (whole_pictures, broken_pictures, bomb):
        make()  # before a connection is open: the server closes one that is idle for 5 s
    for name, url in (("vllm/vision", server.openai_url), ("anthropic/vision", server.url)):
        await check_formats(table, name, url)
    await check_sight(table, server)
    await check_after_a_failure(table, server)
    await check_white_space(table, server, folder)


async def check_formats(table: Table, name: str, url: str) -> None:
    """What the server takes, and which error the rest becomes."""
    api = name.partition("/")[0]
    client = client_of(url, name)
    for case, images in whole_pictures().items():
        result = await outcome(client, asked("What is it?", *images, max_tokens=5))
        table.add(f"{case}, `{api}/`", "answered", said(result), isinstance(result, ChatResponse))
    for case, images in broken_pictures().items():
        result = await outcome(client, asked("What is it?", *images, max_tokens=5))
        is_met = isinstance(result, BadRequest)
        table.add(f"{case}, `{api}/`", f"`{BadRequest.code}`", said(result), is_met)
    result = await outcome(client, asked("What is it?", bomb(), max_tokens=5))
    is_met = isinstance(result, Overloaded)
    case = f"14500×14000 past pr1's limit, `{api}/`"
    table.add(case, f"`{Overloaded.code}`", said(result), is_met)
    await client.aclose()


async def check_sight(table: Table, server: VllmServer) -> None:
    """The model's numbers depend on the picture: it has arrived."""
    client = client_of(server.openai_url, "vllm/vision")
    pictures = [picture("PNG", (112, 112), colour) for colour in (RED, RED, BLUE)]
    firsts = [
        (await client.complete(asked("Colour?", p, max_tokens=1, top_logprobs=5))).first_token
        for p in pictures
    ]
    measured = f"same picture: {firsts[0] == firsts[1]}; another colour: {firsts[0] == firsts[2]}"
    is_met = firsts[0] == firsts[1] != firsts[2]
    table.add("first token's probabilities equal", "only for the same picture", measured, is_met)
    await client.aclose()


async def check_after_a_failure(table: Table, server: VllmServer) -> None:
    """A status 500 and the next request over the same connection."""
    lost = 0
    for _ in range(10):
        client = client_of(server.openai_url, "vllm/vision")
        await outcome(client, asked("What?", bomb(), max_tokens=5))
        lost += isinstance(await outcome(client, asked("What?", max_tokens=5)), ModelError)
        await client.aclose()
    measured = f"{lost} of 10 lost their connection"
    table.add("a request right after a status 500", "answered", measured)


async def check_white_space(table: Table, server: VllmServer, folder: Path) -> None:
    """Forms where white space is allowed, which is how a server starts if nobody says otherwise."""
    client = client_of(server.openai_url, "vllm/vision")
    requests = [
        asked(f"Judge {n}.", max_tokens=300, temperature=1.0, seed=n, response_model=Verdicts)
        for n in range(FORMS)
    ]
    results = await run_engine(client, folder / "white.sqlite", requests, Execution(concurrency=8))
    valid = sum(result.parsed is not None for result in results)
    first = sum(result.parsed is not None and result.attempts == 1 for result in results)
    measured = f"{valid} of {FORMS}; {first} at the first attempt; cut: {client.finishes['length']}"
    table.add("verdict list, white space allowed", "valid by pydantic", measured)
    await client.aclose()


@cache
def whole_pictures() -> dict[str, list[ChatImage]]:
    """Pictures that every server should take."""
    small = picture("PNG", (56, 56))
    return {
        "PNG, 56×56": [small],
        "JPEG, 56×56": [picture("JPEG", (56, 56))],
        "WebP, 200×100": [picture("WEBP", (200, 100))],
        "PNG called a JPEG": [ChatImage(small.data, "image/jpeg")],
        "three in one message": [small] * 3,
        "1200×1200": [picture("PNG", (1200, 1200))],
        "7000×7000 through pr1's limit of pixels": [capped(picture("PNG", (7000, 7000)))],
    }


@cache
def broken_pictures() -> dict[str, list[ChatImage]]:
    """Pictures that this model or any cannot take."""
    data = picture("PNG", (56, 56)).data
    return {
        "half a PNG": [ChatImage(data[: len(data) // 2], "image/png")],
        "no picture at all": [ChatImage(b"a text", "image/png")],
        "no bytes": [ChatImage(b"", "image/png")],
        "1000×2, too thin for Qwen2.5-VL": [picture("PNG", (1000, 2))],
        "more tokens than the context": [picture("PNG", (1200, 1200))] * 2,
    }


@cache
def bomb() -> ChatImage:
    """A picture beyond twice Pillow's limit: the server answers with status 500."""
    return picture("PNG", (14_500, 14_000))


def picture(kind: str, size: tuple[int, int], colour: tuple[int, int, int] = RED) -> ChatImage:
    """A picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return ChatImage(buffer.getvalue(), f"image/{kind.lower()}")


def capped(image: ChatImage) -> ChatImage:
    """The picture as `pr1 collect` sends it."""
    max_pixels = CollectConfig.model_fields["max_pixels"].default
    return ChatImage(*encode_for_model(ProblemImage(bytes=image.data, path=None), max_pixels))
