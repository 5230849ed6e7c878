"""The experiment in one picture: both arms while they learn, and what each says that it sees.

Above, greedy answers to the problems that nobody is trained on, at every evaluation: thin lines are
seeds, thick ones their mean. Below, a few of those problems, with the heights that the base model
and each arm state. A wrong height is bold and orange.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...images import load_image
from ...outputs.rows import read_rows
from ...schemas.records import TrainRow
from ..outcomes import Outcome, read_outcomes, summary
from .experiment import EVALUATION, WEIGHTS, evaluations, is_lucky, run_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette: told apart by colour-blind readers.
COLOURS = {"perception": "#0072B2", "answer-only": "#D55E00"}
MARKERS = {"perception": "o", "answer-only": "s"}
INK, GREY, GRID, WRONG = "#222222", "#6b6b6b", "#e6e6e6", "#D55E00"
PANELS = {
    "accuracy": "answers right",
    "perception": "facts right",
    "all_reflected": "all three facts right",
}
EXAMPLES = 4
STATED = re.compile(r"\b([a-z]+) is (\d+)\b")
BOXED = re.compile(r"\\boxed\{([^}]*)\}")


class Example(NamedTuple):
    """One evaluation problem, and what each model wrote about it.

    Attributes:
        completions: by model: `base`, and each arm.
    """

    row: TrainRow
    completions: dict[str, Outcome]


def draw_figure(out: Path, seeds: Sequence[int], path: Path) -> None:
    """Write the figure as PNG.

    Args:
        out: the experiment's folder, with its runs finished.
        seeds: of the runs; the examples are of the first.
        path: of the PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 6.6), dpi=110, layout="constrained", facecolor="white")
    grid = figure.add_gridspec(2, 1, height_ratios=[5, 6])
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    panels = above.subplots(1, len(PANELS), sharey=True)
    for axes, (measure, title) in zip(panels, PANELS.items(), strict=True):
        _draw_curves(axes, out, seeds, measure)
        axes.set_title(title, fontsize=11, color=INK)
    panels[0].set_ylabel(f"share, of {EVALUATION} fresh problems", color=INK)
    panels[0].legend(loc="lower right", frameon=False, fontsize=9)
    sheets = below.subplots(1, EXAMPLES)
    for axes in sheets:
        axes.axis("off")
    for axes, example in zip(sheets, find_examples(out, seeds[0]), strict=False):
        _draw_example(axes, example)
    figure.savefig(path, format="png")


def find_examples(out: Path, seed: int) -> list[Example]:
    """Four problems that show what the arms differ in, each the first of its kind in the set.

    Two that the answer-only arm answers right on a wrong fact and the perception arm reads right,
    and two on which the perception arm is the one that states a wrong fact, so that its failures
    are seen as well. Where there are not as many, problems on which the arms' facts differ follow.
    """
    ends = {arm: _by_id(evaluations(out, arm, seed)[-1]) for arm in WEIGHTS}
    start = _by_id(evaluations(out, "perception", seed)[0])
    found = [
        Example(row, {"base": start[row.id], **{arm: ends[arm][row.id] for arm in WEIGHTS}})
        for row in read_rows(out / "problems" / "evaluate", TrainRow)
    ]
    decoupled = [one for one in found if _is_right_on_wrong_facts(one)]
    misread = [one for one in found if (one.completions["perception"].perception or 0) < 1]
    chosen = [*decoupled[:2], *misread[:2]]
    different = (one for one in found if _facts_differ(one) and one not in chosen)
    return [*chosen, *different][:EXAMPLES]


def _is_right_on_wrong_facts(example: Example) -> bool:
    answer_only, perception = (example.completions[arm] for arm in ("answer-only", "perception"))
    return is_lucky(answer_only) and perception.perception == 1


def _facts_differ(example: Example) -> bool:
    return len({example.completions[arm].perception for arm in WEIGHTS}) > 1


def _draw_curves(axes: Axes, out: Path, seeds: Sequence[int], measure: str) -> None:
    for arm, colour in COLOURS.items():
        curves = [_curve(run_folder(out, arm, seed), measure) for seed in seeds]
        for curve in curves:
            axes.plot(list(curve), list(curve.values()), color=colour, linewidth=0.8, alpha=0.45)
        steps = sorted(set.intersection(*(set(curve) for curve in curves)))
        means = [sum(curve[step] for curve in curves) / len(curves) for step in steps]
        label = f"{arm}, γ = {WEIGHTS[arm]:g}"
        axes.plot(steps, means, MARKERS[arm], ls="-", color=colour, lw=2.2, ms=4, label=label)
    axes.set_ylim(0, 1)
    axes.set_xlabel("step of GRPO", color=INK)
    axes.locator_params(axis="x", integer=True)
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)


def _draw_example(axes: Axes, example: Example) -> None:
    picture = load_image(example.row.images[0].bytes, example.row.id)
    axes.imshow(picture, interpolation="nearest", extent=(0, 48, 0, 48))
    axes.set_xlim(0, 54)
    axes.set_ylim(-37, 54)
    axes.set_aspect("equal")
    axes.text(0, 50.5, example.row.question, fontsize=10, color=INK, weight="bold")
    axes.text(26.2, -4, "sees", fontsize=8, color=GREY, va="center", ha="center")
    axes.text(39, -4, "answers", fontsize=8, color=GREY, va="center")
    true = _stated(" ".join(annotation.statement for annotation in example.row.annotations))
    _write_line(axes, -11, "true", true, true, example.row.answer, None)
    for place, (model, outcome) in enumerate(example.completions.items(), 1):
        boxed = BOXED.search(outcome.completion)
        answer = boxed[1] if boxed else "none"
        seen = _stated(outcome.completion)
        _write_line(axes, -11 - 7.5 * place, model, seen, true, answer, outcome.correct)


def _write_line(
    axes: Axes,
    height: float,
    model: str,
    seen: dict[str, str],
    true: dict[str, str],
    answer: str,
    is_right: int | None,
) -> None:
    """A model's name, the heights that it states from left to right, and its answer."""
    axes.text(0, height, model, fontsize=8.5, color=COLOURS.get(model, GREY), va="center")
    for place, (colour, value) in enumerate(true.items()):
        said = seen.get(colour, "–")
        is_wrong = said != value
        axes.text(
            22 + place * 4.2,
            height,
            said,
            fontsize=9,
            color=WRONG if is_wrong else INK,
            weight="bold" if is_wrong else "normal",
            ha="center",
            va="center",
        )
    sign = {None: "", 1: " ✓", 0: " ✗"}[is_right]
    ink = WRONG if is_right == 0 else INK
    axes.text(39, height, f"{answer}{sign}", fontsize=8.5, color=ink, va="center")


def _stated(text: str) -> dict[str, str]:
    return dict(STATED.findall(text))


def _curve(folder: Path, measure: str) -> dict[int, float]:
    return {
        step: summary(outcomes)[measure]
        for step, outcomes in read_outcomes(folder / "evaluation").items()
    }


def _by_id(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {one.id: one for one in outcomes}
