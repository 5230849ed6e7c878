from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from pr1.filter.contamination import EvaluationIndex
from pr1.filter.evaluation_sets import evaluation_files, read_evaluation_sets
from pr1.images import load_image, perceptual_hash
from pr1.schemas.errors import UsageError

QUESTION = (
    "In the figure the line AB touches the circle O at the point A, the chord AC has the length 12 "
    "and the angle BAC is 30 degrees; find the radius of the circle."
)
PICTURE = 0x0F0F_3355_AA99_1234


def overlap(own: str, theirs: str, own_picture: int = 1, their_picture: int = PICTURE) -> str:
    index = EvaluationIndex()
    index.add("eval.jsonl:1", theirs, [their_picture])
    found = index.find(own, [own_picture])
    return found.by if found else "none"


@pytest.mark.parametrize(
    ("own", "theirs", "expected"),
    [
        (QUESTION, QUESTION, "question"),
        (QUESTION.upper(), f"<image>{QUESTION}", "question"),
        (QUESTION, f"{QUESTION} Choices: A. 12 B. 6 C. 24", "question"),
        (f"Look at the picture and answer. {QUESTION}", QUESTION, "question"),
        (QUESTION, QUESTION.replace("30", "40").replace("12", "10"), "none"),
        ("Find x.", "Find x.", "none"),
        ("", "", "none"),
        (
            "What is the highest value of the chart?",
            "What is the highest value of the chart?",
            "question",
        ),
        (
            "What is the highest value of the chart?",
            "What is the lowest value of the chart?",
            "none",
        ),
        ("如图所示在三角形中求角的度数是多少", "如图所示在三角形中求角的度数是多少", "question"),
    ],
)
def test_a_question_overlaps_when_it_says_enough(own: str, theirs: str, expected: str) -> None:
    assert overlap(own, theirs) == expected


@pytest.mark.parametrize(
    ("own_picture", "expected"),
    [(PICTURE, "picture"), (PICTURE ^ 0b1111, "picture"), (PICTURE ^ 0b11111, "none")],
)
def test_a_near_picture_contaminates_whatever_is_asked(own_picture: int, expected: str) -> None:
    assert overlap("Find x.", "Find y.", own_picture) == expected


def test_question_and_picture_are_told_together() -> None:
    assert overlap(QUESTION, QUESTION, PICTURE) == "both"


def test_pictures_of_one_colour_say_nothing() -> None:
    assert overlap("Find x.", "Find y.", 0, 0) == "none"


def test_what_many_evaluation_questions_share_says_nothing() -> None:
    hint = "Please answer the question and give the letter of the correct option at the end. "
    index = EvaluationIndex()
    for number in range(11):
        index.add(f"e:{number}", f"{hint} What about thing number {number}?", [])
    assert index.find(f"{hint} A question of our own, which nobody asked before?", []) is None
    index.add("e:11", hint + QUESTION, [])
    found = index.find(hint + QUESTION, [])
    assert found
    assert "e:11" in found.detail


def test_the_detail_says_with_what() -> None:
    index = EvaluationIndex()
    index.add("set.jsonl:3", QUESTION, [PICTURE])
    found = index.find(QUESTION, [PICTURE ^ 1])
    assert found
    assert "picture of set.jsonl:3 (1 of 64 bits differ)" in found.detail
    assert "question of set.jsonl:3 (100% of its word runs)" in found.detail


def png(text: str) -> bytes:
    image = Image.new("RGB", (100, 80), "white")
    pen = ImageDraw.Draw(image)
    pen.text((10, 10), text * 4, fill="black", font_size=30)
    pen.line((0, len(text), 90, 70), fill="blue", width=4)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def hashed(data: bytes) -> int:
    return perceptual_hash(load_image(data, "p"))


def test_questions_and_pictures_are_read_by_the_usual_columns(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").write_bytes(png("a"))
    lines = [
        {"query": QUESTION, "image": "img/a.png"},
        {"problem": "x", "images": [{"path": "img/a.png", "bytes": None}, "img/none.png"]},
        {"question": None, "image": "../outside.png", "answer": 3},
        {"question": "no picture", "image": ""},
    ]
    (tmp_path / "set.jsonl").write_text("\n\n".join(json.dumps(line) for line in lines))
    table = pa.table(
        {
            "question": ["q1", None],
            "image_1": [{"bytes": png("b"), "path": "b.png"}, None],
            "decoded_image": [png("ccc"), b"junk"],
            "label": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "set.parquet")
    found = asyncio.run(read_evaluation_sets([tmp_path]))
    assert (found.problems, found.unreadable_pictures) == (6, 3)
    for data in (png("a"), png("b"), png("ccc")):
        assert found.index.find("", [hashed(data)])
    near = found.index.find(QUESTION, [])
    assert near
    assert "set.jsonl:1" in near.detail


def test_a_folder_stands_for_its_files_and_not_for_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/c.parquet", ".cache/x.jsonl", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jsonl").mkdir()
    found = [file.relative_to(tmp_path).as_posix() for file in evaluation_files(tmp_path)]
    assert found == ["a/c.parquet", "b.jsonl"]
    (tmp_path / "manifest.json").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.parquet").touch()
    assert evaluation_files(tmp_path) == [tmp_path / "data" / "train.parquet"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jsonl", None, "does not exist"),
        ("set.csv", b"a,b", "is no .jsonl or .parquet file"),
        ("set.jsonl", b"", "holds no problems"),
        ("set.jsonl", b'{"question": "x"}\n{"quest', r"set\.jsonl:2 is not JSON"),
        ("set.jsonl", b"\xff\xfe", r"set\.jsonl:1 is not JSON"),
        ("set.jsonl", b"[" * 100_000, r"set\.jsonl:1 is not JSON"),
        ("set.jsonl", b"[1]", "is no JSON object"),
        ("set.jsonl", b'{"prompt": "x", "id": 1}', "it has: id, prompt"),
        ("set.parquet", b"PAR1junk", "cannot be read"),
    ],
)
def test_a_set_that_cannot_be_read_whole_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        asyncio.run(read_evaluation_sets([tmp_path / name]))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no \.jsonl or \.parquet file"):
        asyncio.run(read_evaluation_sets([tmp_path]))
