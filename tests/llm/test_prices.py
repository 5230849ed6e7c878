"""Prices: the table that pr1 brings, a user's own, and what a usage costs by them."""

from datetime import date
from importlib import resources
from pathlib import Path

import pytest
import yaml

from pr1.llm.chat import ModelIdentity
from pr1.llm.prices import Price
from pr1.schemas.errors import UsageError
from pr1.schemas.manifest import Usage

OPENAI = "https://api.openai.com/v1"
ANTHROPIC = "https://api.anthropic.com"
MILLION = Usage(tokens_in=1_000_000, tokens_out=1_000_000)


def openai(model: str, endpoint: str = OPENAI) -> ModelIdentity:
    return ModelIdentity("openai", endpoint, model, "")


def own_prices(tmp_path: Path, text: str) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_table_says_of_every_price_where_and_when_it_was_read():
    table = yaml.safe_load(resources.files("pr1.llm").joinpath("prices.yaml").read_text())
    assert set(table) == {"openai", "anthropic"}
    for provider, host in (("openai", "api.openai.com"), ("anthropic", "api.anthropic.com")):
        prices = table[provider]
        assert prices["host"] == host
        assert isinstance(prices["checked"], date)
        assert prices["source"].startswith("https://")
        for model in prices["models"]:
            price = Price.of(ModelIdentity(provider, f"https://{host}/v1", model, ""))
            assert price is not None
            assert price.source == f"{prices['source']} of {prices['checked']}"
            assert 0 < price.input < price.output
            assert price.cached_input is None or price.cached_input < price.input
            assert price.cache_write is None or price.cache_write > price.input


@pytest.mark.parametrize(
    ("model", "is_known"),
    [
        ("gpt-6-luna", True),
        ("gpt-6-luna-2026-09-22", True),
        ("gpt-6-luna-20260922", True),
        ("gpt-6-luna-fast", False),
        ("gpt-6-luna-2026-09", False),
        ("gpt-6-luna-1926-09-22", False),
        ("ft:gpt-6-luna:me", False),
        ("gpt-6", False),
        ("", False),
    ],
)
def test_only_a_date_may_follow_a_known_name(model, is_known):
    assert (Price.of(openai(model)) is not None) == is_known


def test_a_dated_claude_is_known_too():
    dated = ModelIdentity("anthropic", ANTHROPIC, "claude-haiku-4-5-20251001", "")
    assert Price.of(dated) == Price.of(dated._replace(model="claude-haiku-4-5"))
    assert Price.of(dated) is not None


def test_another_address_is_another_seller(tmp_path):
    elsewhere = openai("gpt-6-luna", "https://eu.example.com/v1")
    assert Price.of(elsewhere) is None
    own = own_prices(tmp_path, "openai: {models: {gpt-6-luna: {input: 1, output: 2}}}")
    price = Price.of(elsewhere, own)
    assert price is not None
    assert (price.input, price.output, price.source) == (1, 2, own)


def test_an_own_server_has_no_known_price_and_this_machine_none_at_all():
    server = ModelIdentity("vllm", "http://localhost:8000/v1", "qwen", "")
    assert Price.of(server) is None
    here = Price.of(ModelIdentity("embedded", "", "qwen", "abc"))
    assert here is not None
    assert here.cost_usd(MILLION) == 0


def test_the_users_prices_go_before_and_leave_the_others(tmp_path, monkeypatch):
    text = """
openai:
  checked: 2027-01-01
  models:
    gpt-6-luna: {input: 7, output: 8}
vllm:
  models:
    Qwen/Qwen2.5-VL: {input: 0.5, output: 1.5}
"""
    own = own_prices(tmp_path, text)
    assert Price.of(openai("gpt-6-luna"), own) == Price(
        input=7, output=8, source=f"{own} of 2027-01-01"
    )
    assert Price.of(openai("gpt-6-sol"), own) == Price.of(openai("gpt-6-sol"))
    server = ModelIdentity("vllm", "http://localhost:8000/v1", "Qwen/Qwen2.5-VL", "")
    assert Price.of(server, own) == Price(input=0.5, output=1.5, source=own)

    monkeypatch.chdir(tmp_path)
    Path("prices.yaml").write_text(text)  # named like the table that pr1 brings
    price = Price.of(openai("gpt-6-luna"), "prices.yaml")
    assert price is not None
    assert price.input == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openai: {models: {m: {input: -1, output: 2}}}", "openai > models > m > input"),
        ("openai: {models: {m: {input: '2', output: 2}}}", "openai > models > m > input"),
        ("openai: {models: {m: {input: yes, output: 2}}}", "openai > models > m > input"),
        ("openai: {models: {m: {input: .nan, output: 2}}}", "openai > models > m > input"),
        ("openai: {models: {m: {input: 1, output: .inf}}}", "openai > models > m > output"),
        ("openai: {models: {m: {input: 1}}}", "openai > models > m > output: Field required"),
        ("openai: {models: {m: {input: 1, output: 2, in: 3}}}", "openai > models > m > in"),
        ("openai: {models: {6: {input: 1, output: 2}}}", "openai > models > 6"),
        ("openai: {gpt: {input: 1, output: 2}}", "openai > models: Field required"),
        ("opnai: {models: {}}", "opnai: Extra inputs"),
        ("- 1", "the whole"),
        ("", "the whole"),
        ("a: [", "no YAML"),
    ],
)
def test_a_faulty_file_is_refused_in_one_line_that_says_where(text, said, tmp_path):
    own = own_prices(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        Price.of(openai("gpt-6-luna"), own)
    message = str(caught.value)
    assert message.startswith(f"{own}: ")
    assert said in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            Price.of(openai("gpt-6-luna"), str(path))
    (tmp_path / "latin.yaml").write_bytes(b"# \xe9")
    with pytest.raises(UsageError, match="no UTF-8"):
        Price.of(openai("gpt-6-luna"), str(tmp_path / "latin.yaml"))


@pytest.mark.parametrize(
    ("price", "usage", "cost_usd"),
    [
        (Price(input=2, output=10), Usage(), 0),
        (Price(input=2, output=10), MILLION, 12),
        (Price(input=2, output=10), Usage(tokens_in=500, tokens_cached=500), 0.001),
        (
            Price(input=2, output=10, cached_input=0.5),
            Usage(tokens_in=1_000_000, tokens_cached=400_000),
            1.4,
        ),
        (
            Price(input=2, output=10, cached_input=0.5, cache_write=2.5),
            Usage(tokens_in=1_000_000, tokens_cached=400_000),
            1.7,
        ),
        # A service that counts more tokens read from its cache than there were is paid for those.
        (Price(input=2, output=10, cached_input=1), Usage(tokens_in=1, tokens_cached=10), 1e-5),
    ],
)
def test_what_a_usage_costs(price, usage, cost_usd):
    assert price.cost_usd(usage) == pytest.approx(cost_usd, abs=1e-12)
    assert price.cost_usd(usage, is_batch=True) == pytest.approx(cost_usd / 2, abs=1e-12)


def test_a_batch_costs_its_own_share():
    assert Price(input=1, output=1, batch_factor=0.25).cost_usd(MILLION, is_batch=True) == 0.5
