"""The dataset card: README.md with the front matter that the hub and `datasets` read.

The card's facts come from the manifest and from the rows. Whatever text the data brought (a
source's name, say) is shown as a code span, in which Markdown and HTML mean nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from ..schemas.manifest import Manifest
from .licenses import hub_license
from .markdown import code, table
from .paired_card import paired_section
from .tally import RowTally

_TITLES = {
    "collect": "Trajectories of multimodal problems",
    "annotate": "Visual annotations of multimodal problems",
    "filter": "Multimodal problems with visual annotations, for training",
    "judge": "Completions judged by visual annotations",
}
_WHAT = {
    "collect": "Multimodal problems with chain-of-thought trajectories that a model wrote, each "
    "compared with the reference answer. A row is a problem; its trajectories are inside it.",
    "annotate": "Multimodal problems with chain-of-thought trajectories, and the **visual "
    "annotations** extracted from them: short facts that can be read off the picture, each with "
    "the words of the trajectory that state it. A row is a problem; what was proposed and did not "
    "pass validation is kept in `rejected`.",
    "filter": "Multimodal problems with **visual annotations**: short facts that can be read off "
    "the picture. During reinforcement learning a judge says which of them a completion reflects; "
    "their share is the visual perception reward. A row is a problem.",
    "judge": "Completions that a model wrote for multimodal problems, each with a judge's verdict "
    "on every **visual annotation** asked of it (reflected, absent or contradicted) and the parts "
    "of the reward that follow. A row is a completion; it holds no picture.",
}
_LIMITS = {
    "collect": (
        "The trajectories were written by models and may be wrong, even where the answer is right.",
    ),
    "annotate": (
        "The annotations were extracted by a program from texts that models wrote; nobody has "
        "read them all. A trajectory may misread the picture and still reach the right answer.",
        "`support` counts trajectories that agree, which is evidence and no proof.",
    ),
    "filter": (
        "The annotations were extracted by a program from texts that models wrote; nobody has "
        "read them all. A trajectory may misread the picture and still reach the right answer.",
        "Pictures are compared by a hash of 64 bits: two that differ in small print only count as "
        "the same, and a heavily cropped copy is not recognised.",
    ),
    "judge": (
        "The verdicts are a program's or a model's; `pr1 judge --calibrate` measures how well they "
        "agree with labels.",
        "A verdict says what the completion states, not whether it is true.",
    ),
}
_CITATION = """\
```bibtex
@misc{xiao2025perceptionr1,
  title         = {Perception-R1: Advancing Multimodal Reasoning Capabilities of MLLMs
                   via Visual Perception Reward},
  author        = {Tong Xiao and Xin Xu and Zhenya Huang and Hongyu Gao and Quan Liu and Qi Liu
                   and Enhong Chen},
  year          = {2025},
  eprint        = {2506.07218},
  archivePrefix = {arXiv}
}
```"""
_SIZES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
]


def render_card(manifest: Manifest, tally: RowTally, name: str, rows: str) -> str:
    """The card's text: front matter and Markdown.

    Args:
        manifest: of the run.
        tally: of the rows written.
        name: the folder's name, for the loading example.
        rows: pattern of the row files. `datasets` caches a local folder by what the front matter
            says, so the pattern must be another one for other rows.
    """
    sections = [
        f"# {_TITLES[manifest.stage]}",
        f"{_WHAT[manifest.stage]} {tally.rows:,} rows, made by "
        f"pr1 {manifest.versions.get('pr1', '')} after Perception-R1 (arXiv 2506.07218).",
        _loading(name, manifest.stage),
        _making(manifest),
        _counts(manifest),
        _facts({name: value for name, value in manifest.facts.items() if name != "paired"}),
        paired_section(manifest),
        _annotations(tally),
        _trajectories(tally),
        _sources(tally),
        _limits(manifest, tally),
        f"## Citation\n\n{_CITATION}\n\nMade with `pr1`; `manifest.json` says with which version.",
    ]
    return (
        _front_matter(manifest, tally, rows) + "\n\n".join(part for part in sections if part) + "\n"
    )


def _front_matter(manifest: Manifest, tally: RowTally, rows: str) -> str:
    terms = hub_license(terms for _, terms in tally.sources)
    size = next((label for bound, label in _SIZES if tally.rows < bound), "n>10M")
    fields: dict[str, Any] = {
        "pretty_name": _TITLES[manifest.stage],
        "license": terms.identifiers[0] if len(terms.identifiers) == 1 else terms.identifiers,
    }
    if terms.other_names:
        fields["license_name"] = "-and-".join(terms.other_names)[:90]
    fields |= {
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "tags": ["pr1", "perception-r1", "multimodal-reasoning", "visual-annotations"],
        "annotations_creators": ["machine-generated"],
        "size_categories": [size],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": rows}],
            }
        ],
    }
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---\n\n"


def _loading(name: str, stage: str) -> str:
    safe = "".join(c for c in name if c.isalnum() or c in "-_. ") or "OUT"
    first = (
        'rows[0]["judgement"]["verdicts"]'
        if stage == "judge"
        else 'rows[0]["images"][0]  # a decoded picture'
    )
    return (
        "## Load it\n\n```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("{safe}", split="train")  # this folder, or its name on the hub\n'
        f"{first}\n```\n\n"
        "The columns `metadata` and `sampling`, where there are any, hold JSON text."
    )


def _making(manifest: Manifest) -> str:
    config = manifest.config
    lines = [f"- Command: {code(manifest.command, 1_000)}", f"- Seed: {manifest.seed}"]
    if model := config.get("model"):
        lines.append(f"- Model: {_named(model)}")
    if policy := config.get("policy"):
        lines.append(f"- Policy: {_named(policy['model'])}, as the paired difficulty pass says")
    lines += [f"- Prompt {code(name)}: sha256 `{sha}`" for name, sha in manifest.prompts.items()]
    parents = list(manifest.parents.items())
    lines += [f"- Made from {code(name)}: sha256 `{sha}`" for name, sha in parents[:10]]
    if len(parents) > 10:
        lines.append(f"- and from {len(parents) - 10:,} more files, which `manifest.json` names")
    usage = manifest.usage
    if usage.requests:
        cost = "" if usage.cost_usd is None else f", {usage.cost_usd:.2f} US dollars"
        lines.append(
            f"- Requests: {usage.requests:,}; tokens in {usage.tokens_in:,}, out "
            f"{usage.tokens_out:,}{cost}"
        )
    return "## How it was made\n\n" + "\n".join(lines)


def _named(model: Mapping[str, Any]) -> str:
    revision = f", revision {code(model['revision'])}" if model.get("revision") else ""
    return f"{code(model['name'])}{revision}"


def _counts(manifest: Manifest) -> str:
    counts = manifest.counts
    rows: list[tuple[str, object]] = [
        ("read", counts.read),
        (f"in the {counts.rows:,} rows", counts.in_rows),
        *((f"dropped: {code(why)}", count) for why, count in counts.dropped_by_reason.items()),
        *((f"failed: {code(why)}", count) for why, count in counts.failed_by_error.items()),
    ]
    text = "## Counts\n\n" + table(("input records", "number"), rows)
    if counts.rejected_by_reason:
        rejected = ((code(why), count) for why, count in counts.rejected_by_reason.items())
        text += "\n\n" + table(("proposed annotation rejected", "number"), rejected)
    return text


def _facts(facts: Mapping[str, Any]) -> str:
    plain = [(name, value) for name, value in facts.items() if not isinstance(value, Mapping)]
    tables = [(name, value) for name, value in facts.items() if isinstance(value, Mapping)]
    parts = []
    if plain:
        rows = ((name.replace("_", " "), _shown(value)) for name, value in plain)
        parts.append(table(("figure", "value"), rows))
    for name, values in tables:
        rows = ((code(str(key)), _shown(value)) for key, value in values.items())
        parts.append(table((name.replace("_", " "), "value"), rows))
    return "## Figures of this stage\n\n" + "\n\n".join(parts) if parts else ""


def _annotations(tally: RowTally) -> str:
    if not tally.kinds:
        return ""
    parts = [table(("kind", "annotations"), tally.kinds.most_common())]
    if tally.support:
        parts.append(table(("trajectories that state it", "annotations"), _sorted(tally.support)))
        parts.append(
            f"{tally.in_question:,} are stated in the question, too (`in_question`); "
            f"{tally.equals_answer:,} are the answer itself (`equals_answer`)."
        )
    parts.append(table(("annotations in a row", "rows"), _sorted(tally.annotations_per_row)))
    return "## Visual annotations\n\n" + "\n\n".join(parts)


def _trajectories(tally: RowTally) -> str:
    if not tally.trajectory_models:
        return ""
    models = (
        ("(not stated)" if model is None else code(model), count)
        for model, count in tally.trajectory_models.most_common(50)
    )
    return (
        "## Trajectories\n\n"
        + table(("written by", "trajectories"), models)
        + f"\n\nAnswer right: {tally.correct:,}; wrong: {tally.wrong:,}; "
        f"not compared: {tally.unscored:,}."
    )


def _sources(tally: RowTally) -> str:
    if not tally.sources:
        return ""
    rows = (
        (
            "(not stated)" if source is None else code(source),
            "(not stated)" if terms is None else code(terms),
            count,
        )
        for (source, terms), count in tally.sources.most_common(200)
    )
    return (
        "## Sources and their licences\n\nAs the rows state them; nobody has checked them.\n\n"
        + table(("source", "licence", "rows"), rows)
    )


def _limits(manifest: Manifest, tally: RowTally) -> str:
    limits = list(_LIMITS[manifest.stage])
    # A training row no longer says where its answer came from; its stage counted it.
    self_answered = tally.self_answered or manifest.facts.get("self_answered", 0)
    if self_answered:
        limits.append(
            f"{self_answered:,} of {tally.rows:,} rows took their reference answer from the "
            "trajectory itself (`answer_origin` is `self`): that it is right proves nothing there."
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _shown(value: object) -> str:
    return (
        f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else code(str(value))
    )


def _sorted(counts: Counter[int]) -> list[tuple[int, int]]:
    return sorted(counts.items())
