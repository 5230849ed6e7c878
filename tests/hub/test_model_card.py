"""The card of a trained model: what the manifest knows, in YAML that the hub's classes read."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard import metadata_load
from published_sets import train_manifest, trained_model

from pr1.hub import write
from pr1.hub.model_card import render_model_card
from pr1.schemas.manifest import Manifest

HOSTILE = "</td><script>alert(1)</script> | `x` \n---\nlicense: mit\n# [a](https://evil.example)"


def card(manifest: Manifest | None = None, *, is_adapter: bool = False, **changes: Any) -> str:
    manifest = manifest or train_manifest()
    if changes:
        manifest = manifest.model_copy(update={"config": manifest.config | changes})
    return render_model_card(manifest, ["curves/reward.png"], name="run", is_adapter=is_adapter)


def test_the_hubs_own_classes_read_the_front_matter(tmp_path) -> None:
    write(trained_model(tmp_path / "RUN"), tmp_path / "to")
    fields = metadata_load(tmp_path / "to" / "README.md")
    assert fields is not None
    assert fields["base_model"] == "Qwen/Qwen2.5-VL-7B-Instruct"
    data = ModelCard.load(tmp_path / "to" / "README.md").data
    assert data.library_name == "transformers"
    assert data.base_model == "Qwen/Qwen2.5-VL-7B-Instruct"
    assert data.to_dict()["base_model_relation"] == "finetune"
    assert data.datasets == "lab/bars"
    assert data.pipeline_tag == "image-text-to-text"
    assert data.license == "apache-2.0"
    assert {"pr1", "perception-r1", "grpo"} <= set(data.tags)
    results = {it.metric_type: it for it in data.eval_results}
    assert results["accuracy"].metric_value == 0.5
    assert results["perception"].metric_value == 0.8
    assert results["accuracy"].dataset_type == "lab/bars"


def test_it_tells_what_the_manifest_knows() -> None:
    text = card()
    for line in (
        "- Base model: `Qwen/Qwen2.5-VL-7B-Instruct`, revision `main`",
        "- Its licence: apache-2.0 (https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct)",
        "- Command: `pr1 train bars`",
        "- Seed: 7",
        "- Optimiser steps: 250; wall time 2.0 hours in the last run",
        "- Judge: `vllm/judge`",
        "- The judge answered 5,000 times: 901,000 tokens, 2.50 US dollars",
        "| `learning_rate` | `1e-06` |",
        "| visual | 0.7 |",
        "- Training set: `lab/bars`, 1,000 rows trained on",
        "- 100 more rows of it were held out",
        "| 0 | 100 | 40.0% | 50.0% | 20.0% |",
        "| 250 | 100 | 50.0% | 80.0% | 60.0% |",
        "![reward](curves/reward.png)",
        "| `trl` | `1.16.0` |",
        "arXiv 2506.07218",
        "@software{pr1,",
    ):
        assert line in text
    assert "\n\n\n" not in text


def test_the_test_is_told_in_words() -> None:
    assert (
        "Of 100 problems, 40 were answered right before training and 50 after it: 15 gained, 5 "
        "lost; McNemar's exact test, two-sided: p = 0.041: an improvement."
    ) in card()


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"gained": 5, "lost": 15, "after": 30}, "a deterioration."),
        ({"p_value": 0.3}, "no difference was shown, which is no proof that there is none."),
    ],
)
def test_the_words_follow_the_figures(changes: dict[str, Any], verdict: str) -> None:
    facts = train_manifest().facts
    compared = {"accuracy": facts["against_the_starting_model"]["accuracy"] | changes}
    manifest = train_manifest(facts=facts | {"against_the_starting_model": compared})
    assert verdict in card(manifest)


def test_a_base_model_that_lay_on_the_machine_is_no_link() -> None:
    manifest = train_manifest(parents={"base/config.json": "a" * 64, "bars/data/x": "b" * 64})
    text = card(
        manifest, model=manifest.config["model"] | {"path": "models/base"}, dataset="x/bars"
    )
    data = ModelCard(text).data
    assert (data.base_model, data.datasets, data.license) == (None, None, "unknown")
    assert f"- Made from `base/config.json`: sha256 `{'a' * 64}`" in text
    assert "not known to pr1; it holds for this model, too" in text


def test_a_licence_that_the_hub_has_no_name_for() -> None:
    model = train_manifest().config["model"] | {"path": "Qwen/Qwen2.5-VL-3B-Instruct"}
    data = ModelCard(card(model=model)).data
    assert (data.license, data.license_name) == ("other", "qwen-research")
    assert data.license_link.startswith("https://huggingface.co/Qwen/")
    assert "for research only" in card(model=model)


def test_an_adapter_says_what_it_belongs_to() -> None:
    lora = {"r": 16, "alpha": 32.0, "dropout": 0.0, "target_modules": "all-linear"}
    text = card(is_adapter=True, lora=lora)
    data = ModelCard(text).data
    assert data.library_name == "peft"
    assert data.to_dict()["base_model_relation"] == "adapter"
    assert "PeftModel.from_pretrained" in text
    assert "rank 16, alpha 32" in text


def test_what_was_not_tried_is_said() -> None:
    config = train_manifest().config
    assert "on a CPU. Nothing of it was tried on a GPU" in card(grpo={"use_cpu": True})
    assert "on a CPU" not in card()
    assert "set of rules" in card(judge=config["judge"] | {"model": {"name": "rules"}})
    nothing = card(train_manifest(facts={"steps": 3}), evaluation=None)
    assert "The run evaluated nothing." in nothing
    assert "that it is better than its base is not known" in nothing
    assert ModelCard(nothing).data.eval_results is None


def test_the_stages_behind_it_are_listed() -> None:
    stage = train_manifest(
        stage="annotate",
        command="pr1 annotate bars.jsonl",
        config={"model": {"name": "openai/gpt", "revision": None}},
        prompts={"extract": "e" * 64},
    )
    text = card(train_manifest(history=[stage]))
    assert "| `annotate` | `pr1 annotate bars.jsonl` | `openai/gpt` |" in text
    assert f"- Prompt `extract` of `annotate`: sha256 `{'e' * 64}`" in text


def test_hostile_names_stay_inert() -> None:
    config = train_manifest().config
    text = card(
        train_manifest(
            command=HOSTILE,
            parents={HOSTILE: "a"},
            versions={HOSTILE: HOSTILE},
            history=[train_manifest(command=HOSTILE, config={"model": {"name": HOSTILE}})],
        ),
        dataset=HOSTILE,
        model=config["model"] | {"path": HOSTILE, "revision": HOSTILE},
        judge=config["judge"] | {"model": {"name": HOSTILE}},
        grpo={HOSTILE: HOSTILE},
    )
    assert ModelCard(text).data.license == "unknown"
    _, _, body = text.split("---\n", 2)
    shown = [line for line in body.splitlines() if "script" in line]
    assert len(shown) >= 8
    for line in shown:
        spans = line.split("`")
        assert len(spans) % 2 == 1
        assert all("script" not in outside for outside in spans[::2])
    assert "\n# [a]" not in body
