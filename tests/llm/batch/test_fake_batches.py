"""The services that the other tests run against reject what the real ones reject."""

import json

import aiohttp
import pytest
from fake_batches import KEY

HEADERS = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
BODY = {"model": "m", "messages": [], "max_completion_tokens": 1}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": BODY}
ITEM = {"custom_id": "a", "params": {"model": "m", "max_tokens": 1, "messages": []}}


def lines(*values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


async def validated(fake, content):
    """The codes with which OpenAI rejects a file."""
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        form = aiohttp.FormData({"purpose": "batch"})
        form.add_field("file", content, filename="a.jsonl")
        async with session.post(f"{fake.openai_url}/files", data=form) as response:
            file_id = (await response.json())["id"]
        window = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
        body = {"input_file_id": file_id, **window}
        async with session.post(f"{fake.openai_url}/batches", json=body) as response:
            batch_id = (await response.json())["id"]
        async with session.get(f"{fake.openai_url}/batches/{batch_id}") as response:
            batch = await response.json()
    return [error["code"] for error in (batch["errors"] or {"data": []})["data"]]


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (lines(LINE), []),
        (b"", ["empty_file"]),
        (lines(LINE) + b"{}", ["empty_file"]),
        (lines(LINE) + b"\n", ["invalid_json_line"]),
        (lines(LINE, LINE), ["duplicate_custom_id"]),
        (lines({**LINE, "extra": 1}), ["missing_required_parameter"]),
        (lines({**LINE, "method": "GET"}), ["missing_required_parameter"]),
        (lines({**LINE, "url": "/v1/responses"}), ["url_mismatch"]),
        (lines(LINE, {**LINE, "custom_id": "b", "body": {"model": "n"}}), ["model_mismatch"]),
        (lines(*({**LINE, "custom_id": str(n)} for n in range(4))), ["too_many_tasks"]),
    ],
)
async def test_openai_rejects_files(fake_batches, content, codes):
    fake_batches.most_requests = 3
    assert await validated(fake_batches, content) == codes


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batches", {"input_file_id": "file-1"}),
        ("/v1/messages/batches", {"requests": []}),
        ("/v1/messages/batches", {"requests": [ITEM], "extra": 1}),
        ("/v1/messages/batches", {"requests": [ITEM, ITEM]}),
        ("/v1/messages/batches", {"requests": [{**ITEM, "extra": 1}]}),
        ("/v1/messages/batches", {"requests": [{**ITEM, "custom_id": "a b"}]}),
        ("/v1/messages/batches", {"requests": [{**ITEM, "custom_id": "a" * 65}]}),
    ],
)
async def test_creations_are_rejected(fake_batches, path, body):
    url = f"{fake_batches.url}{path}"
    async with (
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(url, json=body) as got,
    ):
        assert got.status == 400
    assert fake_batches.batches == []


async def test_a_key_is_needed(fake_batches):
    url = f"{fake_batches.url}/v1/batches"
    async with aiohttp.ClientSession() as session, session.get(url) as got:
        assert got.status == 401
