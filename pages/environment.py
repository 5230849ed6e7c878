"""The template environment of pr1's pages: every value is escaped, a missing one is an error."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .maths import with_formulas


@cache
def environment(*packages: str) -> Environment:
    """Templates (`*.j2`) of packages, e.g. `pr1.report`; of two with one name, the first.

    Filters: `maths` (formulas as MathML), `percent` (a share or None), `count` (1,442).
    """
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(package, ".") for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"maths": with_formulas, "percent": _percent, "count": _count}
    templates.globals["style"] = style()
    return templates


def style() -> Markup:
    """The shared style sheet, light and dark, for screen and print."""
    return Markup((resources.files(__package__) / "style.css").read_text(encoding="utf-8"))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def _count(value: int) -> str:
    return f"{value:,}"
