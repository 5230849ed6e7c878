"""The batch services on this machine, and a key for them."""

from collections.abc import Iterator

import pytest
from batch_passes import Passes
from fake_batches import KEY, FakeBatches, running_batches


@pytest.fixture
def fake_batches() -> Iterator[FakeBatches]:
    with running_batches() as fake:
        yield fake


@pytest.fixture(params=["openai", "anthropic"])
def passes(request, fake_batches, tmp_path, monkeypatch) -> Passes:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return Passes(fake_batches, request.param, tmp_path)


@pytest.fixture
def openai_passes(fake_batches, tmp_path, monkeypatch) -> Passes:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return Passes(fake_batches, "openai", tmp_path)


@pytest.fixture
def anthropic_passes(fake_batches, tmp_path, monkeypatch) -> Passes:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return Passes(fake_batches, "anthropic", tmp_path)
