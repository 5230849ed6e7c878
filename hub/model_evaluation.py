"""What a training run's evaluations say: a table, a test in words, the hub's own results."""

from __future__ import annotations

from collections.abc import Iterator

from huggingface_hub import EvalResult

from ..outputs.markdown import Markdown, table
from ..schemas.manifest import Manifest

_MEASURES = {
    "accuracy": "answers right",
    "perception": "annotations reflected",
    "all_reflected": "all annotations reflected",
}
_ASKED = {
    "accuracy": "answered right",
    "all_reflected": "answered with every annotation reflected",
}


def eval_results(manifest: Manifest, dataset: str) -> list[EvalResult]:
    """The last evaluation, as the hub's `model-index` has it."""
    evaluations = manifest.facts.get("evaluation") or {}
    if not evaluations:
        return []
    last = evaluations[max(evaluations, key=int)]
    return [
        EvalResult(
            task_type="image-text-to-text",
            dataset_type=dataset,
            dataset_name=f"{last['problems']} problems held out of {dataset}",
            metric_type=key,
            metric_name=_MEASURES[key],
            metric_value=round(last[key], 4),
        )
        for key in _MEASURES
        if key in last
    ]


def evaluation_section(manifest: Manifest) -> Markdown:
    """Every evaluation in figures, and the last against the first in words."""
    evaluations = manifest.facts.get("evaluation") or {}
    if not evaluations:
        return Markdown("The run evaluated nothing.")
    rows = [
        (step, found["problems"], *(_percent(found.get(key)) for key in _MEASURES))
        for step, found in sorted(evaluations.items(), key=lambda item: int(item[0]))
    ]
    parts: list[str] = [
        "Problems that were not trained on, answered greedily. Step 0 is before training.",
        table(("step", "problems", *_MEASURES.values()), rows),
        *_tests(manifest),
    ]
    return Markdown("\n\n".join(parts))


def _tests(manifest: Manifest) -> Iterator[str]:
    """The last evaluation against the first, in words."""
    compared = manifest.facts.get("against_the_starting_model") or {}
    for name, words in _ASKED.items():
        if name not in compared:
            continue
        one = compared[name]
        p_value = one["p_value"]
        if p_value >= 0.05:
            verdict = "no difference was shown, which is no proof that there is none"
        else:
            verdict = "an improvement" if one["gained"] > one["lost"] else "a deterioration"
        yield (
            f"Of {one['problems']:,} problems, {one['before']:,} were {words} before training and "
            f"{one['after']:,} after it: {one['gained']:,} gained, {one['lost']:,} lost; McNemar's "
            f"exact test, two-sided: p = {p_value:.2g}: {verdict}."
        )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"
