"""Writes `docs/commands/`: a page per command, from its `--help`.

Usage:
    python docs/write_commands.py

`make docs` runs it; a test compares what it would write with what lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from pr1.cli import app

FOLDER = Path(__file__).parent / "commands"
WIDTH = 80


def pages() -> dict[str, str]:
    """Name of each page -> its text."""
    helps = {name: _help(name) for name in _names(typer.main.get_command(app), "pr1")}
    made = {_file(name): f"# `{name}`\n\n```\n{text}```\n" for name, text in helps.items()}
    lines = [f"- [`{name}`]({_file(name)}): {_about(text)}" for name, text in helps.items()]
    return made | {"README.md": "# The commands\n\n" + "\n".join(lines) + "\n"}


def _names(command: Any, name: str) -> Iterator[str]:
    yield name
    for inner, found in getattr(command, "commands", {}).items():
        yield from _names(found, f"{name} {inner}")


def _help(name: str) -> str:
    arguments = [*name.split()[1:], "--help"]
    shown = CliRunner(env={"COLUMNS": str(WIDTH)}).invoke(app, arguments, prog_name="pr1")
    assert shown.exit_code == 0, shown.output
    return "\n".join(line.rstrip() for line in shown.output.splitlines()) + "\n"


def _about(text: str) -> str:
    return " ".join(text.split("\n\n")[1].split())


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.md"


def main() -> None:
    """Write every page, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
