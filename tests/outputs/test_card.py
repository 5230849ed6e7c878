from __future__ import annotations

from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st

from pr1.outputs.card import render_card
from pr1.outputs.licenses import hub_license
from pr1.outputs.markdown import code
from pr1.outputs.tally import RowTally
from pr1.schemas.manifest import Counts, Manifest, Usage
from pr1.schemas.records import AnnotatedProblem, TrainRow, Trajectory, VisualAnnotation

HOSTILE = "</td><script>alert(1)</script> | `x` \n---\nlicense: mit\n# [a](https://evil.example)"

ROWS = "data/train-*-0a1b2c3d.parquet"


def manifest(**changes: Any) -> Manifest:
    counts = Counts(
        read=1_234,
        in_rows=1_230,
        dropped=3,
        failed=1,
        rows=700,
        dropped_by_reason={"no_image": 3},
        failed_by_error={"unreadable_image": 1},
        rejected_by_reason={"deduction": 9},
    )
    values: dict[str, Any] = {
        "stage": "annotate",
        "command": "pr1 annotate a.jsonl",
        "config": {"model": {"name": "vllm/qwen", "revision": None}},
        "identity_hash": "a",
        "execution_hash": "b",
        "parents": {"a.jsonl": "c" * 64},
        "prompts": {"extract": "d" * 64},
        "seed": 0,
        "versions": {"pr1": "0.1.0"},
        "counts": counts,
        "usage": Usage(requests=5, tokens_in=1_000, cost_usd=0.5),
        "started_at": "2026-01-01T00:00:00+00:00",
        "wall_s": 1.0,
    }
    return Manifest(**values | changes)


def annotated(**changes: Any) -> AnnotatedProblem:
    fact = VisualAnnotation(
        id=1,
        statement="AB = 3",
        kind="length",
        quote="AB = 3",
        trajectory_id="t",
        start=0,
        end=6,
        support=2,
        equals_answer=True,
        extractor="rules",
    )
    values: dict[str, Any] = {
        "id": "p",
        "question": "q",
        "answer": "3",
        "source": "geo",
        "license": "MIT",
        "trajectories": [
            Trajectory(id="t", problem_id="p", text="AB = 3", model="m", is_correct=True)
        ],
        "annotations": [fact],
    }
    return AnnotatedProblem(**values | changes)


def card_of(*rows: AnnotatedProblem | TrainRow, **changes: Any) -> str:
    tally = RowTally()
    for row in rows:
        tally.add(row)
    return render_card(manifest(**changes), tally, "OUT", ROWS)


def test_the_card_tells_what_the_rows_and_the_manifest_tell() -> None:
    text = card_of(annotated(), annotated(answer_origin="self", license=None))
    for line in (
        "| read | 1,234 |",
        "| dropped: `no_image` | 3 |",
        "| failed: `unreadable_image` | 1 |",
        "| `deduction` | 9 |",
        "| length | 2 |",
        "| 2 | 2 |",
        "| `geo` | `MIT` |  | 1 |",
        "| `geo` | (not stated) | no licence is stated or known: ask its authors | 1 |",
        "| `m` | 2 |",
        "- Model: `vllm/qwen`",
        f"- Prompt `extract`: sha256 `{'d' * 64}`",
        f"- Made from `a.jsonl`: sha256 `{'c' * 64}`",
        "- Requests: 5; tokens in 1,000, out 0, 0.50 US dollars",
        "Answer right: 2; wrong: 0; not compared: 0.",
        "2 are the answer itself",
        "arXiv 2506.07218",
        'load_dataset("OUT", split="train")',
    ):
        assert line in text
    assert "1 of 2 rows took their reference answer from the trajectory" in text


def test_it_tells_the_stages_behind_it() -> None:
    behind = manifest(
        stage="collect",
        command="pr1 collect a.jsonl",
        config={"model": {"name": "openai/eye", "revision": "2026-01"}},
        usage_in_all=Usage(requests=9, tokens_in=90, tokens_out=10, cost_usd=1.5),
        prompts={"collect": "e" * 64},
    )
    text = card_of(annotated(), history=[behind])
    assert (
        "| `collect` | `pr1 collect a.jsonl` | `openai/eye`, revision `2026-01` | 1,234 | 700 | 9; "
        "tokens in 90, out 10, 1.50 US dollars | 0.1.0 |"
    ) in text
    assert f"- Prompt `collect` of `collect`: sha256 `{'e' * 64}`" in text
    assert "The stages behind it" not in card_of(annotated())


