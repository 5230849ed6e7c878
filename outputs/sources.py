"""What is known of the terms of published datasets and models: `sources.yaml`, looked up by name.

The names that data gives its sources vary (`AI4Math/MathVista`, `MathVista_MINI`, `mathvista
testmini`), so a name is looked for word by word: its words must stand in the text side by side.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import yaml

from ..schemas.records import NonEmpty, Record
from .licenses import license_identifier


class KnownTerms(Record):
    """What a dataset's or model's authors state about its use.

    Attributes:
        names: how data may call it.
        license: an identifier of the Hugging Face hub.
        license_name: what `other` stands for.
        forbids: `training` where its terms exclude training on it.
        statement: the terms in our words.
        asks: what its authors ask for without forbidding it.
        url: where they say so.
    """

    name: NonEmpty
    names: list[NonEmpty]
    license: NonEmpty
    license_name: NonEmpty | None = None
    forbids: Literal["training"] | None = None
    statement: str = ""
    asks: str = ""
    url: NonEmpty


class SourceTerms(NamedTuple):
    """What one source's terms mean for a derived set or model.

    Attributes:
        license: what the data states, or else what is known; None where neither.
        is_stated: the data states it itself.
        refusal: why publishing would break the terms; empty where it would not.
        warning: what a person should know before publishing; empty where there is nothing.
        url: where the terms are stated, when that is known.
    """

    license: str | None
    is_stated: bool
    refusal: str
    warning: str
    url: str | None


_FORBIDS_TRAINING = re.compile(
    r"\btrain\w*\b.{0,60}\b(?:prohibit|forbid|not (?:be )?(?:allowed|permitted))"
    r"|\b(?:no|not|prohibit\w*|forbid\w*)\b.{0,30}\btrain",
    re.IGNORECASE | re.DOTALL,
)


def source_terms(source: str | None, stated: str | None) -> SourceTerms:
    """What the terms of a source mean, from its name and from the licence that its rows state.

    Example:
        >>> source_terms("MathVista_MINI", None).refusal
        'may be used as a test set; using it as a training set is prohibited'
        >>> source_terms("our charts", "CC BY-NC 4.0").warning
        'not for commercial use (cc-by-nc-4.0)'
    """
    known = known_dataset(source or "")
    is_stated = license_identifier(stated) != "unknown"
    license_ = stated if is_stated else known.license if known else None
    identifier = license_identifier(license_)
    return SourceTerms(
        license=license_,
        is_stated=is_stated,
        refusal=_refusal(known, stated or "", identifier),
        warning=_warning(known, identifier),
        url=known.url if known else None,
    )


def known_dataset(name: str) -> KnownTerms | None:
    """What is known of the dataset that a text names."""
    return _named(name, "datasets")


def known_model(name: str) -> KnownTerms | None:
    """What is known of the model that a text names."""
    return _named(name, "models")


def _refusal(known: KnownTerms | None, stated: str, identifier: str) -> str:
    if known and known.forbids:
        return known.statement
    if "-nd-" in identifier:
        return f"its licence ({identifier}) allows no derivatives, and annotations are one"
    if _FORBIDS_TRAINING.search(stated[:1_000]):
        return "its rows state terms that exclude training"
    return ""


def _warning(known: KnownTerms | None, identifier: str) -> str:
    if "-nc-" in identifier:
        return f"not for commercial use ({identifier})"
    if identifier == "unknown":
        return "no licence is stated or known: ask its authors"
    return known.asks if known else ""


def _named(text: str, kind: str) -> KnownTerms | None:
    words = f" {_words(text)} "
    found = [one for one in _known()[kind] if any(f" {_words(n)} " in words for n in one.names)]
    return max(found, key=lambda one: max(map(len, one.names)), default=None)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text[:500].lower()))


@cache
def _known() -> dict[str, list[KnownTerms]]:
    text = (resources.files(__package__) / "sources.yaml").read_text(encoding="utf-8")
    return {
        kind: [KnownTerms.model_validate(one) for one in entries]
        for kind, entries in yaml.safe_load(text).items()
    }
