"""The sections of a card on what a folder came from: commands, models, prompts, costs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..schemas.manifest import Manifest, Usage
from .markdown import Markdown, bullets, code, table

MOST_PARENTS = 10


def making(manifest: Manifest) -> Markdown:
    """How the folder itself was made: command, seed, models, prompts, parents, cost."""
    return bullets(_making(manifest))


def stages_table(manifest: Manifest) -> Markdown:
    """The stages behind the folder, the oldest first; empty where pr1 made none of them."""
    rows = [
        (
            f"`{stage.stage}`",
            code(stage.command, 300),
            ", ".join(_model(model) for model in models_of(stage)) or "none",
            stage.counts.read,
            stage.counts.rows,
            _spent(stage.usage_in_all or stage.usage),
            version_of(stage),
        )
        for stage in manifest.history
    ]
    if not rows:
        return Markdown("")
    head = ("stage", "command", "models", "records read", "rows", "requests", "pr1")
    prompts = [
        f"Prompt {code(name)} of `{stage.stage}`: sha256 `{sha}`"
        for stage in manifest.history
        for name, sha in stage.prompts.items()
    ]
    return Markdown(table(head, rows) + ("\n\n" + bullets(prompts) if prompts else ""))


def version_of(manifest: Manifest) -> Markdown:
    """The version of pr1 that made it; empty where the manifest states none."""
    version = manifest.versions.get("pr1", "")
    return Markdown(version if re.fullmatch(r"[\w.+-]{1,40}", version) else "")


def models_of(manifest: Manifest) -> list[Mapping[str, Any]]:
    """The models that a stage asked, as its configuration names them."""
    config = manifest.config
    found = [config.get("model"), config.get("extractor")]
    found += [(config.get(role) or {}).get("model") for role in ("policy", "judge")]
    return [one for one in found if isinstance(one, Mapping) and one.get("name")]


def _making(manifest: Manifest) -> Iterator[str]:
    config = manifest.config
    yield f"Command: {code(manifest.command, 1_000)}"
    yield f"Seed: {manifest.seed}"
    if model := config.get("model"):
        yield f"Model: {_model(model)}"
    if policy := config.get("policy"):
        yield f"Policy: {_model(policy['model'])}, as the paired difficulty pass says"
    if judge := config.get("judge"):
        yield f"Judge: {_model(judge['model'])}"
    for name, sha in manifest.prompts.items():
        yield f"Prompt {code(name)}: sha256 `{sha}`"
    yield from parents(manifest.parents)
    if manifest.usage.requests:
        yield f"Requests: {_spent(manifest.usage)}"


def parents(hashes: Mapping[str, str]) -> Iterator[str]:
    """A line for each file that a folder was made from; the last stands for those left out."""
    listed = list(hashes.items())
    for name, sha in listed[:MOST_PARENTS]:
        yield f"Made from {code(name)}: sha256 `{sha}`"
    if len(listed) > MOST_PARENTS:
        yield f"and from {len(listed) - MOST_PARENTS:,} more files, which `manifest.json` names"


def _model(model: Mapping[str, Any]) -> str:
    revision = f", revision {code(model['revision'])}" if model.get("revision") else ""
    return f"{code(str(model['name']))}{revision}"


def _spent(usage: Usage) -> str:
    if not usage.requests:
        return "none"
    cost = "" if usage.cost_usd is None else f", {usage.cost_usd:.2f} US dollars"
    return f"{usage.requests:,}; tokens in {usage.tokens_in:,}, out {usage.tokens_out:,}{cost}"