def test_it_tells_what_it_is_for_and_how_to_cite_it() -> None:
    text = card_of(annotated())
    for heading in ("Intended use", "How it was made", "Counts", "Limits", "Citation"):
        assert f"\n## {heading}\n\n" in text
    assert "Out of scope:\n\n- As a gold standard" in text
    assert "\n\n\n" not in text
    assert "eprint        = {2506.07218}" in text
    assert "version = {0.1.0}" in text


def test_terms_that_are_known_stand_beside_those_that_are_stated() -> None:
    rows = [annotated(source="We-Math", license=None), annotated(source="MathVista")]
    text = card_of(*rows)
    assert "| `We-Math` | (not stated) | cc-by-nc-4.0; not for commercial use" in text
    assert "using it as a training set is prohibited (https://huggingface.co/datasets/AI4M" in text
    assert DatasetCard(text).data.license == ["cc-by-nc-4.0", "mit"]


@pytest.mark.parametrize("stage", ["collect", "annotate", "filter", "judge"])
def test_the_hub_accepts_the_front_matter(stage: str) -> None:
    card = DatasetCard(card_of(annotated(), annotated(license="odd terms"), stage=stage))
    assert card.data.license == ["mit", "other"]
    assert card.data.to_dict()["license_name"] == "odd-terms"
    assert card.data.size_categories == ["n<1K"]
    assert card.data.configs[0]["data_files"][0]["path"] == ROWS


def test_a_card_without_rows() -> None:
    text = card_of(stage="filter", parents={}, prompts={}, config={}, usage=Usage())
    assert DatasetCard(text).data.license == "unknown"
    assert "0 rows" in text


def test_a_training_row_is_counted_without_support() -> None:
    row = TrainRow(
        id="p",
        question="q",
        answer="3",
        images=[],
        annotations=[{"id": 1, "statement": "s", "kind": "colour"}],
        source="geo",
    )
    text = card_of(row, stage="filter", facts={"strata": {"geo | colour": 1}, "seeded": True})
    assert "| colour | 1 |" in text
    assert "| `geo ¦ colour` | 1 |" in text
    assert "| seeded | `True` |" in text


def test_hostile_names_stay_inert() -> None:
    rows = [
        annotated(
            source=HOSTILE,
            license=HOSTILE,
            trajectories=[Trajectory(id="t", problem_id="p", text="x", model=HOSTILE)],
        )
    ]
    text = card_of(
        *rows,
        config={"model": {"name": HOSTILE}},
        facts={"x": HOSTILE, "y": {HOSTILE: 1}},
        parents={HOSTILE: "a"},
        prompts={HOSTILE: "a"},
        versions={"pr1": HOSTILE},
        history=[manifest(command=HOSTILE, config={"policy": {"model": {"name": HOSTILE}}})],
    )
    shown = [line for line in text.splitlines() if "script" in line and "license_name" not in line]
    assert len(shown) >= 4
    for line in shown:
        spans = line.split("`")
        assert len(spans) % 2 == 1
        assert all("script" not in outside for outside in spans[::2])
    assert text.count("\n---\n") == 1
    data = DatasetCard(text).data
    assert data.license == "other"
    assert data.to_dict()["license_name"].isascii()
    cells = next(line for line in shown if line.startswith("| `") and line.endswith("| 1 |"))
    assert cells.count("|") in {3, 4}


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_one_code_span_in_one_cell(text: str) -> None:
    span = code(text)
    assert span == "(empty)" or (span[0] == span[-1] == "`" and span.count("`") == 2)
    assert "|" not in span
    assert len(span.splitlines()) == 1
    assert len(span) <= 203


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8")), max_size=4))
def test_any_stated_licence_gives_a_front_matter_that_yaml_reads(stated: list[str | None]) -> None:
    terms = hub_license(stated)
    assert terms.identifiers
    assert ("other" in terms.identifiers) == bool(terms.other_names)
    assert yaml.safe_load(yaml.safe_dump(terms._asdict()))["other_names"] == terms.other_names


@pytest.mark.parametrize(
    ("stated", "identifier"),
    [
        ("MIT", "mit"),
        ("mit license", "mit"),
        ("The MIT License", "mit"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("Apache-2.0", "apache-2.0"),
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0"),
        ("cc_by_4.0", "cc-by-4.0"),
        ("CC0", "cc0-1.0"),
        ("GPL-3.0", "gpl-3.0"),
        ("GPLv3", "gpl-3.0"),
        ("", "unknown"),
        (None, "unknown"),
        ("Unknown", "unknown"),
        ("CC BY-SA 4.0; training on it is prohibited", "other"),
        ("no licence file", "other"),
        ("仅供研究", "other"),
    ],
)
def test_licences_as_people_write_them(stated: str | None, identifier: str) -> None:
    assert hub_license([stated]).identifiers == [identifier]
