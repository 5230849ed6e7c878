"""Names, base URLs and keys: what is refused, and with which words."""

import logging

import pytest

from pr1.llm.embedded import EmbeddedClient
from pr1.llm.models import model_identity, open_client
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import UsageError

LOCAL = "http://localhost:8000/v1"


@pytest.mark.parametrize(
    ("name", "base_url", "endpoint"),
    [
        ("openai/gpt-5", None, "https://api.openai.com/v1"),
        ("openai/gpt-5", "https://gate.example/v1/", "https://gate.example/v1"),
        ("anthropic/claude", None, "https://api.anthropic.com"),
        ("vllm/Qwen/Qwen2.5-VL-7B-Instruct", LOCAL, LOCAL),
        ("vllm/m", "http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_identity(name, base_url, endpoint):
    identity = model_identity(ModelConfig(name=name, base_url=base_url, revision="r1"))
    provider, _, model = name.partition("/")
    assert identity == (provider, endpoint, model, "r1")


def test_the_embedded_model_has_one_identity(tmp_path):
    client = EmbeddedClient(None, tmp_path)
    assert model_identity(ModelConfig(name="embedded")) == client.identity


@pytest.mark.parametrize("name", ["gpt-5", "openai", "openai/", "rules", "OPENAI/x", "local/", "/"])
def test_an_unknown_name_is_refused_with_those_that_exist(name):
    with pytest.raises(UsageError, match=r"openai/MODEL, anthropic/MODEL, vllm/MODEL .* embedded"):
        model_identity(ModelConfig(name=name))


def test_vllm_needs_an_address():
    with pytest.raises(UsageError, match="--base-url http://localhost:8000/v1"):
        model_identity(ModelConfig(name="vllm/m"))


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "file:///etc/passwd",
        "http://h:x/v1",
        "http://[",
    ],
)
def test_a_base_url_that_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="is no http"):
        model_identity(ModelConfig(name="vllm/m", base_url=url))


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@host/v1",
        "http://hunter2@host/v1",
        "http://host/v1?api_key=hunter2",
        "http://host/v1#hunter2",
    ],
)
def test_a_base_url_with_a_secret_is_refused_and_not_shown(url):
    with pytest.raises(UsageError, match="Give the address alone") as caught:
        model_identity(ModelConfig(name="vllm/m", base_url=url))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("openai/m", "OPENAI_API_KEY"), ("anthropic/m", "ANTHROPIC_API_KEY")],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_named(monkeypatch, name, variable, value):
    if value is not None:
        monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=variable):
        open_client(ModelConfig(name=name), Execution())


def test_a_key_that_would_break_the_header_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "hunter2\r\nx-evil: 1")
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds characters") as caught:
        open_client(ModelConfig(name="openai/m"), Execution())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "key", "is_warned"),
    [
        ("http://10.0.0.5:8000/v1", "k", True),
        ("http://10.0.0.5:8000/v1", "", False),
        ("https://10.0.0.5:8000/v1", "k", False),
        (LOCAL, "k", False),
        ("http://[::1]:8000/v1", "k", False),
    ],
)
def test_a_key_sent_in_the_open_is_warned_of(monkeypatch, caplog, url, key, is_warned):
    monkeypatch.setenv("VLLM_API_KEY", key)
    with caplog.at_level(logging.WARNING):
        open_client(ModelConfig(name="vllm/m", base_url=url), Execution())
    assert ("travels unencrypted to 10.0.0.5" in caplog.text) is is_warned
