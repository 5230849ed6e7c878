"""What every test has: no API keys, no proxies, and a chat server on this machine."""

import signal
import socket
from collections.abc import Iterator

import pytest
from fake_server import FakeServer, running_server
from hypothesis import settings

KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VLLM_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]
PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]

# A shell has what it starts with `&` ignore Ctrl-C, and what that starts ignores it, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test asserts how long something takes: the machine may be busy.
settings.register_profile("pr1", deadline=None)
settings.load_profile("pr1")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*KEYS, *PROXIES, *(name.lower() for name in PROXIES)]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
