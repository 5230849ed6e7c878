"""Readers of single values: each returns what pr1 needs, or says why the value is none.

Values come from JSON or Parquet as others wrote them: numbers for texts, lists written as text,
NaN for nothing. `what` names the value in messages, e.g. `problems.jsonl:41: 'answer'`.
"""

from __future__ import annotations

import ast
import json
import math
import re
import reprlib
import warnings
from typing import Any, NamedTuple

from ...schemas.errors import InputError
from ...schemas.records import Finish

MAX_TEXT_CHARS = 1_000_000
MAX_CHOICES_CHARS = 20_000
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 60
PLACEHOLDER = re.compile(r"<image(?:[_ ]?[0-9]{1,3})?>")


class RawTrajectory(NamedTuple):
    """A trajectory as a record states it, before its problem is known."""

    id: str | None
    text: str
    model: str | None
    finish: Finish | None
    sampling: dict[str, Any] | None


def is_missing(value: Any) -> bool:
    """Whether the value stands for nothing: null, NaN, a blank text, an empty list."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, list | dict | bytes) and not value)


def read_text(value: Any, what: str) -> str:
    """The value as text: a string verbatim, a number or truth value as Python writes it.

    Raises:
        InputError: `wrong_type`, `nul_byte`, `broken_text` or `text_too_long`.
    """
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise _wrong_type(what, value, "a text")
    if len(value) > MAX_TEXT_CHARS:
        raise InputError(
            "text_too_long",
            f"{what} has {len(value):,} characters, {MAX_TEXT_CHARS:,} are the limit. Shorten it.",
        )
    if "\0" in value:
        raise InputError("nul_byte", f"{what} holds a NUL byte. Remove it.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = f"{what} holds half a surrogate pair. Repair the text."
        raise InputError("broken_text", message) from error
    return value


def read_optional_text(value: Any, what: str) -> str | None:
    """The value as text without surrounding blanks, or None where it is missing."""
    return None if is_missing(value) else read_text(value, what).strip()


def read_question(value: Any, what: str) -> str:
    """The question without image placeholders and surrounding blanks; empty where missing."""
    return "" if is_missing(value) else PLACEHOLDER.sub("", read_text(value, what)).strip()


def read_choices(value: Any, what: str) -> list[str] | None:
    """The options' texts in the order A, B, C, ..., or None where there are none.

    Options come as a list, as an object from letter to text, or as either written as text (JSON or
    a Python literal, as MMMU has it).
    """
    if isinstance(value, str) and value.strip():
        value = _parse_literal(value, what)
    if is_missing(value):
        return None
    if isinstance(value, dict):
        value = _by_letter(value, what)
    if not isinstance(value, list):
        raise _wrong_type(what, value, "a list of options")
    return [read_text(choice, f"{what}, option {n}") for n, choice in enumerate(value, 1)]


def read_trajectory(value: dict[str, Any], what: str) -> RawTrajectory:
    """The trajectory of an object with `text` and perhaps `id, model, finish, sampling`."""
    return RawTrajectory(
        id=read_optional_text(value.get("id"), f"{what}: 'id'"),
        text=read_text(value["text"], what),
        model=read_optional_text(value.get("model"), f"{what}: 'model'"),
        finish=read_finish(value.get("finish")),
        sampling=read_sampling(value.get("sampling"), f"{what}: 'sampling'"),
    )


def read_finish(value: Any) -> Finish | None:
    """`stop` or `length` where the value says so; anything else is unknown."""
    if value == "length":
        return "length"
    return "stop" if value == "stop" else None


def read_sampling(value: Any, what: str) -> dict[str, Any] | None:
    """Sampling parameters given as an object, or as an object written as JSON."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        text = read_text(value, what)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _wrong_type(what, value, "an object") from error
    if not isinstance(value, dict):
        raise _wrong_type(what, value, "an object")
    return {
        read_text(name, what): read_text(setting, what) if isinstance(setting, str) else setting
        for name, setting in value.items()
        if setting is None or isinstance(setting, str | bool | int | float)
    }


def read_metadata(values: dict[str, Any], place: str) -> dict[str, str]:
    """The scalars among the values, as text; nothing for the missing, the nested, the binary."""
    return {
        read_text(name, f"{place}: a column's name"): _scalar_text(value, f"{place}: {name!r}")
        for name, value in values.items()
        if not is_missing(value) and not isinstance(value, list | tuple | dict | bytes)
    }


def shown(value: Any) -> str:
    """The value for a message: printable, on one line, short."""
    return SHORT.repr(value)


def _scalar_text(value: Any, what: str) -> str:
    return read_text(value if isinstance(value, str | bool | int | float) else str(value), what)


def _parse_literal(text: str, what: str) -> Any:
    if len(text) > MAX_CHOICES_CHARS:
        raise InputError("text_too_long", f"{what} has more than {MAX_CHOICES_CHARS:,} characters.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # MMMU writes a Python list: tried next
    try:
        with warnings.catch_warnings():
            # LaTeX in a literal: '\sqrt' holds no escape; Python reads it verbatim, and warns.
            warnings.simplefilter("ignore")
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise _wrong_type(what, text, "a list of options, or one written as text") from error


def _by_letter(options: dict[str, Any], what: str) -> list[Any]:
    given = {key: text for key, text in options.items() if text is not None}
    letters = [chr(ord("A") + n) for n in range(len(given))]
    if sorted(given, key=str) != letters:
        raise InputError("wrong_type", f"{what} has the keys {shown(list(given))}, not A, B, C.")
    return [given[letter] for letter in letters]


def _wrong_type(what: str, value: Any, wanted: str) -> InputError:
    return InputError(
        "wrong_type", f"{what} is {shown(value)}, a {type(value).__name__}; {wanted} is needed."
    )
