"""The words by which rules read a trajectory, compiled from the lists in `words/`.

The lists are data, so that a missing wording is a line in a YAML file. An entry is a regular
expression; `{picture}`, `{number}`, `{colour}`, `{shape}` and `{name}` stand for lists of their
own.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any, get_args

import yaml

from ...schemas.records import AnnotationKind
from . import words

NAME = r"(?<![A-Za-z])(?-i:[A-Z](?:[A-Z]|'|\d(?!\d))*)(?![a-z])"
"""Capital letters that name a point, segment or figure: `A`, `AB`, `ABC`, `A'`."""


_WORD_END = r"(?!(?<=\w)\w)"


def word_list_hashes() -> dict[str, str]:
    """Name of each file in `words/` -> its sha256."""
    return {
        f"words/{name}.yaml": hashlib.sha256(_read(name).encode()).hexdigest()
        for name in ("clauses", "kinds", "stances")
    }


@cache
def word_list(name: str) -> dict[str, Any]:
    """One of the files in `words/`, by its name without ending."""
    content: dict[str, Any] = yaml.safe_load(_read(name))
    return content


def _read(name: str) -> str:
    return resources.files(words).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


@cache
def shared_lists() -> dict[str, str]:
    """The lists that entries refer to by `{name}`."""
    clauses = word_list("clauses")
    return {name: clauses[name] for name in ("picture", "number", "colour", "shape")} | {
        "name": NAME
    }


def any_of(entry: dict[str, list[str]]) -> str:
    """A regular expression for an entry's `words`, between word boundaries, and `signs`."""
    words = "|".join(entry.get("words", []))
    # One boundary for all of them, so that most characters are passed over at once.
    spelt = [rf"\b(?!\s)(?:{words}){_WORD_END}"] if words else []
    pattern = "|".join([*spelt, *entry.get("signs", [])])
    for name, listed in shared_lists().items():
        pattern = pattern.replace("{" + name + "}", listed)
    return pattern


@cache
def _kinds() -> dict[AnnotationKind, re.Pattern[str]]:
    listed = word_list("kinds")
    kinds = sorted(get_args(AnnotationKind), key=list(listed).index)
    return {kind: re.compile(any_of(listed[kind]), re.IGNORECASE) for kind in kinds}


def kind_of(statement: str) -> AnnotationKind | None:
    """What a statement is about, or None when it is about nothing that can be seen."""
    return next((kind for kind, pattern in _kinds().items() if pattern.search(statement)), None)
