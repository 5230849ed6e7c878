"""Sources whose terms forbid to publish are refused, unless they are allowed by name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub
from huggingface_hub import DatasetCard
from published_sets import train_manifest, train_row, train_set, trained_model

from pr1.hub import SourceUse, push
from pr1.outputs.rows import read_manifest
from pr1.outputs.sources import known_dataset, known_model, source_terms
from pr1.schemas.errors import UsageError
from pr1.schemas.manifest import Manifest


def uses(folder: Path, **options: Any) -> list[SourceUse]:
    return push(folder, "lab/set", dry_run=True, **options).plan.sources


@pytest.mark.parametrize(
    ("source", "license_", "reason"),
    [
        ("MathVista", None, "prohibited"),
        ("AI4Math/MathVista", "CC BY-SA 4.0", "prohibited"),
        ("mathvista_MINI", None, "prohibited"),
        ("VisIT-Bench", None, "not as a training set"),
        ("my figures", "CC BY-ND 4.0", "no derivatives"),
        ("my figures", "cc-by-nc-nd-4.0", "no derivatives"),
        ("my figures", "CC BY-SA 4.0; training on it is prohibited", "exclude training"),
        (None, "not for training", "exclude training"),
        ("it's\x1b[2J\nmine; rm -rf x", "CC BY-ND 4.0", "no derivatives"),
        (None, "May not be used to train models", "exclude training"),
    ],
)
def test_what_forbids_it_is_refused_with_the_reason(
    hub: FakeHub, tmp_path: Path, source: str | None, license_: str | None, reason: str
) -> None:
    rows = [train_row(0), train_row(1, source=source, license=license_)]
    folder = train_set(tmp_path / "OUT", *rows)
    name = " ".join(re.sub(r"[\x00-\x1f]", " ", source or "(not stated)").split())
    with pytest.raises(UsageError, match=f"{reason}.*--allow-source") as error:
        push(folder, "lab/set")
    assert repr(name) in str(error.value)
    assert shlex.split(str(error.value).rpartition("give ")[2].rstrip("."))[1] == name
    assert "\n" not in str(error.value)
    assert hub.requests == []
    assert [use.rows for use in uses(folder, allow_sources=[name.upper()])] == [1, 1]


def test_a_source_is_allowed_by_the_name_that_it_is_known_by(tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT", train_row(source="AI4Math/MathVista"))
    assert uses(folder, allow_sources=["MathVista"]) == uses(
        folder, allow_sources=["AI4Math/MathVista"]
    )


def test_an_allowed_name_that_is_no_source_is_a_slip(tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    with pytest.raises(UsageError, match="'mathvista' is none of the sources: own bars"):
        uses(folder, allow_sources=["MathVista"])


@pytest.mark.parametrize(
    ("source", "license_", "warning"),
    [
        ("We-Math", None, "not for commercial use (cc-by-nc-4.0)"),
        ("figures", "CC BY-NC-SA 4.0", "not for commercial use (cc-by-nc-sa-4.0)"),
        ("figures", None, "no licence is stated or known: ask its authors"),
        ("MathLLMs/MathVision", None, "its authors ask that it serve evaluation"),
        ("figures", "MIT", ""),
    ],
)
def test_what_one_should_know_is_shown_and_stops_nothing(
    tmp_path: Path, source: str, license_: str | None, warning: str
) -> None:
    folder = train_set(tmp_path / "OUT", train_row(source=source, license=license_))
    (use,) = uses(folder)
    assert use.refusal == ""
    assert use.warning.startswith(warning)
    assert bool(use.warning) == bool(warning)
    if warning:
        assert warning in (folder / "README.md").read_text()


def test_a_known_licence_is_the_cards_where_the_rows_state_none(tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT", train_row(source="We-Math", license=None))
    assert DatasetCard.load(folder / "README.md").data.license == "cc-by-nc-4.0"
    assert push(folder, "lab/set", dry_run=True).plan.license == ["cc-by-nc-4.0"]


def read_from(path: str) -> Manifest:
    return train_manifest(stage="annotate", config={"source": {"path": path}}, facts={})


@pytest.mark.parametrize("make", ["set", "model"])
def test_what_an_earlier_stage_read_counts_too(tmp_path: Path, make: str) -> None:
    history = [read_from("AI4Math/MathVista")]
    if make == "set":
        folder = train_set(tmp_path / "OUT", train_row(source=None), history=history)
        assert read_manifest(folder).history == history
    else:
        folder = trained_model(tmp_path / "RUN", train_manifest(history=history))
    with pytest.raises(UsageError, match=r"terms of 'MathVista' forbid it.*--allow-source MathV"):
        uses(folder)
    assert uses(folder, allow_sources=["MathVista"])[-1].rows is None


def test_a_set_that_was_only_compared_with_is_no_source(tmp_path: Path) -> None:
    manifest = train_manifest()
    evaluation = {"rows": 8, "every": 5, "dataset": "AI4Math/MathVista"}
    changed = manifest.model_copy(update={"config": manifest.config | {"evaluation": evaluation}})
    assert uses(trained_model(tmp_path / "RUN", changed)) == []


def test_a_name_is_known_by_its_words_and_not_by_its_letters() -> None:
    assert known_dataset("hiyouga/geometry3k") == known_dataset("Geometry3K (train)")
    assert known_dataset("MathVistaLike") is None
    assert known_dataset("") is None
    qwen = known_model("Qwen/Qwen2.5-VL-3B-Instruct")
    assert qwen is not None
    assert (qwen.license, qwen.license_name) == ("other", "qwen-research")
    assert known_model("Qwen/Qwen2.5-VL-30B-Instruct") is None


def test_every_statement_names_the_page_that_makes_it() -> None:
    for name in ("MathVista", "VisIT-Bench", "We-Math", "geometry3k", "MathVerse"):
        assert (source_terms(name, None).url or "").startswith("https://")
