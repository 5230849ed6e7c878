"""The command `pr1`: parse, wire, report."""

import typer

app = typer.Typer()
