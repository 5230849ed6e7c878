"""The three presets, on rows of our own in the published layouts."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pr1.annotate.source.formats import read_visual_key_info
from pr1.annotate.source.problems import ProblemGroup, ProblemReader
from pr1.outputs.folder import StageFolder
from pr1.schemas.config import CollectConfig, ModelConfig, SourceConfig
from pr1.schemas.errors import InputError, UsageError
from pr1.schemas.manifest import Dropped, Failure
from pr1.schemas.records import AnnotatedProblem, Problem, ProblemImage, Trajectory

INFOS = "<info1>AB = 5</info1>\n<info2> AB is parallel to CD </info2>"
REPLY = (
    "<SUMMARY>Read the bar.</SUMMARY> <CAPTION>A bar chart.</CAPTION> "
    "<REASONING>The bar is at 7.</REASONING> <CONCLUSION> 7 </CONCLUSION>"
)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(buffer, "PNG")
    return buffer.getvalue()


def read(path: Path, needs_trajectory: bool = True, **options: Any) -> list[Any]:
    config = SourceConfig(path=str(path), **options)
    reader = ProblemReader(config, needs_trajectory=needs_trajectory)
    outcomes = list(reader)
    assert sum(outcome.records for outcome in outcomes) == reader.read
    return outcomes


def geometry_rows(path: Path, **extra: list[Any]) -> Path:
    rows: dict[str, list[Any]] = {
        "images": [[{"bytes": png(), "path": None}], [{"bytes": png(), "path": None}]],
        "problem": ["<image>Find $x$.", "<image>Find $y$."],
        "answer": [r"2 \sqrt { 221 }", "7"],
        **extra,
    }
    pq.write_table(pa.table(rows), path)
    return path


def conversation(*texts: str) -> list[dict[str, str]]:
    speakers = ("human", "gpt") * len(texts)
    return [
        {"from": speaker, "value": text} for speaker, text in zip(speakers, texts, strict=False)
    ]


def llava_rows(folder: Path, *conversations: Any) -> Path:
    (folder / "a.png").write_bytes(png())
    lines = [
        json.dumps({"id": f"c{n}", "image": "a.png", "conversations": turns})
        for n, turns in enumerate(conversations)
    ]
    path = folder / "train.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_geometry3k_serves_collect(tmp_path: Path) -> None:
    path = geometry_rows(tmp_path / "train.parquet")
    first, second = read(path, needs_trajectory=False, format="geometry3k")
    assert (first.problem.question, first.problem.answer) == ("Find $x$.", r"2 \sqrt { 221 }")
    assert first.problem.id == "train.parquet row 1"
    assert [image.bytes for image in second.problem.images] == [png()]
    assert first.trajectories == []


def test_geometry3k_has_nothing_to_annotate(tmp_path: Path) -> None:
    path = geometry_rows(tmp_path / "train.parquet")
    with pytest.raises(UsageError, match="no column 'trajectory'"):
        read(path, format="geometry3k")


def test_geometry3k_with_somebodys_trajectories(tmp_path: Path) -> None:
    path = geometry_rows(tmp_path / "train.parquet", reply=["so 1", "so 2"])
    outcomes = read(path, format="geometry3k", columns={"trajectory": "reply"})
    assert [group.trajectories[0].text for group in outcomes] == ["so 1", "so 2"]


def test_perception_r1_brings_its_annotations(tmp_path: Path) -> None:
    path = geometry_rows(tmp_path / "train.parquet", visual_key_info=[INFOS, None])
    group, dropped = read(path, format="perception-r1")
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "no_trajectory"
    [trajectory] = group.trajectories
    assert trajectory.text == INFOS
    assert trajectory.model == "perception-r1 visual_key_info"
    assert [(a.id, a.statement, a.extractor) for a in group.annotations] == [
        (1, "AB = 5", "perception-r1"),
        (2, "AB is parallel to CD", "perception-r1"),
    ]
    for annotation in group.annotations:
        assert INFOS[annotation.start : annotation.end] == annotation.quote
        assert annotation.trajectory_id == trajectory.id


@pytest.mark.parametrize(
    "text",
    [
        "AB = 5",
        "<info1>AB = 5",
        "<info2>AB = 5</info2>",
        "<info1>a</info1> and <info2>b</info2>",
        "<info1>a</info1><info3>b</info3>",
        "<info1> </info1>",
        "<info1>a</info1></info2>",
    ],
)
def test_broken_key_info_fails_its_record(text: str, tmp_path: Path) -> None:
    path = geometry_rows(tmp_path / "train.parquet", visual_key_info=[text, INFOS])
    failure, group = read(path, format="perception-r1")
    assert isinstance(failure, Failure)
    assert failure.error == "broken_key_info"
    assert failure.message.startswith("train.parquet row 1: 'visual_key_info'")
    assert isinstance(group, ProblemGroup)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.strip() and "info" not in text)))
def test_key_info_is_read_with_its_places(statements: list[str]) -> None:
    text = "\n".join(f"<info{n}>{it}</info{n}>" for n, it in enumerate(statements, 1))
    infos = read_visual_key_info(text, "here")
    assert [info.statement for info in infos] == [statement.strip() for statement in statements]
    assert [text[info.start : info.end] for info in infos] == [info.statement for info in infos]


@given(st.text(st.sampled_from("<>/info12 a"), max_size=60))
def test_reading_key_info_says_what_is_wrong_or_reads(text: str) -> None:
    infos = None
    with suppress(InputError):
        infos = read_visual_key_info(text, "here")
    assert infos is None or len(infos) == text.count("</info")


def test_llava_cot_takes_the_answer_from_the_conclusion(tmp_path: Path) -> None:
    path = llava_rows(tmp_path, conversation("How high?\n<image>", REPLY))
    [group] = read(path, format="llava-cot")
    assert (group.problem.id, group.problem.question) == ("c0", "How high?")
    assert (group.problem.answer, group.problem.answer_origin) == ("7", "self")
    assert [t.text for t in group.trajectories] == [REPLY]
    assert group.problem.metadata == {}


def test_llava_cot_reads_the_first_turn(tmp_path: Path) -> None:
    path = llava_rows(tmp_path, conversation("How high?", REPLY, "And now?", "x", "Then?", "y"))
    [group] = read(path, format="llava-cot")
    assert group.problem.question == "How high?"
    assert group.problem.metadata == {"later_turns": "2"}


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        (conversation("How high?"), "broken_conversation"),
        (conversation("", REPLY), "broken_conversation"),
        (list(reversed(conversation("How high?", REPLY))), "broken_conversation"),
        ("How high?", "broken_conversation"),
        ([None, 3], "broken_conversation"),
        (conversation("How high?", "It is 7."), "empty_answer"),
        (conversation("How high?", "<CONCLUSION>7"), "empty_answer"),
        (conversation("How high?", "<CONCLUSION> </CONCLUSION>"), "empty_answer"),
        (conversation("How high?", "</CONCLUSION> 7 <CONCLUSION>"), "empty_answer"),
    ],
)
def test_broken_conversations_fail_alone(turns: Any, code: str, tmp_path: Path) -> None:
    path = llava_rows(tmp_path, turns, conversation("How high?", REPLY))
    failure, group = read(path, format="llava-cot")
    assert (failure.id, failure.error) == ("c0", code)
    assert failure.message.startswith("train.jsonl:1: 'conversations'")
    assert group.problem.id == "c1"


@pytest.mark.parametrize(
    ("format_name", "column"),
    [("geometry3k", "images"), ("perception-r1", "images"), ("llava-cot", "image")],
)
def test_a_preset_on_another_layout(format_name: str, column: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1, "b": 2}')
    with pytest.raises(UsageError, match=f"--format {format_name} reads a column '{column}'.*a, b"):
        read(path, format=format_name)


def test_what_collect_wrote_is_read_back(tmp_path: Path) -> None:
    problem = Problem(
        id="p",
        question="How long?",
        choices=["5", "6"],
        answer="5",
        answer_origin="self",
        images=[ProblemImage(bytes=png(), path="a.png")],
        source="s",
        license="MIT",
        metadata={"level": "3", "schema": "x"},
    )
    trajectories = [
        Trajectory(
            id=f"p-{n}",
            problem_id="p",
            text=f"text {n}",
            model="openai/m",
            sampling={"temperature": 1.0, "n": n},
            finish="stop",
        )
        for n in (1, 2)
    ]
    config = CollectConfig(source=SourceConfig(path="x"), model=ModelConfig(name="openai/m"))
    row = AnnotatedProblem(**dict(problem), trajectories=trajectories)
    out = tmp_path / "out"
    with StageFolder.start(
        out,
        stage="collect",
        config=config,
        parents={},
        prompts={},
        overwrite=False,
        row_model=AnnotatedProblem,
    ) as stage:
        stage.write_row(row)
        stage.finish(read=1)

    [group] = read(out)

    assert group.problem == problem
    assert group.trajectories == trajectories
    assert group.annotations == []
