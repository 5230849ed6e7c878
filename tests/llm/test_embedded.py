"""The embedded client: on a scripted llama.cpp, and (slow) on the real one with the real model."""

import asyncio
import json
import os
import sys
import threading
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel
from scripted_client import Facts, ask

from pr1.llm.chat import ChatImage, ChatMessage
from pr1.llm.embedded import (
    CONTEXT_TOKENS,
    LONGEST_LIST,
    LONGEST_STRING,
    EmbeddedClient,
    import_llama,
    open_embedded,
)
from pr1.llm.model_file import find_model
from pr1.schemas.errors import BadRequest, MissingExtra, Overloaded, UsageError


class FakeLlama:
    """As much of xllamacpp as the client uses; `chunks(body)` scripts the server's stream."""

    def __init__(self, chunks=None):
        self.bodies, self.stopped_after = [], None
        self.chunks = chunks or (lambda body: says("{", '"facts":[]}'))
        self.running = self.most_at_once = 0

    class CommonParams:
        def __init__(self):
            self.model, self.cpuparams, self.cpuparams_batch = Part(), Part(), Part()

    def Server(self, parameters):  # noqa: N802
        self.parameters = parameters
        return self

    def json_schema_to_grammar(self, schema):
        return json.dumps(schema)

    def handle_chat_completions(self, body, receive):
        self.bodies.append(body)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        for count, chunk in enumerate(self.chunks(body), start=1):
            if receive(chunk):
                self.stopped_after = count
                break
        self.running -= 1


class Part:
    pass


def says(*texts, finish="stop"):
    pieces = [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]
    pieces += [{"delta": {"content": text}, "finish_reason": None} for text in texts]
    pieces += [{"delta": {}, "finish_reason": finish}]
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 20},
    }
    yield from ({"id": "c1", "choices": [piece]} for piece in pieces)
    yield {"id": "c1", "choices": [], "usage": usage}


async def answer_of(llama, request, tmp_path):
    client = EmbeddedClient(llama, tmp_path / "model.gguf")
    try:
        return await client.complete(request)
    finally:
        await client.aclose()


@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_the_stream_becomes_one_answer(tmp_path, finish):
    llama = FakeLlama(lambda body: says("∠", "ABC", finish=finish))
    response = await answer_of(llama, ask(), tmp_path)
    assert (response.text, response.finish, response.request_id) == ("∠ABC", finish, "c1")
    assert (response.tokens_in, response.tokens_cached, response.tokens_out) == (30, 20, 4)


async def test_the_chances_of_the_first_token(tmp_path):
    asked = []

    def chunks(body):
        asked.append((body.get("logprobs"), body.get("top_logprobs")))
        for token in ("Yes", "."):
            likeliest = [{"token": token, "logprob": -0.1}, {"token": "No", "logprob": -2.5}]
            logprobs = {"content": [{"token": token, "top_logprobs": likeliest}]}
            piece = {"delta": {"content": token}, "finish_reason": None, "logprobs": logprobs}
            yield {"id": "c1", "choices": [piece]}
        yield from says("")

    request = replace(ask(), top_logprobs=2)
    response = await answer_of(FakeLlama(chunks), request, tmp_path)
    assert response.first_token == {"Yes": -0.1, "No": -2.5}
    assert (await answer_of(FakeLlama(), ask(), tmp_path)).first_token is None
    assert asked == [(True, 2)]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            {
                "type": "exceed_context_size_error",
                "code": 400,
                "message": "too long",
                "n_prompt_tokens": 9056,
                "n_ctx": 8192,
            },
            BadRequest,
            "9,056 tokens.*reads 8,192",
        ),
        ({"type": "invalid_request_error", "code": 400, "message": "odd"}, BadRequest, "odd"),
        ({"type": "server_error", "code": 500, "message": "broke"}, Overloaded, "broke"),
    ],
)
async def test_errors_of_the_server(tmp_path, error, kind, words):
    with pytest.raises(kind, match=words):
        await answer_of(FakeLlama(lambda body: [{"error": error}]), ask(), tmp_path)


@pytest.mark.parametrize("kept", [0, 2])
async def test_a_stream_that_ends_early_is_no_answer(tmp_path, kept):
    llama = FakeLlama(lambda body: [*says("a", "b")][:kept])
    with pytest.raises(Overloaded, match="before its answer was complete"):
        await answer_of(llama, ask(), tmp_path)


async def test_what_it_cannot_read_is_refused_before_the_model_is_loaded(tmp_path):
    llama = FakeLlama()
    client = EmbeddedClient(llama, tmp_path)
    picture = ChatMessage("user", ("what is this?", ChatImage(b"png", "image/png")))
    with pytest.raises(BadRequest, match="reads text only"):
        await client.complete(replace(ask(), messages=(picture,)))
    with pytest.raises(BadRequest, match=r"10,000,000 characters.*8,192 tokens"):
        await client.complete(ask("x" * 10_000_000))
    assert llama.bodies == []
    await client.aclose()


