"""The contract with the two APIs, held by the official SDKs' own requests and types."""

import json
import logging
from dataclasses import replace

import orjson
import pytest
from fake_server import Reply, failed, in_turn, junk, refused, truncated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from pr1.llm.anthropic_client import AnthropicClient
from pr1.llm.chat import ChatImage, ChatMessage, ChatRequest, ModelIdentity
from pr1.llm.engine import Engine
from pr1.llm.http import JsonAnswer
from pr1.llm.models import open_client
from pr1.llm.openai_client import OpenAIClient
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import BadRequest, Malformed, ModelError, Overloaded, RateLimited

KEY = "sk-not-to-be-seen"
PNG = ChatImage(b"\x89PNG not a real one", "image/png")
PNG_BASE64 = "iVBORyBub3QgYSByZWFsIG9uZQ=="


class Facts(BaseModel):
    facts: list[str]


REQUEST = ChatRequest(
    messages=(
        ChatMessage("system", ("Be exact.",)),
        ChatMessage("user", ("What is here?", PNG)),
        ChatMessage("assistant", ("A triangle.",)),
        ChatMessage("user", ("More.",)),
    ),
    purpose="collect",
    max_tokens=77,
    temperature=0.5,
    seed=11,
    response_model=Facts,
)


@pytest.fixture
def client(fake_server, monkeypatch):
    """Makes our client of a provider, talking to the fake server."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    def make(provider):
        is_anthropic = provider == "anthropic"
        url = fake_server.anthropic_url if is_anthropic else fake_server.openai_url
        return open_client(ModelConfig(name=f"{provider}/m", base_url=url), Execution(timeout_s=9))

    return make


async def complete(client, request=REQUEST):
    try:
        return await client.complete(request)
    finally:
        await client.aclose()


def with_openai_sdk(server):
    from openai import OpenAI

    with OpenAI(base_url=server.openai_url, api_key=KEY, max_retries=0) as sdk:
        return sdk.chat.completions.parse(
            model="m",
            messages=[
                {"role": "system", "content": "Be exact."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is here?"},
                        {
                            "type": "image_url",
                            "image_url": {"url": f"data:image/png;base64,{PNG_BASE64}"},
                        },
                    ],
                },
                {"role": "assistant", "content": "A triangle."},
                {"role": "user", "content": "More."},
            ],
            max_completion_tokens=77,
            temperature=0.5,
            seed=11,
            response_format=Facts,
        )


def with_anthropic_sdk(server):
    from anthropic import Anthropic

    source = {"type": "base64", "media_type": "image/png", "data": PNG_BASE64}
    with Anthropic(base_url=server.anthropic_url, api_key=KEY, max_retries=0) as sdk:
        return sdk.messages.parse(
            model="m",
            system=[{"type": "text", "text": "Be exact."}],
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is here?"},
                        {"type": "image", "source": source},
                    ],
                },
                {"role": "assistant", "content": "A triangle."},
                {"role": "user", "content": "More."},
            ],
            max_tokens=77,
            output_format=Facts,
        )


async def test_openai_request_is_the_sdks(fake_server, client):
    fake_server.answer = lambda body: '{"facts": ["a"]}'
    with_openai_sdk(fake_server)
    await complete(client("openai"))
    theirs, ours = fake_server.bodies
    assert ours | {"stream": False} == theirs
    assert fake_server.headers[1]["authorization"] == fake_server.headers[0]["authorization"]


async def test_anthropic_request_is_the_sdks(fake_server, client):
    fake_server.answer = lambda body: '{"facts": ["a"]}'
    with_anthropic_sdk(fake_server)
    await complete(client("anthropic"))
    theirs, ours = fake_server.bodies
    assert ours == theirs
    for name in ("authorization", "anthropic-version"):
        assert fake_server.headers[1][name] == fake_server.headers[0][name]


async def test_other_servers_get_the_older_name_of_the_token_limit(fake_server, client):
    await complete(client("vllm"))
    assert fake_server.bodies[0]["max_tokens"] == 77
    assert "max_completion_tokens" not in fake_server.bodies[0]
    assert "authorization" not in fake_server.headers[0]


async def test_a_text_request_has_no_form_and_no_seed(fake_server, client):
    request = ChatRequest((ChatMessage("user", ("hi",)),), "collect", max_tokens=5)
    await complete(client("openai"), request)
    assert fake_server.bodies[0] == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 5,
        "temperature": 0.0,
    }
    await complete(client("anthropic"), request)
    assert fake_server.bodies[1] == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 5,
    }


def test_the_fake_server_answers_what_the_sdks_read(fake_server):
    fake_server.answer = in_turn(Reply('{"facts": ["a"]}', cached_tokens=40))
    completion = with_openai_sdk(fake_server)
    assert completion.choices[0].message.parsed == Facts(facts=["a"])
    assert completion.usage.prompt_tokens_details.cached_tokens == 40
    message = with_anthropic_sdk(fake_server)
    assert message.parsed_output == Facts(facts=["a"])
    assert message.usage.cache_read_input_tokens == 40
    fake_server.answer = in_turn(refused("no"))
    assert with_openai_sdk(fake_server).choices[0].message.refusal == "no"
    assert with_anthropic_sdk(fake_server).stop_details.explanation == "no"


@pytest.mark.parametrize("provider", ["openai", "anthropic", "vllm"])
async def test_an_answer_with_its_tokens(fake_server, client, provider):
    fake_server.answer = in_turn(Reply('{"facts": []}', cached_tokens=40))
    response = await complete(client(provider))
    assert response.model_dump() == {
        "text": '{"facts": []}',
        "finish": "stop",
        "refusal": None,
        "tokens_in": 100,
        "tokens_cached": 40,
        "tokens_out": 20,
        "model": "fake-1",
        "request_id": "req_1",
        "first_token": None,
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "vllm"])
async def test_cut_and_refused_answers(fake_server, client, provider):
    fake_server.answer = in_turn(truncated('{"fac'))
    assert (await complete(client(provider))).finish == "length"
    fake_server.answer = in_turn(refused("no, thanks"))
    assert (await complete(client(provider))).refusal == "no, thanks"


async def test_a_full_context_is_a_cut_answer(fake_server, client):
    fake_server.answer = in_turn(Reply("x", finish="model_context_window_exceeded"))
    assert (await complete(client("anthropic"))).finish == "length"


async def test_a_content_filter_is_a_refusal(fake_server, client):
    fake_server.answer = in_turn(Reply("half", finish="content_filter"))
    assert "content filter" in (await complete(client("openai"))).refusal
    error = {"message": "flagged", "code": "content_filter"}
    fake_server.answer = in_turn(Reply(status=400, raw=json.dumps({"error": error}).encode()))
    assert "flagged" in (await complete(client("openai"))).refusal


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b"null", b'{"choices": []}', b'{"choices": [{}]}', b'{"id": 1}']
)
async def test_junk_with_status_200_is_malformed(fake_server, client, provider, raw):
    fake_server.answer = in_turn(junk(raw))
    with pytest.raises(Malformed):
        await complete(client(provider))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow"}, RateLimited),
        ({"code": 502, "message": "upstream"}, Overloaded),
        ({"code": "odd", "message": "?"}, Overloaded),
        ({"message": "?"}, Overloaded),
    ],
)
async def test_a_gateways_error_with_status_200(fake_server, client, error, kind):
    fake_server.answer = in_turn(junk(json.dumps({"error": error}).encode()))
    with pytest.raises(kind):
        await complete(client("vllm"))


def rejection(name):
    return failed(400, f"Unsupported value: '{name}' does not support 0.5 with this model.")


async def test_a_rejected_temperature_is_left_out_from_then_on(fake_server, client, caplog):
    fake_server.answer = lambda body: rejection("temperature") if "temperature" in body else "ok"
    openai = client("openai")
    with caplog.at_level(logging.WARNING):
        assert (await openai.complete(REQUEST)).text == "ok"
        assert (await openai.complete(REQUEST)).text == "ok"
    await openai.aclose()
    assert ["temperature" in body for body in fake_server.bodies] == [True, False, False]
    assert caplog.text.count("sent without temperature") == 1


async def test_parameters_may_be_rejected_one_after_the_other(fake_server, client):
    def answer(body):
        rejected = [name for name in ("seed", "temperature") if name in body]
        return rejection(rejected[0]) if rejected else "ok"

    fake_server.answer = answer
    openai = client("openai")
    assert (await openai.complete(REQUEST)).text == "ok"
    assert (await complete(openai)).text == "ok"
    assert len(fake_server.bodies) == 4


async def test_a_temperature_that_is_not_sent_is_warned_of_once(fake_server, client, caplog):
    anthropic = client("anthropic")
    with caplog.at_level(logging.WARNING):
        await anthropic.complete(replace(REQUEST, temperature=1.0, response_model=None))
        assert caplog.text == ""
        await anthropic.complete(replace(REQUEST, response_model=None))
        await complete(anthropic, replace(REQUEST, response_model=None))
    assert caplog.text.count("anthropic/m takes no temperature: 0.5 is not sent") == 1


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_the_key_reaches_no_store_and_no_error(
    fake_server, client, tmp_path, caplog, provider
):
    fake_server.answer = in_turn("fine", refused("no"), failed(400, f"bad key {KEY}"))
    ours = client(provider)
    asked = [ChatRequest((ChatMessage("user", (t,)),), "collect", 5) for t in "abc"]
    with caplog.at_level(logging.DEBUG), ResponseStore(tmp_path / "s.sqlite") as store:
        engine = Engine(ours, store, Execution(concurrency=1))
        results = [result async for result in engine.run(asked)]
        assert store.count() == 2
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    await ours.aclose()
    assert KEY.encode() not in kept
    assert KEY not in repr(results) + caplog.text + repr(vars(ours))
    assert "bad key [key]" in str(results[2].error)


@pytest.mark.parametrize("words", ["temperature must be at most 2", "!", "no such model"])
async def test_a_rejection_for_another_reason_stands(fake_server, client, words):
    fake_server.answer = in_turn(failed(400, words))
    openai = client("openai")
    with pytest.raises(BadRequest, match=words):
        await openai.complete(REQUEST)
    assert len(fake_server.bodies) == 1
    fake_server.answer = in_turn("ok")
    await complete(openai)
    assert "temperature" in fake_server.bodies[-1]


IDENTITY = ModelIdentity("openai", "http://127.0.0.1:9/v1", "m", "")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (OpenAIClient, {"choices": [{"message": {}}], "usage": {"prompt_tokens": 10**30}}),
        (AnthropicClient, {"content": [], "usage": {"input_tokens": 10**30}}),
    ],
)
def test_more_tokens_than_a_database_can_add_up_are_no_answer(kind, body):
    client = kind(IDENTITY, key=None, timeout_s=1)
    with pytest.raises(Malformed):
        client.read(JsonAnswer(json.dumps(body).encode(), None))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
openai_like = st.fixed_dictionaries(
    {},
    optional={
        "choices": json_values
        | st.lists(st.fixed_dictionaries({"message": json_values, "finish_reason": json_values})),
        "usage": json_values,
        "error": json_values,
        "model": json_values,
    },
)
anthropic_like = st.fixed_dictionaries(
    {},
    optional={
        "content": json_values
        | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": json_values})),
        "usage": json_values,
        "stop_reason": json_values | st.just("refusal"),
        "stop_details": json_values,
    },
)


@pytest.mark.parametrize("kind", [OpenAIClient, AnthropicClient])
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(body=st.binary() | (openai_like | anthropic_like | json_values).map(json.dumps))
def test_no_body_breaks_a_client(kind, body):
    raw = body if isinstance(body, bytes) else body.encode()
    client = kind(IDENTITY, key=None, timeout_s=1)
    try:
        response = client.read(JsonAnswer(raw, None))
    except ModelError:
        return
    assert orjson.loads(response.model_dump_json())["finish"] in ("stop", "length")
