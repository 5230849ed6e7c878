"""`report.html`: what a run did, on one page that needs nothing but itself.

What a model wrote stands in it, and is hostile: every value is escaped by the template.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from ..schemas.manifest import Manifest
from .curves import draw, figures
from .folder import TrainFolder
from .metrics_log import read_metrics
from .outcomes import Outcome, changes, read_outcomes, summary

EXAMPLES = 6
CHARACTERS = 1_500


class Picture(NamedTuple):
    """A figure as the page shows it; `data` is its PNG in base 64."""

    title: str
    note: str
    data: str


class Example(NamedTuple):
    """One held-out problem, as the first and as the last model answered it."""

    id: str
    before: Outcome
    after: Outcome


def write_report(folder: TrainFolder, manifest: Manifest) -> Path:
    """The page, and its figures as PNG files in `curves/`."""
    from jinja2 import Environment, StrictUndefined

    evaluations = read_outcomes(folder.evaluation)
    shown = figures(read_metrics(folder.metrics), evaluations)
    pictures = [
        Picture(figure.title, figure.note, _base64(draw(figure, folder.out / "curves")))
        for figure in shown
    ]
    source = (resources.files(__package__) / "report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["percent"] = _percent
    page = environment.from_string(source).render(
        name=folder.out.resolve().name,
        manifest=manifest,
        recipe=json.dumps(manifest.config, indent=2, ensure_ascii=False),
        pictures=pictures,
        evaluations={step: summary(it) for step, it in evaluations.items()},
        sentences=list(_sentences(evaluations)),
        examples=_examples(evaluations),
        most=CHARACTERS,
    )
    path = folder.out / "report.html"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return path


def _sentences(evaluations: Mapping[int, Sequence[Outcome]]) -> list[str]:
    """The last evaluation against the first, in words."""
    if len(evaluations) < 2:
        return []
    steps = sorted(evaluations)
    asked = {
        "accuracy": "answered right",
        "all_reflected": "answered with every annotation reflected",
    }
    found = changes(evaluations[steps[0]], evaluations[steps[-1]])
    return [
        f"Of {one.problems} problems, {one.before} were {words} before training and {one.after} "
        f"after it: {one.gained} gained, {one.lost} lost; McNemar's exact test, two-sided: "
        f"p = {one.p_value:.2g}."
        for name, words in asked.items()
        if (one := found[name]).problems
    ]


def _examples(evaluations: Mapping[int, Sequence[Outcome]]) -> list[Example]:
    """Held-out problems, those first whose outcome changed."""
    if len(evaluations) < 2:
        return []
    steps = sorted(evaluations)
    before = {one.id: one for one in evaluations[steps[0]]}
    both = [
        Example(one.id, before[one.id], one) for one in evaluations[steps[-1]] if one.id in before
    ]
    both.sort(key=lambda it: it.before[1:3] == it.after[1:3])
    return both[:EXAMPLES]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
