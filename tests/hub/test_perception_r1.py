"""The layout of Perception-R1's authors: their columns, read back by ours and by `datasets`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from annotated_sets import annotated, fact, problem
from datasets import load_dataset
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st
from published_sets import picture, train_row, train_set, trained_model

from pr1.annotate.source.formats import read_visual_key_info
from pr1.hub import push, write
from pr1.hub.perception_r1 import as_perception_r1, key_info, problem_text
from pr1.outputs.rows import read_rows
from pr1.schemas.errors import UsageError
from pr1.schemas.records import AnnotatedProblem, TrainAnnotation, TrainRow


def facts(*statements: str) -> list[TrainAnnotation]:
    return [
        TrainAnnotation(id=number, statement=text, kind="value")
        for number, text in enumerate(statements, 1)
    ]


def exported(tmp_path: Path, *rows: TrainRow) -> Path:
    folder = train_set(tmp_path / "OUT", *rows)
    write(folder, tmp_path / "to", layout="perception-r1")
    return tmp_path / "to"


def columns(folder: Path) -> dict[str, list[Any]]:
    (shard,) = (folder / "data").glob("train-*.parquet")
    return pq.read_table(shard).to_pydict()


def test_the_columns_are_the_authors(tmp_path: Path) -> None:
    rows = columns(
        exported(
            tmp_path,
            train_row(annotations=facts("GE = 10", "AB is red")),
            train_row(1, annotations=[], images=[picture(), picture("blue")]),
            train_row(2, question="Which?", choices=["red", "blue"], answer="B"),
        )
    )
    assert list(rows) == ["images", "problem", "answer", "visual_key_info"]
    assert rows["visual_key_info"] == [
        "<info1>GE = 10</info1>\n<info2>AB is red</info2>",
        None,
        "<info1>bar 2 is 3</info1>",
    ]
    assert rows["problem"] == [
        "<image>How high is bar 0?",
        "<image><image>How high is bar 1?",
        "<image>Which?\nChoices:\nA. red\nB. blue",
    ]
    assert rows["answer"] == ["3", "3", "B"]
    for images, text in zip(rows["images"], rows["problem"], strict=True):
        assert text.count("<image>") == len(images)


def test_datasets_opens_it_and_the_hub_reads_its_card(tmp_path: Path) -> None:
    folder = exported(tmp_path, train_row(0), train_row(1))
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.column_names == ["images", "problem", "answer", "visual_key_info"]
    assert rows[1]["images"][0].size == (32, 32)
    card = DatasetCard.load(folder / "README.md")
    assert card.data.license == "mit"
    (shard,) = (folder / "data").iterdir()
    assert re.fullmatch(
        card.data.configs[0]["data_files"][0]["path"].replace("*", ".*"), f"data/{shard.name}"
    )
    assert "| `own bars` | `MIT` |  | 2 |" in card.text
    assert "\n\n\n" not in card.text


def test_the_same_set_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT")
    for name in ("a", "b"):
        write(folder, tmp_path / name, layout="perception-r1")
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files if path.is_file()}
        for name in ("a", "b")
        for files in [sorted((tmp_path / name).rglob("*"))]
    )
    assert first == second


def test_our_own_reader_takes_it_back(tmp_path: Path) -> None:
    from pr1.annotate import run
    from pr1.schemas.config import AnnotateConfig, ModelConfig, SourceConfig

    folder = exported(tmp_path, train_row(annotations=facts("GE = 10", "AB is red")), train_row(1))
    config = AnnotateConfig(
        source=SourceConfig(path=str(folder), format="perception-r1"),
        model=ModelConfig(name="rules"),
    )
    manifest = asyncio.run(run.annotate(config, tmp_path / "back"))
    assert manifest.counts.failed == 0
    rows = list(read_rows(tmp_path / "back", AnnotatedProblem))
    assert [[it.statement for it in row.annotations] for row in rows] == [
        ["GE = 10", "AB is red"],
        ["bar 1 is 3"],
    ]
    assert [row.question for row in rows] == ["How high is bar 0?", "How high is bar 1?"]
    assert all(len(row.images) == 1 for row in rows)


HOSTILE = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["</info1>", "<info2>", "</info1><info1>1</info1>", "<image>", "</ INFO 3 >", "<ima<image>ge>"]
)


@given(st.lists(HOSTILE.filter(str.strip), max_size=4))
def test_no_statement_breaks_out_of_its_tag(statements: list[str]) -> None:
    text = key_info(statements)
    if not statements:
        assert text is None
        return
    assert text is not None
    infos = read_visual_key_info(text, "it")
    assert len(infos) == len(statements)
    assert re.findall(r"</?info(\d+)>", text) == [
        str(n) for n in range(1, len(statements) + 1) for _ in range(2)
    ]


@given(HOSTILE, st.none() | st.lists(HOSTILE, max_size=3), st.integers(0, 3))
def test_a_problem_has_as_many_placeholders_as_pictures(
    question: str, choices: list[str] | None, pictures: int
) -> None:
    row = train_row(question=question, choices=choices, images=[picture()] * pictures)
    assert as_perception_r1(row).problem.count("<image>") == pictures


def test_many_choices_keep_a_letter_each() -> None:
    text = problem_text("q", [str(n) for n in range(26)])
    assert text.splitlines()[2] == "A. 0"
    assert text.splitlines()[-1] == "Z. 25"


def test_an_annotated_set_gives_what_a_training_set_would_have(tmp_path: Path) -> None:
    row = problem(1, annotations=[fact(1), fact(2, in_question=True), fact(3, equals_answer=True)])
    folder = annotated(tmp_path / "OUT", [row])
    write(folder, tmp_path / "to", layout="perception-r1")
    assert columns(tmp_path / "to")["visual_key_info"] == ["<info1>fact 1</info1>"]


def test_what_has_no_annotations_is_refused(tmp_path: Path) -> None:
    collected = annotated(tmp_path / "OUT", [problem(1)], stage="collect")
    with pytest.raises(UsageError, match="no visual annotations to export"):
        push(collected, "lab/set", layout="perception-r1", dry_run=True)
    with pytest.raises(UsageError, match="holds a model"):
        push(trained_model(tmp_path / "R"), "lab/set", layout="perception-r1", dry_run=True)
