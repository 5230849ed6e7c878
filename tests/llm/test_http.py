"""Every fault of an endpoint becomes the right error, and no error shows the key."""

import asyncio
import time
from email.utils import formatdate

import pytest
from fake_server import Reply, cut, failed, in_turn, junk, rate_limited, silent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pr1.llm.http import JsonEndpoint, RejectedRequest, proxy_for, retry_after_s, to_json
from pr1.schemas.errors import (
    BadRequest,
    ConnectionLost,
    Overloaded,
    RateLimited,
    TimedOut,
    Unauthorised,
)

KEY = "sk-very-secret-0123"
BODY = b'{"messages": []}'


async def post(url, timeout_s=5.0, key=KEY):
    endpoint = JsonEndpoint(url, key=SecretStr(key), headers={}, timeout_s=timeout_s)
    try:
        return await endpoint.post(BODY)
    finally:
        await endpoint.aclose()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, Unauthorised),
        (402, Unauthorised),
        (403, Unauthorised),
        (404, BadRequest),
        (408, Overloaded),
        (409, Overloaded),
        (413, BadRequest),
        (422, BadRequest),
        (429, RateLimited),
        (500, Overloaded),
        (501, BadRequest),
        (503, Overloaded),
        (529, Overloaded),
    ],
)
async def test_a_status_becomes_its_error(fake_server, status, error):
    fake_server.answer = in_turn(failed(status, "the\nreason"))
    with pytest.raises(error) as caught:
        await post(f"{fake_server.openai_url}/chat/completions")
    assert type(caught.value) is error or error is BadRequest
    assert f"answered {status}: the reason" in str(caught.value)
    assert fake_server.url in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"error": {"message": "OpenAI says"}}', "OpenAI says"),
        (b'{"object": "error", "message": "vLLM says", "code": 400}', "vLLM says"),
        (b'{"type": "error", "error": {"type": "x", "message": "Anthropic says"}}', "Anthropic"),
        (b'{"detail": [{"msg": "FastAPI says"}]}', "FastAPI says"),
        (b'{"error": "a plain text"}', "a plain text"),
        (b'["a list"]', "a list"),
        (b"<html>a proxy says</html>", "a proxy says"),
        (b"\xff\xfe", "answered 400"),
        (b"", "no explanation"),
        (b"x" * 100_000, "x" * 300 + "…"),
    ],
)
async def test_the_words_of_any_service_are_shown_on_one_line(fake_server, raw, shown):
    fake_server.answer = in_turn(Reply(status=400, raw=raw))
    with pytest.raises(BadRequest) as caught:
        await post(f"{fake_server.openai_url}/chat/completions")
    assert shown in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 450


@pytest.mark.parametrize(
    "code", ["insufficient_quota", "enforced_spend_limit_reached", "billing_hard_limit_reached"]
)
async def test_a_429_that_no_pause_ends_is_no_rate_limit(fake_server, code):
    raw = to_json({"error": {"message": "pay first", "code": code}})
    fake_server.answer = in_turn(Reply(status=429, raw=raw))
    with pytest.raises(Unauthorised, match="pay first"):
        await post(f"{fake_server.openai_url}/chat/completions")


async def test_a_spend_limit_in_the_details_is_no_rate_limit(fake_server):
    details = {"error_code": "contract_spend_limit_reached"}
    error = {"type": "rate_limit_error", "message": "limit", "details": details}
    fake_server.answer = in_turn(Reply(status=429, raw=to_json({"error": error})))
    with pytest.raises(Unauthorised):
        await post(f"{fake_server.anthropic_url}/v1/messages")


async def test_a_rate_limit_carries_its_pause(fake_server):
    fake_server.answer = in_turn(rate_limited(retry_after="7"))
    with pytest.raises(RateLimited) as caught:
        await post(f"{fake_server.openai_url}/chat/completions")
    assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_an_echoed_key_is_not_shown(fake_server, status):
    fake_server.answer = in_turn(failed(status, f"the key {KEY} is wrong"))
    with pytest.raises(Exception, match=r"the key \[key\] is wrong") as caught:
        await post(f"{fake_server.openai_url}/chat/completions")
    assert KEY not in repr(caught.value)


async def test_a_key_that_is_a_word_takes_no_word_out_of_an_answer(fake_server):
    fake_server.answer = in_turn("an EMPTY circle")
    url = f"{fake_server.openai_url}/chat/completions"
    endpoint = JsonEndpoint(url, key=SecretStr("EMPTY"), headers={}, timeout_s=5)
    assert b"an EMPTY circle" in (await endpoint.post(BODY)).body
    await endpoint.aclose()


