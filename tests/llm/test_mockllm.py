"""Both clients and the engine against an independent mock server, faults included.

The mock is a C program beside the repository; without it or without a C compiler this is skipped.
"""

import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import BaseModel

from pr1.llm.chat import ChatMessage, ChatRequest
from pr1.llm.engine import Engine
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig

SOURCE = Path(__file__).parents[3] / "shared" / "bench" / "mockllm.c"
COMPILER = shutil.which("cc")


class VisualAnnotations(BaseModel):
    visual_annotations: list[str]


def call(url):
    request = urllib.request.Request(url, method="POST" if "reset" in url else "GET")
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not SOURCE.exists():
        pytest.skip("no ../shared/bench/mockllm.c")
    if COMPILER is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("mockllm") / "mockllm"
    subprocess.run([COMPILER, "-O1", "-w", "-o", program, SOURCE, "-lm"], check=True)
    return program


@pytest.fixture
def mock(program, unused_port):
    """The base URL of a mock whose first answer to every row is a fault, of each kind in turn."""
    faults = [f"--{kind}=0.14" for kind in "e429 e500 e529 edrop ebadjson etrunc ebody".split()]
    options = ["--port", str(unused_port), "--latency", "fixed:1", "--errmode", "first"]
    options += [word for fault in faults for word in fault.split("=")]
    options += ["--retry-after", "0.01"]
    url = f"http://127.0.0.1:{unused_port}"
    with subprocess.Popen([program, *options]) as process:
        wait_until_up(url)
        yield url
        process.kill()


def wait_until_up(url):
    give_up = time.monotonic() + 10
    while True:
        try:
            call(f"{url}/__stats")
            return
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.02)


def rows(count):
    for number in range(count):
        yield ChatRequest(
            messages=(
                ChatMessage("system", ("Extract.",)),
                ChatMessage("user", (f"ROW-{number}",)),
            ),
            purpose="extract",
            max_tokens=200,
            response_model=VisualAnnotations,
        )


@pytest.mark.parametrize("provider", ["vllm", "anthropic"])
async def test_every_row_is_answered_and_none_is_paid_for_twice(
    mock, tmp_path, monkeypatch, provider
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    execution = Execution(concurrency=16, max_retries=3)
    url = f"{mock}/v1" if provider == "vllm" else mock
    client = open_client(ModelConfig(name=f"{provider}/mock", base_url=url), execution)
    with ResponseStore(tmp_path / "s.sqlite") as store:
        for _ in range(2):
            engine = Engine(client, store, execution)
            async with aclosing(engine.run(rows(150))) as results:
                async for result in results:
                    assert f"number {result.index} " in result.parsed.visual_annotations[0]
    await client.aclose()
    stats = call(f"{mock}/__stats")
    assert (stats["rows_ok"], stats["repeat_ok"], stats["other"]) == (150, 0, 0)
    assert stats["structured"] == stats["req"] > 150
    assert min(stats[kind] for kind in "r429 r500 r529 drop badjson trunc body".split()) > 0
