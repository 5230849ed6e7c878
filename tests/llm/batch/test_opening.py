import asyncio

import pytest
from pydantic import SecretStr
from scripted_client import ScriptedClient, ask

from pr1.llm.batch.allowance import Allowance
from pr1.llm.batch.failed import FailedRequests
from pr1.llm.batch.ledger import Ledger
from pr1.llm.batch.opening import open_batches
from pr1.llm.batch.run import without_limits
from pr1.llm.batch.sdk import lines_of, one_line
from pr1.llm.http import JsonEndpoint
from pr1.llm.models import open_client
from pr1.llm.prices import Price
from pr1.llm.store import request_key
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import ModelError, UsageError
from pr1.schemas.manifest import Usage


@pytest.mark.parametrize("name", ["vllm/m", "scripted"])
def test_other_providers_are_refused(name):
    if name == "scripted":
        client = ScriptedClient(lambda request: "")
    else:
        model = ModelConfig(name=name, base_url="http://127.0.0.1:1/v1")
        client = open_client(model, Execution())
    with pytest.raises(UsageError, match="has no batch API that pr1 knows"):
        open_batches(client, Execution())


def test_what_failed_is_told_by_its_code_and_never_as_transient(tmp_path):
    identity = ScriptedClient(None).identity
    ledger = Ledger(tmp_path, identity)
    ledger.fail(request_key(identity, ask("a")), "extract", "timed_out", "it took a day")
    failed = FailedRequests(identity, ledger)
    for text, code in (("a", "timed_out"), ("b", "not_in_batch")):
        with pytest.raises(ModelError) as raised:
            asyncio.run(failed.complete(ask(text)))
        assert raised.value.code == code
        assert not raised.value.is_transient
    asyncio.run(failed.aclose())


def test_what_was_spent_at_an_unknown_price_counts_at_the_price_that_is_known_now():
    allowance = Allowance(Execution(max_cost_usd=10), Price(input=2, output=10, batch_factor=1))
    unpriced = Usage(tokens_in=1_000_000, tokens_out=100_000, requests=5)
    assert allowance.room(unpriced, Usage()).cost_usd == 7
    priced = unpriced.model_copy(update={"cost_usd": 1.5})
    assert allowance.room(priced, Usage()).cost_usd == 8.5


def test_the_ordinary_pass_behind_batches_has_no_limits():
    execution = Execution(rpm=1, tpm=1, max_cost_usd=0, max_tokens_total=0, concurrency=7)
    assert without_limits(execution) == Execution(
        concurrency=7, max_retries=0, max_content_retries=0
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_of_a_download(size):
    key = "sk-planted-0123"
    endpoint = JsonEndpoint("http://test", key=SecretStr(key), headers={}, timeout_s=1)
    content = f'{{"a": "\u2028\x85\r"}}\n\n{{"b": 1}}\r\n{{"c": "{key}"}}'.encode()

    async def read():
        async def pieces():
            for start in range(0, len(content), size):
                yield content[start : start + size]

        return [line.strip() async for line in lines_of(pieces(), endpoint)]

    assert asyncio.run(read()) == [
        '{"a": "\u2028\x85\r"}'.encode(),
        b'{"b": 1}',
        b'{"c": "[key]"}',
    ]


def test_words_of_a_service_fit_a_line():
    assert one_line("a\nb\t c") == "a b c"
    assert one_line(None) == "no explanation"
    assert len(one_line("long " * 1000)) <= 300
