"""Both clients and the engine against an independent mock server, faults included."""

from contextlib import aclosing

import pytest
from mock_server import compiled, row_request, serving

from pr1.llm.engine import Engine
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig

KINDS = "e429 e500 e529 edrop ebadjson etrunc ebody".split()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("mockllm"))


@pytest.fixture
def mock(program):
    """A mock whose first answer to every third row is a fault, of any kind."""
    faults = [word for kind in KINDS for word in (f"--{kind}", "0.05")]
    options = ["--latency", "fixed:1", "--errmode", "first", "--retry-after", "0.01"]
    with serving(program, *faults, *options) as mock:
        yield mock


@pytest.mark.parametrize("provider", ["vllm", "anthropic"])
async def test_every_row_is_answered_and_none_is_paid_for_twice(
    mock, tmp_path, monkeypatch, provider
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k" * 20)
    execution = Execution(concurrency=16, max_retries=3)
    url = mock.openai_url if provider == "vllm" else mock.url
    client = open_client(ModelConfig(name=f"{provider}/mock", base_url=url), execution)
    requests = [row_request(number) for number in range(150)]
    with ResponseStore(tmp_path / "s.sqlite") as store:
        for _ in range(2):
            engine = Engine(client, store, execution)
            async with aclosing(engine.run(requests)) as results:
                async for result in results:
                    assert f"number {result.index} " in result.parsed.visual_annotations[0]
    await client.aclose()
    stats = mock.stats()
    assert (stats["rows_ok"], stats["repeat_ok"], stats["other"]) == (150, 0, 0)
    assert stats["structured"] == stats["req"] > 150
    assert min(stats[kind] for kind in "r429 r500 r529 drop badjson trunc body".split()) > 0
