"""`python -m pr1` is the command `pr1`."""

from .cli import app

app()
