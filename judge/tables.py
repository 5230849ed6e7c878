"""Markdown tables as sentences: what a cell says, it says of its row and its column."""

from __future__ import annotations

import re

_RULE = re.compile(r"[|:\s-]+$")


def with_tables_spelt_out(text: str) -> str:
    r"""The text with each row of a table as `row column: cell`, one line for each cell.

    Example:
        >>> print(with_tables_spelt_out("| Team | Wins |\n|---|---|\n| Owls | 9 |"))
        Team: Owls.
        Owls Wins: 9.
    """
    if text.count("|") < 4:
        return text
    lines: list[str] = []
    header: list[str] = []
    for line in text.split("\n"):
        if line.count("|") < 2:
            header = []
            lines.append(line)
        elif not header:
            header = _cells(line)
        elif not _RULE.match(line):
            lines += _row(_cells(line), header)
    return "\n".join(lines)


def _row(cells: list[str], header: list[str]) -> list[str]:
    columns = header + [""] * (len(cells) - len(header))
    said = [f"{column}: {cell}." for column, cell in zip(columns[:1], cells[:1], strict=True)]
    return said + [
        f"{cells[0]} {column}: {cell}."
        for column, cell in zip(columns[1:], cells[1:], strict=False)
    ]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
