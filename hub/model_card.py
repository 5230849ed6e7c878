"""The card of a trained model: everything that its manifest knows.

What a template prints is a code span unless it is Markdown or a number (`outputs/markdown.py`), so
a name that data or a recipe brought does nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from huggingface_hub import ModelCardData

from ..outputs.citation import citation
from ..outputs.lineage import parents, stages_table, version_of
from ..outputs.markdown import Markdown, bullets, code, fill, table
from ..outputs.sources import known_model
from ..schemas.manifest import Manifest
from ..schemas.training import Recipe, RewardConfig
from .model_evaluation import eval_results, evaluation_section

TAGS = ["pr1", "perception-r1", "visual-perception-reward", "grpo", "trl"]
_PARTS = {
    "format": "the completion has the form that was asked for",
    "accuracy": "its answer equals the reference answer",
    "visual": "share of the visual annotations that it reflects, as the judge says",
    "repetition": "-2 to 0, for repeated passages of 20 words",
    "length": "-1 to 0, for length near the limit",
}
_CURVE = re.compile(r"curves/[a-z0-9_]+\.png")


def render_model_card(
    manifest: Manifest, curves: Sequence[str], *, name: str, is_adapter: bool
) -> str:
    """The card's text: front matter and Markdown.

    Args:
        manifest: of the training run.
        curves: pictures beside the card, as paths in the repository.
        name: the run's folder, which names the model in `model-index`.
        is_adapter: low-rank adapters, and no whole model.
    """
    dataset, recipe = str(manifest.config["dataset"]), _recipe_of(manifest)
    base = recipe.model.path
    data = _card_data(manifest, base, dataset, name, is_adapter)
    method = "These are low-rank adapters for" if is_adapter else "This is a fine-tuned copy of"
    values = {
        "front_matter": Markdown(f"{data.to_yaml()}\n"),
        "title": Markdown("A vision-language model trained with a visual perception reward"),
        "what": Markdown(
            f"{method} {code(base)}, trained by GRPO after Perception-R1 (arXiv "
            "2506.07218): beside the right answer, a completion is rewarded for saying what the "
            "picture shows, as far as a judge finds the picture's annotations in it."
        ),
        "usage": _usage(base if is_hub_id(manifest, base) else None, is_adapter),
        "training": bullets(_training(manifest, recipe)),
        "recipe": _recipe_table(recipe),
        "settings": _settings(recipe.grpo),
        "reward": _reward(recipe.reward),
        "data": bullets(_data(manifest, dataset)),
        "stages": stages_table(manifest),
        "evaluation": evaluation_section(manifest),
        "curves": Markdown(
            "\n\n".join(f"![{_title(one)}]({one})" for one in curves if _CURVE.fullmatch(one))
        ),
        "limits": bullets(_limits(manifest, recipe)),
        "versions": table(
            ("package", "version"), ((code(n), code(v)) for n, v in manifest.versions.items())
        ),
        "citation": citation(version_of(manifest)),
    }
    return fill(__package__, "model_card.md.j2", values)


def is_hub_id(manifest: Manifest, path: str) -> bool:
    """Whether the run took it from the hub: of what lay on the machine, it noted hashes."""
    own = PurePosixPath(path).name
    noted = {name.partition("/")[0] for name in manifest.parents}
    return own not in noted and re.fullmatch(r"[\w.-]+/[\w.-]+", path) is not None


def _recipe_of(manifest: Manifest) -> Recipe:
    stated = {name: value for name, value in manifest.config.items() if name != "dataset"}
    return Recipe.model_validate(stated)


def _card_data(
    manifest: Manifest, base: str, dataset: str, name: str, is_adapter: bool
) -> ModelCardData:
    known = known_model(base)
    more: dict[str, Any] = {}
    if is_hub_id(manifest, base):
        relation = "adapter" if is_adapter else "finetune"
        more |= {"base_model": base, "base_model_relation": relation}
    if known and known.license_name:
        more |= {"license_name": known.license_name, "license_link": known.url}
    results = eval_results(manifest, dataset)
    if results:
        more |= {"model_name": name, "eval_results": results}
    return ModelCardData(
        license=known.license if known else "unknown",
        library_name="peft" if is_adapter else "transformers",
        pipeline_tag="image-text-to-text",
        datasets=dataset if is_hub_id(manifest, dataset) else None,
        tags=TAGS,
        **more,
    )


def _usage(base: str | None, is_adapter: bool) -> Markdown:
    if is_adapter:
        text = (
            "from peft import PeftModel\n"
            "from transformers import AutoModelForImageTextToText, AutoProcessor\n\n"
            f'base = AutoModelForImageTextToText.from_pretrained("{base or "BASE"}")\n'
            'model = PeftModel.from_pretrained(base, "owner/name").merge_and_unload()\n'
        )
    else:
        text = (
            "from transformers import AutoModelForImageTextToText, AutoProcessor\n\n"
            'model = AutoModelForImageTextToText.from_pretrained("owner/name")\n'
        )
    text += 'processor = AutoProcessor.from_pretrained("owner/name")'
    return Markdown(
        "For questions about one picture that have a short answer, of the kind that it was trained "
        "on: it thinks aloud between `<think>` tags, and boxes its answer.\n\n"
        f"```python\n{text}\n```"
    )


def _training(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    model, known = recipe.model, known_model(recipe.model.path)
    revision = f", revision {code(model.revision)}" if model.revision else ""
    yield f"Base model: {code(model.path)}{revision}"
    if known:
        terms = known.license_name or known.license
        yield f"Its licence: {terms} ({known.url})" + (
            f": {known.statement}" if known.statement else ""
        )
    else:
        yield "Its licence: not known to pr1; it holds for this model, too"
    yield f"Command: {code(manifest.command, 1_000)}"
    yield f"Seed: {manifest.seed}"
    yield (
        f"Optimiser steps: {manifest.facts.get('steps', 0):,}; wall time "
        f"{_hours(manifest.wall_s)} in the last run"
    )
    judge = recipe.judge
    hybrid = ", after rules that decide what they decide safely" if judge.is_hybrid else ""
    yield f"Judge: {code(judge.model.name)}{hybrid}"
    usage = manifest.usage_in_all or manifest.usage
    if usage.requests:
        cost = "cost unknown" if usage.cost_usd is None else f"{usage.cost_usd:.2f} US dollars"
        tokens = usage.tokens_in + usage.tokens_out
        yield f"The judge answered {usage.requests:,} times: {tokens:,} tokens, {cost}"
    if recipe.lora:
        rank, alpha = recipe.lora.r, recipe.lora.alpha
        yield f"Only low-rank adapters were trained: rank {rank}, alpha {alpha:g}"
    else:
        yield f"The vision tower was {'frozen' if recipe.freeze_vision else 'trained, too'}"


def _recipe_table(recipe: Recipe) -> Markdown:
    rows = [
        ("training processes", recipe.processes),
        ("weights", code(recipe.model.dtype)),
        ("pixels of a picture", f"{recipe.pixels.min:,} to {recipe.pixels.max:,}"),
    ]
    return table(("recipe", "value"), rows)


def _settings(grpo: Mapping[str, Any]) -> Markdown:
    rows = [(code(name), code(str(value))) for name, value in grpo.items()]
    return table(("setting", "value"), rows) if rows else Markdown("")


def _reward(reward: RewardConfig) -> Markdown:
    rows = [(part, f"{getattr(reward, part):g}", what) for part, what in _PARTS.items()]
    return Markdown(
        table(("part", "weight", "what earns it"), rows) + "\n\nReflected annotations that one "
        f"contradicted annotation takes back: {reward.contradiction_penalty:g}."
    )


def _data(manifest: Manifest, dataset: str) -> Iterator[str]:
    counts = manifest.counts
    yield f"Training set: {code(dataset)}, {counts.rows:,} rows trained on"
    if held_out := counts.in_rows - counts.rows:
        yield f"{held_out:,} more rows of it were held out, and evaluated on"
    if left_out := counts.dropped + counts.failed:
        yield f"{left_out:,} rows could not be used"
    yield from parents(manifest.parents)


def _limits(manifest: Manifest, recipe: Recipe) -> Iterator[str]:
    if recipe.grpo.get("use_cpu"):
        yield "This run was on a CPU. Nothing of it was tried on a GPU."
    if not manifest.facts.get("evaluation"):
        yield "The run was not evaluated: that it is better than its base is not known."
    elif recipe.evaluation and not recipe.evaluation.dataset:
        yield (
            "The problems evaluated on are held out of the training set: they measure what was "
            "learnt of this kind of problem, and nothing else."
        )
    if recipe.judge.model.name == "rules":
        yield (
            "The judge was a set of rules, which read short facts well and free wording badly; the "
            "model may have learnt to write for them."
        )
    else:
        yield (
            "The judge was a language model, which can be fooled; `pr1 judge --calibrate` measures "
            "how well one agrees with labels."
        )
    yield (
        "The annotations that it was rewarded for were extracted by a program from texts that "
        "models wrote; some are wrong."
    )


def _title(curve: str) -> str:
    return PurePosixPath(curve).stem.replace("_", " ")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.1f} minutes"
