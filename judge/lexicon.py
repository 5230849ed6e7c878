"""The word lists of `words/`: which words are plain, and which tell that one does not assert."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import yaml

from . import words as lists
from .tokens import root_of
from .vocabulary import CORRECTIONS, DENIALS, NUMBER_WORDS, OTHER_UNITS, UNITS

FILES = ("plain.yaml", "signals.yaml")


@cache
def plain_words() -> frozenset[str]:
    """All words that a plain assertion may hold anywhere, by their roots and as they are."""
    known = (CORRECTIONS, DENIALS, NUMBER_WORDS, OTHER_UNITS, UNITS)
    return frozenset().union(*_groups("plain.yaml").values(), *known)


@cache
def signals(group: str) -> frozenset[str]:
    """The words of a group of `signals.yaml`, by their roots and as they are."""
    return _groups("signals.yaml")[group]


def word_list_hashes() -> dict[str, str]:
    """Name of each word list -> its sha256, for the manifest."""
    return {f"words/{name}": hashlib.sha256(_text(name).encode()).hexdigest() for name in FILES}


@cache
def _groups(name: str) -> dict[str, frozenset[str]]:
    return {
        group: frozenset(form for word in text.split() for form in (word, root_of(word)))
        for group, text in yaml.safe_load(_text(name)).items()
    }


@cache
def _text(name: str) -> str:
    return resources.files(lists).joinpath(name).read_text(encoding="utf-8")
