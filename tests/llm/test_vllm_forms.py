"""The forms of the real vLLM server, recorded by `make check-vllm`, as our clients read them."""

import asyncio

import pytest
from fake_server import Reply, broken_inside, from_vllm, in_turn

from pr1.llm.chat import ChatMessage, ChatRequest
from pr1.llm.models import open_client
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import BadRequest, Overloaded, Unauthorised

REQUEST = ChatRequest((ChatMessage("user", ("Yes or no?",)),), "judge", max_tokens=1)


@pytest.fixture
async def client(fake_server):
    model = ModelConfig(name="vllm/m", base_url=fake_server.openai_url)
    opened = open_client(model, Execution(timeout_s=9))
    yield opened
    await opened.aclose()


async def test_an_answer_without_an_id_in_a_header(fake_server, client):
    fake_server.answer = in_turn(from_vllm("yes"))
    response = await client.complete(REQUEST)
    assert response.model_dump() == {
        "text": "yes",
        "finish": "stop",
        "refusal": None,
        "tokens_in": 100,
        "tokens_cached": 0,
        "tokens_out": 20,
        "model": "fake-1",
        "request_id": "chatcmpl-b51b9cbbb17d60e6",
        "first_token": None,
    }


async def test_the_first_tokens_likeliest_alternatives(fake_server, client):
    # A forbidden token has -9999, which JSON can say; a sampled one stands before likelier ones.
    likeliest = [("um", -5.75), ('"', -2.25), ("<|im_start|>", -9999.0)]
    fake_server.answer = in_turn(from_vllm("um", likeliest))
    response = await client.complete(REQUEST)
    assert response.first_token == dict(likeliest)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b'{"error":"Unauthorized"}', Unauthorised, "answered 401: Unauthorized"),
        (404, b'{"detail":"Not Found"}', BadRequest, "answered 404: Not Found. Check --base-url"),
        (
            404,
            b'{"error":{"message":"The model `m` does not exist. Valid aliases: text.",'
            b'"type":"NotFoundError","param":"model","code":404}}',
            BadRequest,
            "Valid aliases: text. Check --base-url and the model's name",
        ),
        (
            400,
            b'{"error":{"message":"max_tokens=9 cannot be greater than max_model_len=8.",'
            b'"type":"BadRequestError","param":"max_tokens","code":400}}',
            BadRequest,
            "cannot be greater than max_model_len=8",
        ),
    ],
)
async def test_what_the_server_rejects(fake_server, client, status, body, kind, words):
    fake_server.answer = in_turn(Reply(status=status, raw=body, has_id_header=False))
    with pytest.raises(kind, match=words):
        await client.complete(REQUEST)
    assert len(fake_server.bodies) == 1


async def test_a_failure_inside_closes_the_connection_behind_its_answer(fake_server, client):
    fake_server.answer = in_turn(broken_inside(), from_vllm("yes"))
    with pytest.raises(Overloaded, match="decompression bomb"):
        await client.complete(REQUEST)
    await asyncio.sleep(0.2)  # until the close has arrived; before that the next one is lost
    assert (await client.complete(REQUEST)).text == "yes"