async def test_the_form_is_enforced_without_white_space(tmp_path):
    llama = FakeLlama()
    await answer_of(llama, ask(response_model=Facts), tmp_path)
    schema = json.loads(llama.bodies[0]["grammar"])
    assert schema["x-guidance"] == {"whitespace_flexible": False}
    assert schema["additionalProperties"] is False
    facts = schema["properties"]["facts"]
    assert facts["items"] == {"type": "string", "maxLength": LONGEST_STRING}
    assert facts["maxItems"] == LONGEST_LIST


async def test_a_text_that_may_be_missing_is_bounded_as_well(tmp_path):
    class Note(BaseModel):
        text: str | None

    llama = FakeLlama()
    await answer_of(llama, ask(response_model=Note), tmp_path)
    text = json.loads(llama.bodies[0]["grammar"])["properties"]["text"]
    assert text["anyOf"] == [{"type": "string", "maxLength": LONGEST_STRING}, {"type": "null"}]


async def test_samples_of_one_prompt_have_seeds_of_their_own(tmp_path):
    llama = FakeLlama()
    client = EmbeddedClient(llama, tmp_path)
    for index, seed in [(0, 7), (1, 7), (0, -1), (0, None)]:
        await client.complete(ask(seed=seed, sample_index=index))
    await client.aclose()
    assert [body.get("seed") for body in llama.bodies] == [7, 8, 2**32 - 1, None]


async def test_one_request_at_a_time_in_their_order(tmp_path):
    llama = FakeLlama()
    client = EmbeddedClient(llama, tmp_path)
    await asyncio.gather(*(client.complete(ask(str(number))) for number in range(20)))
    await client.aclose()
    assert llama.most_at_once == 1
    asked = [body["messages"][0]["content"] for body in llama.bodies]
    assert asked == [str(number) for number in range(20)]


async def test_a_cancelled_request_stops_the_computation(tmp_path):
    is_begun, may_go_on = threading.Event(), threading.Event()

    def endless(body):
        is_begun.set()
        may_go_on.wait()
        while True:
            yield {"id": "c1", "choices": []}

    llama = FakeLlama(endless)
    client = EmbeddedClient(llama, tmp_path)
    task = asyncio.create_task(client.complete(ask()))
    await asyncio.to_thread(is_begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    may_go_on.set()
    await client.aclose()
    assert llama.stopped_after == 1


async def test_a_model_that_cannot_be_loaded_stops_the_run(tmp_path):
    llama = FakeLlama()

    def failing(parameters):
        raise RuntimeError("Failed to init server")

    llama.Server = failing
    with pytest.raises(UsageError, match=r"model\.gguf: llama\.cpp cannot load it"):
        await answer_of(llama, ask(), tmp_path)


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pr1\[embedded\]'"):
        open_embedded()


class Fact(BaseModel):
    statement: str
    kind: Literal["length", "relation"]


class FactList(BaseModel):
    facts: list[Fact]


def absent(what):
    """Skips the test where the real model is missing; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.mark.slow
async def test_the_real_model(capfd):
    try:
        llama = import_llama()
        path = find_model()
    except MissingExtra:
        absent("xllamacpp is not installed: pip install 'pr1[embedded]'")
    if path is None:
        absent("the embedded model is not here: pr1 doctor --fetch")
    client = EmbeddedClient(llama, path)
    example = (
        ChatMessage("system", ("List the facts that the text reads off the picture, as JSON.",)),
        ChatMessage("user", ("AB = 3, so AB squared is 9.",)),
        ChatMessage("assistant", ('{"facts":[{"statement":"AB = 3","kind":"length"}]}',)),
    )

    def about(text, **changes):
        messages = (*example, ChatMessage("user", (text,)))
        return replace(ask(response_model=FactList, **changes), messages=messages)

    try:
        first = await client.complete(about("Segment CD is parallel to EF."))
        facts = FactList.model_validate_json(first.text).facts
        assert [fact.kind for fact in facts] == ["relation"]
        assert "CD" in facts[0].statement
        assert "\n" not in first.text
        assert first.finish == "stop"

        second = await client.complete(about("GH = 7.", seed=1))
        assert second.tokens_cached >= 40, "the instructions and examples were computed once"

        cut = await client.complete(about("GH = 7.", max_tokens=3))
        assert (cut.finish, cut.tokens_out) == ("length", 3)

        with pytest.raises(BadRequest, match=f"reads {CONTEXT_TOKENS:,}"):
            await client.complete(about("CD " * 9000))
    finally:
        await client.aclose()
    assert capfd.readouterr().out == ""
