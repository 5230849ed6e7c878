"""What a model's tokens cost: the dated table `prices.yaml`, and what a user puts before it.

A price that is in neither is unknown, which is not the same as free: then tokens are counted and
dollars are not. Nothing is guessed from the price of a similar model.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError

from ..schemas.errors import UsageError
from ..schemas.manifest import Usage
from ..schemas.records import Record
from .chat import ModelIdentity

TABLE = "prices.yaml"

Dollars = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

_DATE_OF_A_NAME = re.compile(r"-20\d\d-?\d\d-?\d\d$")


class Price(Record):
    """What a model costs, in US dollars for a million tokens.

    Attributes:
        input: prompt tokens.
        output: generated tokens, those of the reasoning included.
        cached_input: prompt tokens read from the service's cache; None: as `input`.
        cache_write: prompt tokens that the service puts into its cache of itself; None: as `input`.
        batch_factor: the batch API's prices as a share of these.
        source: where the price is from, and its date.
    """

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None
    batch_factor: Dollars = 0.5
    source: str = ""

    @classmethod
    def of(cls, identity: ModelIdentity, prices_file: str | None = None) -> Price | None:
        """The price of a model, or None when it is unknown.

        Args:
            identity: the model, and the address at which it is asked.
            prices_file: a user's YAML file in the form of `prices.yaml`, whose prices go first.

        Raises:
            UsageError: the file cannot be read, or does not have that form.
        """
        if identity.provider in ("embedded", "local", "rules"):
            return cls(input=0, output=0, source="computed on this machine")
        tables = [(TABLE, _bundled_text())]
        if prices_file is not None:
            tables.insert(0, (prices_file, _text_of(prices_file)))
        for name, text in tables:
            prices = _read_table(name, text).get(identity.provider)
            price = prices and prices.price_of(identity)
            if prices and price:
                return price.model_copy(update={"source": price.source or prices.stated(name)})
        return None

    def cost_usd(self, usage: Usage, is_batch: bool = False) -> float:
        """What the usage costs, in US dollars.

        Where writing to the service's cache costs more, all prompt tokens that were not read from
        it are taken to be written to it, as they are with prompts above 1,024 tokens: the figure
        is what the service charges, or more.
        """
        fresh = self.input if self.cache_write is None else max(self.input, self.cache_write)
        cached = self.input if self.cached_input is None else self.cached_input
        millionths = (
            max(0, usage.tokens_in - usage.tokens_cached) * fresh
            + usage.tokens_cached * cached
            + usage.tokens_out * self.output
        )
        return millionths * (self.batch_factor if is_batch else 1) / 1e6


class ProviderPrices(Record):
    """One provider's part of a table.

    Attributes:
        host: where they hold; None: at any address.
        checked: the day on which they were read at `source`.
    """

    models: dict[str, Price]
    host: str | None = None
    checked: date | None = None
    source: str | None = None

    def price_of(self, identity: ModelIdentity) -> Price | None:
        """The model's price: by its name, or by its name without a date."""
        if self.host is not None and urlsplit(identity.endpoint).hostname != self.host:
            return None
        exact = self.models.get(identity.model)
        return exact or self.models.get(_DATE_OF_A_NAME.sub("", identity.model))

    def stated(self, table: str) -> str:
        """Where the prices are from: `https://... of 2026-11-22`, or the table's name."""
        stated = self.source or table
        return f"{stated} of {self.checked}" if self.checked else stated


class _Table(Record):
    openai: ProviderPrices | None = None
    anthropic: ProviderPrices | None = None
    vllm: ProviderPrices | None = None


@cache
def _bundled_text() -> str:
    return resources.files(__package__).joinpath(TABLE).read_text(encoding="utf-8")


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"--prices {path}: the file cannot be read ({reason}).") from error


def _read_table(name: str, text: str) -> dict[str, ProviderPrices | None]:
    try:
        return dict(_Table.model_validate(yaml.safe_load(text)))
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: no YAML ({' '.join(str(error).split())[:200]}).") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = " > ".join(str(step) for step in first["loc"]) or "the whole"
        raise UsageError(
            f"{name}: {where}: {first['msg']}, not {str(first['input'])[:60]!r}. A price is "
            "written as  openai: {models: {MODEL: {input: 2.00, output: 10.00}}}  in US dollars "
            "for a million tokens."
        ) from error
