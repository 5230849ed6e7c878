"""A run's curves as PNG files, legible on light and on dark ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .outcomes import Outcome, summary
from .reward_log import PARTS

GREY = "#7a7a7a"
# Okabe and Ito's palette, without its black and its yellow: told apart by colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
WIDTH_IN, HEIGHT_IN, DPI = 6.4, 3.0, 140
POINTS_WITH_MARKS = 40


class Curve(NamedTuple):
    """One line of a figure: its name, and value by step."""

    name: str
    points: dict[int, float]


class Figure(NamedTuple):
    """One picture of the report.

    Attributes:
        name: of its file, without the ending.
        title: what it shows; `note` says how to read it.
    """

    name: str
    title: str
    note: str
    curves: list[Curve]


def figures(
    metrics: Sequence[Mapping[str, Any]], evaluations: Mapping[int, Sequence[Outcome]]
) -> list[Figure]:
    """The figures for which there is anything to show.

    Args:
        metrics: the lines of `metrics.jsonl`.
        evaluations: outcomes by step.
    """
    evaluated = {step: summary(outcomes) for step, outcomes in evaluations.items()}
    of_evaluation = [
        Curve(name, {step: it[key] for step, it in evaluated.items() if key in it})
        for name, key in (
            ("answers right", "accuracy"),
            ("annotations reflected", "perception"),
            ("all of them reflected", "all_reflected"),
        )
    ]
    found = [
        Figure(
            "evaluation",
            "Problems that were not trained on",
            "Greedy completions; shares, from 0 to 1.",
            of_evaluation,
        ),
        Figure(
            "reward_parts",
            "The parts of the reward",
            "Mean over the completions for which a part was scored, unweighted.",
            [_curve(metrics, part, f"parts/{part}") for part in PARTS],
        ),
        Figure(
            "reward",
            "The reward",
            "Weighted total; what the groups are compared by.",
            [_curve(metrics, "mean", "reward"), _curve(metrics, "deviation", "reward_std")],
        ),
        Figure(
            "zero_variance",
            "Groups without a difference",
            "Share of groups whose completions all earned the same: nothing is learnt from them.",
            [_curve(metrics, "share of groups", "frac_reward_zero_std")],
        ),
        Figure(
            "judge_failures",
            "Judge failures",
            "Share of completions: not scored, for the service failed; or visual 0, for the "
            "completion broke the judge.",
            [
                _curve(metrics, "service failed", "unscored/judge"),
                _curve(metrics, "completion broke it", "judge/broken"),
                _curve(metrics, "answer not compared", "unscored/accuracy"),
            ],
        ),
        Figure(
            "verdicts",
            "Verdicts",
            "Share of all annotations asked.",
            [
                _curve(metrics, word, f"judge/{word}")
                for word in ("reflected", "absent", "contradicted")
            ],
        ),
        Figure(
            "length",
            "Length of the completions",
            "Tokens.",
            [
                _curve(metrics, "mean", "completions/mean_length"),
                _curve(metrics, "longest", "completions/max_length"),
            ],
        ),
        Figure(
            "cut",
            "Cut completions",
            "Share that the token limit ended; their answers count as wrong.",
            [_curve(metrics, "share cut", "completions/clipped_ratio")],
        ),
        Figure(
            "entropy",
            "Entropy",
            "Mean per token, in nats; near zero, the policy hardly tries anything new.",
            [_curve(metrics, "entropy", "entropy")],
        ),
        Figure(
            "gradient",
            "Norm of the gradient",
            "Before clipping.",
            [_curve(metrics, "norm", "grad_norm")],
        ),
    ]
    with_points = (it._replace(curves=[c for c in it.curves if c.points]) for it in found)
    return [it for it in with_points if it.curves]


def draw(figure: Figure, folder: Path) -> Path:
    """The PNG file with the figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    canvas, axes = pyplot.subplots(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    try:
        for number, curve in enumerate(figure.curves):
            steps, values = list(curve.points), list(curve.points.values())
            mark = "o" if len(steps) <= POINTS_WITH_MARKS else ""
            axes.plot(
                steps,
                values,
                color=COLOURS[number % len(COLOURS)],
                label=curve.name,
                marker=mark,
                markersize=3,
                linewidth=1.6,
            )
        axes.set_xlabel("step", color=GREY)
        axes.tick_params(colors=GREY)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color=GREY, alpha=0.25, linewidth=0.6)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(GREY)
        if len(figure.curves) > 1:
            axes.legend(frameon=False, labelcolor=GREY, fontsize="small", loc="best")
        path = folder / f"{figure.name}.png"
        canvas.savefig(path, dpi=DPI, transparent=True)
    finally:
        pyplot.close(canvas)
    return path


def _curve(metrics: Sequence[Mapping[str, Any]], name: str, key: str) -> Curve:
    points = {line["step"]: line[key] for line in metrics if line.get(key) is not None}
    return Curve(name, points)
