"""`report.html` of a training run: written at its end, and anew by `pr1 report`.

What a model wrote stands in it, and is hostile: every value is escaped by the template.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..pages.environment import environment
from ..report.account import figures as own_figures
from ..report.page import save, shared
from ..schemas.errors import MissingExtra, UsageError
from ..schemas.manifest import Manifest
from ..stats import risk_difference
from .curves import Figure, draw, figures
from .folder import TrainFolder
from .metrics_log import read_metrics
from .outcomes import Change, Outcome, changes, read_outcomes, summary

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


def write_report(folder: TrainFolder, manifest: Manifest, path: Path | None = None) -> Path:
    """The page, by default `report.html` in the folder, and its figures as PNG files in `curves/`.

    Raises:
        UsageError: the logs are damaged, or there is no writing at `path` or in the folder.
        MissingExtra: matplotlib is not installed.
    """
    try:
        evaluations = read_outcomes(folder.evaluation)
        metrics = read_metrics(folder.metrics)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{folder.out}: its logs cannot be read ({' '.join(str(error).split())[:200]}). "
            "Restore metrics.jsonl and evaluation/."
        ) from error
    page = environment("pr1.train", "pr1.report").get_template("report.html.j2")
    path = path or folder.out / "report.html"
    save(
        page.render(
            **shared(folder.out, manifest),
            figures=own_figures(manifest.facts, {"evaluation", "against_the_starting_model"}),
            pictures=[
                Picture(one.title, one.note, _png(one, folder.out / "curves"))
                for one in figures(metrics, evaluations)
            ],
            evaluations={step: summary(it) for step, it in evaluations.items()},
            sentences=list(_sentences(evaluations)),
            examples=_examples(evaluations),
            most=CHARACTERS,
        ),
        path,
    )
    return path


def _sentences(evaluations: Mapping[int, Sequence[Outcome]]) -> Iterator[str]:
    """The last evaluation against the first, in words."""
    if len(evaluations) < 2:
        return
    steps = sorted(evaluations)
    asked = {
        "accuracy": "answered right",
        "all_reflected": "answered with every annotation reflected",
    }
    found = changes(evaluations[steps[0]], evaluations[steps[-1]])
    for name, words in asked.items():
        one = found[name]
        if one.problems:
            yield (
                f"Of {one.problems:,} problems, {one.before:,} were {words} before training and "
                f"{one.after:,} after it: {one.gained:,} gained, {one.lost:,} lost, {_points(one)}"
                f". McNemar's exact test, two-sided: p = {one.p_value:.2g}."
            )


def _points(one: Change) -> str:
    """The difference with Tango's interval, in percentage points."""
    both = one.before - one.lost
    neither = one.problems - both - one.lost - one.gained
    found = risk_difference(both, one.lost, one.gained, neither)
    value, low, high = (f"{100 * part:+.1f}".replace("-", "−") for part in found)
    return f"{value} points" + ("" if math.isnan(found.low) else f" [{low}, {high}]")


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


def _png(figure: Figure, folder: Path) -> str:
    """The figure in base 64, drawn into the folder."""
    try:
        return base64.b64encode(draw(figure, folder).read_bytes()).decode()
    except ImportError as error:
        raise MissingExtra(
            "The curves of a run need matplotlib. Install it: pip install 'pr1[figures]'"
        ) from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}).") from error
