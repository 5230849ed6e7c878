"""Text that data brought, as Markdown that does nothing; and tables."""

from __future__ import annotations

from collections.abc import Iterable


def code(text: str, limit: int = 200) -> str:
    """The text as a Markdown code span that fits a table cell: inert, on one line, cut to size."""
    line = "".join(c if c.isprintable() else " " for c in text[: limit + 1])
    if len(line) > limit:
        line = line[:limit] + "…"
    line = " ".join(line.replace("`", "'").replace("|", "¦").split())
    return f"`{line}`" if line else "(empty)"


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table; whole numbers get their thousands separated."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