async def test_the_key_is_a_bearer_token_and_in_no_representation(fake_server):
    url = f"{fake_server.openai_url}/chat/completions"
    endpoint = JsonEndpoint(url, key=SecretStr(KEY), headers={"x-more": "1"}, timeout_s=5)
    await endpoint.post(BODY)
    assert fake_server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert fake_server.headers[0]["x-more"] == "1"
    assert KEY not in repr(endpoint) + repr(vars(endpoint))
    await endpoint.aclose()


async def test_credentials_in_netrc_do_not_replace_the_key(fake_server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    await post(f"{fake_server.openai_url}/chat/completions")
    assert fake_server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.openai.com/v1", "http://proxy.example:3128"),
        ("https://inside.example/v1", None),
        ("http://api.openai.com/v1", None),
        ("https://localhost/v1", None),
        ("https://[::1]:8000/v1", None),
    ],
)
def test_the_environments_proxy_serves_what_lies_outside(monkeypatch, url, proxy):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy_for(url) == proxy


def test_a_proxy_without_a_scheme_is_taken_for_http(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "user:word@proxy.example:3128")
    assert proxy_for("https://api.openai.com/v1") == "http://user:word@proxy.example:3128"


async def test_the_password_of_a_proxy_that_is_no_address_is_not_shown(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:planted-word@proxy.example:port")
    with pytest.raises(BadRequest, match="proxy") as caught:
        await post("https://api.example.test/v1")
    assert "planted-word" not in str(caught.value)


@pytest.mark.parametrize("length", range(280, 301, 4))
def test_no_part_of_a_key_survives_where_long_words_are_cut(length):
    endpoint = JsonEndpoint("http://test", key=SecretStr(KEY), headers={}, timeout_s=1)
    said = str(endpoint.error(400, f"{'x' * length}{KEY}".encode(), {}))
    assert KEY[:4] not in said


async def test_a_redirect_is_not_followed(fake_server):
    reply = Reply(status=307, headers={"location": f"{fake_server.url}/elsewhere"})
    fake_server.answer = in_turn(reply)
    with pytest.raises(RejectedRequest, match=r"redirects to .*/elsewhere. Correct --base-url"):
        await post(f"{fake_server.openai_url}/chat/completions")
    assert len(fake_server.bodies) == 1


async def test_silence_is_a_timeout(fake_server):
    fake_server.answer = in_turn(silent())
    with pytest.raises(TimedOut, match=r"did not answer within 0\.1 s"):
        await post(f"{fake_server.openai_url}/chat/completions", timeout_s=0.1)


async def test_a_cut_connection_is_lost(fake_server):
    fake_server.answer = in_turn(cut())
    with pytest.raises(ConnectionLost):
        await post(f"{fake_server.openai_url}/chat/completions")


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x01 this is not HTTP\r\n\r\n", b"HTTP/1.1 2"])
async def test_a_server_that_does_not_speak_http_is_lost(answer):
    async def serve(reader, writer):
        await reader.read(10)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ConnectionLost):
        await post(f"http://127.0.0.1:{port}/v1")
    server.close()
    await server.wait_closed()


async def test_nobody_listening_is_a_lost_connection(unused_port):
    with pytest.raises(ConnectionLost, match=f"127.0.0.1:{unused_port}"):
        await post(f"http://127.0.0.1:{unused_port}/v1")


async def test_any_body_with_status_200_is_handed_on(fake_server):
    fake_server.answer = in_turn(junk())
    answer = await post(f"{fake_server.openai_url}/chat/completions")
    assert answer.body == b"<html>It works!</html>"
    assert answer.request_id == "req_1"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "junk", "retry-after": "9"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 99 Nov 9999999 00:00:00 GMT"}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after_s(headers) == seconds


def test_retry_after_as_a_date():
    pause_s = retry_after_s({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert pause_s == pytest.approx(30, abs=5)


@given(st.text(), st.text())
def test_no_header_breaks_the_pause(milliseconds, seconds):
    pause_s = retry_after_s({"retry-after-ms": milliseconds, "retry-after": seconds})
    assert pause_s is None or pause_s >= 0


def test_half_a_surrogate_pair_is_the_requests_fault():
    with pytest.raises(BadRequest, match="cannot be written as JSON"):
        to_json({"text": "\ud800"})


def test_what_is_sent_keeps_the_order_of_its_keys():
    assert to_json({"b": 1, "a": 2}) == b'{"b":1,"a":2}'
    assert to_json({"b": 1, "a": 2}, sort_keys=True) == b'{"a":2,"b":1}'
