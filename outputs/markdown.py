"""Text that data brought, as Markdown that does nothing; tables; and cards from templates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


class Markdown(str):
    """Text that is Markdown already; a template prints it as it is."""

    __slots__ = ()


def code(text: str, limit: int = 200) -> Markdown:
    """The text as a Markdown code span that fits a table cell: inert, on one line, cut to size."""
    line = "".join(c if c.isprintable() else " " for c in text[: limit + 1])
    if len(line) > limit:
        line = line[:limit] + "…"
    line = " ".join(line.replace("`", "'").replace("|", "¦").split())
    return Markdown(f"`{line}`" if line else "(empty)")


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Markdown:
    """A Markdown table; whole numbers get their thousands separated."""
    lines = [head, tuple("---" for _ in head), *rows]
    return Markdown(
        "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
    )


def bullets(items: Iterable[str]) -> Markdown:
    """A Markdown list of lines that are Markdown already."""
    return Markdown("\n".join(f"- {item}" for item in items))


def fill(package: str, template: str, values: dict[str, Any]) -> str:
    """The template's text with the values in it.

    Every value that a template prints becomes a code span, but numbers and `Markdown`: so no card
    can forget to disarm what the data brought.

    Args:
        package: the package that the template lies in.
        template: the file's name.
        values: what the template may name; naming another is an error.
    """
    text = (resources.files(package) / template).read_text(encoding="utf-8")
    return _environment().from_string(text).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    # Markdown and not HTML, so that escaping is `_printed`'s.
    return Environment(
        autoescape=False,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _printed(value: object) -> str:
    if isinstance(value, Markdown):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else code(str(value))


def _cell(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
