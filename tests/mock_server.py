"""The mock chat server beside the repository: a C program with latency, limits and faults.

    with serving(program, "--latency", "fixed:1", "--e429", "0.2") as mock:
        ...  # a client of mock.openai_url
        assert mock.stats()["rows_ok"] == 150

A row is known by `ROW-<number>` in its request. `stats()["rows_ok"]` counts the rows that were
answered, `stats()["repeat_ok"]` the answers to rows that had been answered before.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from pr1.llm.chat import ChatMessage, ChatRequest

SHARED = Path(__file__).parents[2] / "shared" / "bench"


class VisualAnnotations(BaseModel):
    """The form of the mock's answers."""

    visual_annotations: list[str]


class MockServer:
    """A running mock server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.openai_url = f"{self.url}/v1"

    def stats(self) -> dict[str, float]:
        """What it has counted so far."""
        with urllib.request.urlopen(f"{self.url}/__stats", timeout=10) as response:
            return json.load(response)


def compiled(folder: Path) -> Path:
    """The program; skips the test where it cannot be had."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("the mock server is a C program, and there is no C compiler (cc)")
    if not (SHARED / "mockllm.c").exists():
        pytest.skip("the mock server's source is not there (../shared/bench/mockllm.c)")
    program = folder / "mockllm"
    subprocess.run([compiler, "-O1", "-w", "-o", program, SHARED / "mockllm.c", "-lm"], check=True)
    return program


@contextmanager
def serving(program: Path, *options: str) -> Iterator[MockServer]:
    """A mock server on a free port, with the options that its source explains."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with subprocess.Popen([program, "--port", str(port), *options]) as process:
        try:
            mock = MockServer(port)
            _wait_until_up(mock)
            yield mock
        finally:
            process.kill()


def _wait_until_up(mock: MockServer) -> None:
    give_up = time.monotonic() + 10
    while True:
        try:
            mock.stats()
            return
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.02)


def row_request(number: int) -> ChatRequest:
    """The request for one row."""
    messages = (ChatMessage("system", ("Extract.",)), ChatMessage("user", (f"ROW-{number}",)))
    return ChatRequest(messages, "extract", max_tokens=200, response_model=VisualAnnotations)
