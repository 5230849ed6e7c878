"""Records end as problems, drops or failures: merging, accounting, and what bad input gets."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pr1.annotate.source.columns import parse_columns
from pr1.annotate.source.problems import ProblemGroup, ProblemReader
from pr1.annotate.source.values import MAX_TEXT_CHARS
from pr1.annotate.spool import Spool
from pr1.schemas.config import SourceConfig
from pr1.schemas.errors import RunStopped, UsageError
from pr1.schemas.manifest import Dropped, Failure

REAL = Path(__file__).resolve().parents[3] / "shared" / "real" / "trajectories.jsonl"


def png(colour: str = "red", size: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "set"
    inner.mkdir()
    (inner / "red.png").write_bytes(png())
    (inner / "red-copy.png").write_bytes(png())
    (inner / "blue.png").write_bytes(png("blue"))
    (inner / "cut.png").write_bytes(png(size=200)[:-60])
    (inner / "page.png").write_bytes(b"<html>404</html>")
    (tmp_path / "outside.png").write_bytes(png())
    (inner / "link.png").symlink_to(tmp_path / "outside.png")
    return inner


def record(**changes: Any) -> dict[str, Any]:
    """A good record of problem p with those changes; None takes a column away."""
    whole = {
        "id": "r1",
        "problem_id": "p",
        "question": "How long is AB?",
        "answer": "5",
        "image": "red.png",
        "trajectory": "AB = 5, so the answer is 5.",
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def write(folder: Path, *records: Any) -> SourceConfig:
    path = folder / "set.jsonl"
    lines = [item if isinstance(item, str) else json.dumps(item) for item in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SourceConfig(path=str(path))


def read(config: SourceConfig, **options: Any) -> list[ProblemGroup | Dropped | Failure]:
    """What the reader yields; on the way, that every record ended in one place."""
    reader = ProblemReader(config, **{"needs_trajectory": True, **options})
    outcomes = list(reader)
    assert sum(outcome.records for outcome in outcomes) == reader.read
    return outcomes


def groups(outcomes: list[ProblemGroup | Dropped | Failure]) -> list[ProblemGroup]:
    return [outcome for outcome in outcomes if isinstance(outcome, ProblemGroup)]


def failures(outcomes: list[ProblemGroup | Dropped | Failure]) -> list[Failure]:
    return [outcome for outcome in outcomes if isinstance(outcome, Failure)]


BAD = {
    "no answer": (record(answer=" "), "empty_answer", "'answer' is empty"),
    "answer is NaN": (record(answer=float("nan")), "empty_answer", "'answer' is empty"),
    "answer is a list": (record(answer=["5"]), "wrong_type", "a list; a text is needed"),
    "NUL in the question": (record(question="a\0b"), "nul_byte", "'question' holds a NUL"),
    "NUL in the trajectory": (record(trajectory="a\0b"), "nul_byte", "'trajectory' holds a NUL"),
    "NUL in the path": (record(image="red\0.png"), "nul_byte", "'image' holds a NUL"),
    "NUL in an option": (record(choices=["1", "\0"]), "nul_byte", "option 2 holds a NUL"),
    "half a surrogate pair": (record(question="\ud800"), "broken_text", "surrogate"),
    "surrogate in another column": (record(note="\udfff"), "broken_text", "surrogate"),
    "10 MB of trajectory": (record(trajectory="x" * 10**7), "text_too_long", "10,000,000"),
    "path leaves the folder": (record(image="../outside.png"), "image_outside_folder", "leaves"),
    "absolute path": (record(image="/etc/hostname"), "image_outside_folder", "leaves"),
    "link leaves the folder": (record(image="link.png"), "image_outside_folder", "leaves"),
    "missing file": (record(image="none.png"), "image_not_found", "none.png"),
    "path of 5,000 characters": (record(image="x" * 5000), "image_not_found", "x"),
    "not a picture": (record(image="page.png"), "unreadable_image", "cannot be read"),
    "half a picture": (record(image="cut.png"), "unreadable_image", "cannot be read"),
    "a URL": (record(image="https://example.org/a.png"), "image_is_url", "not fetched"),
    "broken base64": (record(image={"bytes": "#"}), "unreadable_image", "broken"),
    "neither bytes nor path": (record(image={"file": "red.png"}), "wrong_type", "a path or bytes"),
    "broken data URL": (record(image="data:image/png;base64,#"), "unreadable_image", "broken"),
    "image is a number": (record(image=7), "wrong_type", "a path or bytes"),
    "choices as a sentence": (record(choices="A. 3; B. 4"), "wrong_type", "list of options"),
    "choices of other keys": (record(choices={"x": "1"}), "wrong_type", "not A, B, C"),
    "choices as a huge literal": (record(choices="[" * 30_000), "text_too_long", "20,000"),
    "choices nested without end": (record(choices="[" * 5_000), "wrong_type", "list of options"),
    "id is a list": (record(id=[1]), "wrong_type", "'id'"),
    "half-written line": ('{"id": "r9", "answ', "broken_json", "Complete or remove"),
    "nested without end": ("[" * 100_000, "broken_json", "Complete or remove"),
    "a list": ("[1, 2]", "not_an_object", "a record is a JSON object"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_fails_alone_and_says_where(case: str, folder: Path) -> None:
    bad, code, words = BAD[case]
    good = [record(problem_id="before"), record(problem_id="after")]

    before, failure, after = read(write(folder, good[0], bad, good[1]))

    assert isinstance(failure, Failure)
    assert failure.error == code
    assert failure.message.startswith("set.jsonl:2")
    assert words in failure.message
    assert "\n" not in failure.message
    assert len(failure.message) < 400
    assert [group.problem.id for group in groups([before, after])] == ["before", "after"]


def test_an_oversized_picture_fails(folder: Path) -> None:
    Image.new("1", (12_000, 12_000)).save(folder / "huge.png")
    [failure] = failures(read(write(folder, record(image="huge.png"))))
    assert failure.error == "oversized_image"
    assert failure.id == "r1"


def test_the_longest_text_is_kept(folder: Path) -> None:
    text = "x" * MAX_TEXT_CHARS
    [group] = groups(read(write(folder, record(trajectory=text))))
    assert group.trajectories[0].text == text


def test_records_of_one_problem_are_merged_in_order(folder: Path) -> None:
    [first, other] = groups(
        read(
            write(
                folder,
                record(id="r1", trajectory="one", model="m1", source="a", license="MIT", note="x"),
                record(id="r2", problem_id="q", trajectory="two"),
                record(id="r3", trajectory="three", image="red-copy.png", source="b", note="y"),
                record(id="r4", trajectory="four", question="<image>How long is AB?"),
            )
        )
    )
    assert first.records == 3
    assert first.problem.id == "p"
    assert (first.problem.source, first.problem.license) == ("a; b", "MIT")
    assert first.problem.metadata == {}
    assert [(t.id, t.problem_id, t.text) for t in first.trajectories] == [
        ("r1", "p", "one"),
        ("r3", "p", "three"),
        ("r4", "p", "four"),
    ]
    assert first.trajectories[0].model == "m1"
    assert [image.bytes for image in first.problem.images] == [png()]
    assert [t.id for t in other.trajectories] == ["r2"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"question": "How long is BC?"}, "question"),
        ({"answer": "6"}, "answer"),
        ({"choices": ["5", "6"]}, "choices"),
        ({"image": "blue.png"}, "images"),
    ],
)
def test_a_later_record_that_differs_fails(
    change: dict[str, Any], column: str, folder: Path
) -> None:
    config = write(folder, record(), record(id="r2", **change), record(id="r3"))
    group, failure = read(config)
    assert isinstance(failure, Failure)
    assert (failure.id, failure.error) == ("r2", "conflicting_problem")
    assert f"set.jsonl:2: {column!r} differs from set.jsonl:1" in failure.message
    assert [t.id for t in groups([group])[0].trajectories] == ["r1", "r3"]


def test_a_broken_trajectory_leaves_the_other_two(folder: Path) -> None:
    config = write(folder, record(), record(id="r2", trajectory="\0"), record(id="r3"))
    outcomes = read(config)
    assert [t.id for t in groups(outcomes)[0].trajectories] == ["r1", "r3"]
    assert [failure.id for failure in failures(outcomes)] == ["r2"]


def test_a_broken_first_record_does_not_decide_the_problem(folder: Path) -> None:
    config = write(folder, record(question="other", image="none.png"), record(id="r2"))
    assert [group.problem.question for group in groups(read(config))] == ["How long is AB?"]


def test_drops_are_counted_by_problem(folder: Path) -> None:
    outcomes = read(
        write(
            folder,
            record(id="r1", image=None),
            record(id="r2", image=""),
            record(id="r3", problem_id="q", trajectory=" "),
            record(id="r4", problem_id="q"),
            record(id="r4", problem_id="q"),
        )
    )
    drops = [(d.id, d.reason, d.records) for d in outcomes if isinstance(d, Dropped)]
    assert drops == [
        ("p", "no_image", 2),
        ("q", "no_trajectory", 1),
        ("r4", "duplicate_trajectory", 1),
    ]
    assert [(g.problem.id, g.records) for g in groups(outcomes)] == [("q", 1)]


def test_collect_keeps_problems_without_trajectories(folder: Path) -> None:
    config = write(folder, record(trajectory=None), record(id="r2"))
    [group] = groups(read(config, needs_trajectory=False))
    assert (group.records, [t.id for t in group.trajectories]) == (2, ["r2"])


def test_trajectories_of_the_same_name_get_numbers(folder: Path) -> None:
    config = write(folder, record(), record(trajectory="x"), record(id="r1#2", trajectory="y"))
    [group] = groups(read(config))
    assert [t.id for t in group.trajectories] == ["r1", "r1#2", "r1#2#2"]


IDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "problem and record": ({"id": "r", "problem_id": "p"}, "p", "r"),
    "record alone": ({"id": "r"}, "r", "r-t1"),
    "problem alone": ({"problem_id": "p"}, "p", "p-t1"),
    "neither": ({}, "set.jsonl:1", "set.jsonl:1-t1"),
    "all three": ({"id": "r", "problem_id": "p", "trajectory_id": "t"}, "p", "t"),
    "numbers": ({"id": 3, "problem_id": 7.0}, "7", "3"),
    "blank": ({"id": " ", "problem_id": "p"}, "p", "p-t1"),
}


@pytest.mark.parametrize("case", IDS)
def test_ids(case: str, folder: Path) -> None:
    ids, problem_id, trajectory_id = IDS[case]
    config = write(folder, record(**{"id": None, "problem_id": None, **ids}))
    [group] = groups(read(config))
    assert group.problem.id == problem_id
    assert [t.id for t in group.trajectories] == [trajectory_id]


def test_the_same_ids_by_mapping(folder: Path) -> None:
    rows = [
        {"id": f"r{n}", "problem_id": "p", "question": "?", "gold": "1", "image": "red.png"}
        | {"response": f"text {n}", "gold_letter": "A", "correct": n == 1, "answer": "unused"}
        for n in (1, 2)
    ]
    columns = parse_columns("id=problem_id,trajectory_id=id,answer=gold,trajectory=response")
    config = write(folder, *rows).model_copy(update={"columns": columns})
    [group] = groups(read(config))
    assert group.problem.id == "p"
    assert group.problem.answer == "1"
    assert group.problem.metadata == {"gold_letter": "A", "answer": "unused"}
    assert [t.id for t in group.trajectories] == ["r1", "r2"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", [("r1", "a")]),
        (["a", "", "b"], [("r1-1", "a"), ("r1-2", "b")]),
        ([{"id": "x", "text": "a"}, {"text": "b"}], [("x", "a"), ("r1-2", "b")]),
        ([None, {"text": "a"}], [("r1", "a")]),
    ],
)
def test_forms_of_trajectories(value: Any, expected: list[Any], folder: Path) -> None:
    config = write(folder, record(trajectory=None, trajectories=value, model="m"))
    [group] = groups(read(config))
    assert [(t.id, t.text) for t in group.trajectories] == expected
    assert {t.model for t in group.trajectories} == {"m"}


def test_a_trajectory_keeps_how_it_was_made(folder: Path) -> None:
    said = {"id": "x", "text": "a", "finish": "length", "sampling": '{"temperature": 1.0}'}
    [group] = groups(read(write(folder, record(trajectories=[said]))))
    [trajectory] = group.trajectories
    assert (trajectory.finish, trajectory.sampling) == ("length", {"temperature": 1.0})
    assert (trajectory.answer, trajectory.is_correct) == (None, None)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (["red.png", "blue.png"], 2),
        ([{"bytes": base64.b64encode(png()).decode(), "path": None}], 1),
        ("data:image/png;base64," + base64.b64encode(png()).decode(), 1),
        ({"path": "red.png", "bytes": None}, 1),
        ([None, "red.png"], 1),
    ],
)
def test_forms_of_images(value: Any, count: int, folder: Path) -> None:
    outcomes = read(write(folder, record(image=value)))
    assert [len(group.problem.images) for group in groups(outcomes)] == [count]


def test_a_parquet_row_holds_its_pictures(folder: Path) -> None:
    rows = [
        {**record(id=f"r{n}"), "image": {"bytes": png(), "path": "/home/u/a.png"}}
        for n in range(40)
    ]
    path = folder / "set.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    [group] = groups(read(SourceConfig(path=str(path))))
    assert group.records == 40
    assert [(image.path, image.bytes) for image in group.problem.images] == [("a.png", png())]


def test_a_picture_that_changes_while_it_is_read_fails_its_problem(folder: Path) -> None:
    config = write(folder, record(), record(id="r2"), record(id="r3", problem_id="q"))
    reader = iter(ProblemReader(config.model_copy(), needs_trajectory=True))
    next(reader)
    (folder / "red.png").write_bytes(png("blue"))
    [failure] = failures(list(reader))
    assert (failure.id, failure.error, failure.records) == ("q", "unreadable_image", 1)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("<image>\nWhat?", "What?"),
        ("<image_1> What? <image1><image 2>", "What?"),
        ("a  b <images> <image_x> < image>", "a  b <images> <image_x> < image>"),
        ("<image>", ""),
    ],
)
def test_placeholders_leave_the_question(question: str, expected: str, folder: Path) -> None:
    [group] = groups(read(write(folder, record(question=question))))
    assert group.problem.question == expected


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (["1", 2, 0.5], ["1", "2", "0.5"]),
        ('["1", "2"]', ["1", "2"]),
        ("['1', \"2'\"]", ["1", "2'"]),
        (r"['$\sqrt{2}$', '3']", [r"$\sqrt{2}$", "3"]),
        ({"B": "2", "A": "1", "C": None}, ["1", "2"]),
        ("[]", None),
        ([], None),
        ("", None),
    ],
)
def test_forms_of_choices(choices: Any, expected: list[str] | None, folder: Path) -> None:
    [group] = groups(read(write(folder, record(choices=choices))))
    assert group.problem.choices == expected


def test_other_columns_become_metadata(folder: Path) -> None:
    extra = {"level": 3, "nested": {"a": 1}, "list": [1], "nothing": None, "metadata": {"k": True}}
    [group] = groups(read(write(folder, record(**extra))))
    assert group.problem.metadata == {"level": "3", "k": "True"}


def test_limit_reads_all_records_of_the_first_problems(folder: Path) -> None:
    config = write(
        folder,
        record(id="r1"),
        "{broken",
        record(id="r2", problem_id="q"),
        record(id="r3"),
        "{broken",
    )
    outcomes = read(config, limit=2)
    assert [type(outcome) for outcome in outcomes] == [ProblemGroup, Failure]
    assert [group.records for group in groups(outcomes)] == [2]


@pytest.mark.parametrize(
    ("lines", "columns", "words"),
    [
        ([], {}, "holds no records"),
        (["", "  "], {}, "holds no records"),
        ([record()], {"answer": "gold"}, "no column 'gold'"),
        ([record()], {"answr": "answer"}, "pr1 has no column 'answr'"),
        ([record(answer=None, gold="5")], {}, "no column 'answer'"),
        ([record(image=None)], {}, "no column 'image' or 'images'"),
        ([record(trajectory=None)], {}, "no column 'trajectory' or 'trajectories'"),
        ([record()], {"question": "answer"}, "no column 'answer'"),
    ],
)
def test_a_source_that_cannot_be_used(
    lines: list[Any], columns: dict[str, str], words: str, folder: Path
) -> None:
    config = write(folder, *lines).model_copy(update={"columns": columns})
    with pytest.raises(UsageError) as raised:
        ProblemReader(config, needs_trajectory=True)
    assert words in str(raised.value)
    if "no column" in words:
        assert "It has: " in str(raised.value)


def test_the_columns_that_exist_are_named(folder: Path) -> None:
    config = write(folder, record()).model_copy(update={"columns": {"answer": "gold"}})
    with pytest.raises(UsageError, match="answer, id, image, problem_id, question, trajectory"):
        ProblemReader(config, needs_trajectory=True)


@pytest.mark.parametrize("text", ["answer", "=gold", "answer=", "answer=a,answer=b", "x=y"])
def test_mappings_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--columns"):
        parse_columns(text)


def test_what_a_problem_has_no_use_for_comes_behind_it(folder: Path) -> None:
    config = write(
        folder,
        record(id="r1"),
        record(id="x", image=None),
        record(id="r2", problem_id="q"),
        record(id="r1"),
        record(id="r3", answer="6"),
        record(id="r2", problem_id="q"),
        record(id="r1"),
        record(id="x", image=None),
        record(id="r4"),
    )
    reader = ProblemReader(config, needs_trajectory=True)
    shown = [
        (outcome.problem.id if isinstance(outcome, ProblemGroup) else outcome.id, outcome.records)
        for outcome in reader
    ]
    assert shown == [("p", 2), ("r3", 1), ("r1", 2), ("p", 2), ("q", 1), ("r2", 1)]
    assert reader.problems == 6
    assert reader.read == 9


def test_records_are_told_as_they_are_read(folder: Path) -> None:
    reader = ProblemReader(write(folder, record(), "{", record(id="r2")), needs_trajectory=True)
    assert list(reader.gather()) == [1, 2, 3]
    assert reader.problems == 2
    assert len(list(reader)) == 2


@pytest.mark.parametrize("limit", [None, 10_000])
def test_memory_does_not_grow_with_the_source(folder: Path, limit: int | None) -> None:
    def held(count: int) -> int:
        records = [
            record(
                problem_id=f"problem {number}",
                trajectory=f"{number} " * 300,
                image={"bytes": base64.b64encode(png(f"#{number:06x}")).decode()},
            )
            for number in range(count)
        ]
        config = write(folder, *records)
        del records
        tracemalloc.start()
        reader = ProblemReader(config, needs_trajectory=True, limit=limit)
        read = sum(len(group.trajectories) for group in groups(list(islice(reader, 1))))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (read, reader.read) == (1, count)
        return most

    held(150)
    assert held(1_200) < 1.2 * held(300)


def test_a_full_temporary_folder_stops_the_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SmallSpool(Spool):
        def __init__(self, layout: str) -> None:
            super().__init__(layout)
            self.execute("PRAGMA max_page_count = 20")

    monkeypatch.setattr("pr1.annotate.source.gathering.Spool", SmallSpool)
    config = write(folder, *(record(id=f"r{n}", trajectory="x" * 9_000) for n in range(20)))
    with pytest.raises(RunStopped, match="Set TMPDIR"):
        list(ProblemReader(config, needs_trajectory=True))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("red.png"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(
    st.sampled_from([*record(), "choices", "images", "trajectories", "sampling", "metadata"])
    | st.text(),
    JSON,
)


@given(records=st.lists(JSON | OBJECTS | OBJECTS.map(lambda o: {**record(), **o}), max_size=6))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_json_ends_in_one_of_three_places(records: list[Any], folder: Path) -> None:
    lines = [json.dumps(item) for item in (record(id="good", problem_id="good"), *records)]
    outcomes = read(write(folder, *lines))
    assert sum(outcome.records for outcome in outcomes) == 1 + len(records)
    assert groups(outcomes)[0].problem.id == "good"
    ids = [group.problem.id for group in groups(outcomes)]
    assert len(ids) == len(set(ids))
    for outcome in outcomes:
        text = str(outcome) if isinstance(outcome, ProblemGroup) else outcome.model_dump_json()
        text.encode()


@pytest.mark.skipif(not REAL.is_file(), reason="the shared real records are not here")
def test_all_real_records_are_accounted_for() -> None:
    columns = parse_columns("id=problem_id,trajectory_id=id,answer=gold,trajectory=response")
    outcomes = read(SourceConfig(path=str(REAL), columns=columns))
    found = groups(outcomes)
    records = Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome, Dropped):
            records[outcome.reason] += outcome.records
        elif isinstance(outcome, Failure):
            records[outcome.error] += outcome.records
    assert records == {"no_image": 578, "conflicting_problem": 6}
    assert (len(found), sum(group.records for group in found)) == (644, 2052)
    assert sum(len(group.trajectories) for group in found) == 2052
    assert all(group.problem.images for group in found)
