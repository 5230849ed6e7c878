from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from pr1.outputs.folder import Account, StageFolder
from pr1.outputs.provenance import file_hashes
from pr1.outputs.rows import data_files, read_manifest, read_rows
from pr1.schemas.config import Execution, FilterConfig, RunConfig, config_hash
from pr1.schemas.errors import UsageError
from pr1.schemas.manifest import Dropped, Failure, Manifest, Usage
from pr1.schemas.progress import Traffic
from pr1.schemas.records import (
    AnnotatedProblem,
    ProblemImage,
    Row,
    TrainRow,
    Trajectory,
    VisualAnnotation,
)


def picture() -> ProblemImage:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(buffer, "PNG")
    return ProblemImage(bytes=buffer.getvalue(), path="红.png")


def problem(number: int = 1, **changes: Any) -> AnnotatedProblem:
    values: dict[str, Any] = {
        "id": f"p{number}",
        "question": "三角形的面积是多少?",
        "answer": "6",
        "images": [picture()],
        "source": "made",
        "license": "MIT",
        "metadata": {"级别": "1"},
        "trajectories": [
            Trajectory(id="t", problem_id=f"p{number}", text="AB = 3", sampling={"seed": 1})
        ],
        "annotations": [
            VisualAnnotation(
                id=1,
                statement="AB = 3",
                kind="length",
                quote="AB = 3",
                trajectory_id="t",
                start=0,
                end=6,
                extractor="rules",
            )
        ],
    }
    return AnnotatedProblem(**values | changes)


def start(out: Path, **changes: Any) -> StageFolder:
    options: dict[str, Any] = {
        "stage": "annotate",
        "config": RunConfig(seed=7),
        "parents": {"problems.jsonl": "0" * 64},
        "prompts": {"extract": "1" * 64},
        "overwrite": False,
        "row_model": AnnotatedProblem,
        "command": "pr1 annotate problems.jsonl -o OUT",
    }
    return StageFolder.start(out, **options | changes)


def make(out: Path, rows: list[Row], **changes: Any) -> Manifest:
    with start(out, **changes) as folder:
        for row in rows:
            folder.write_row(row)
        return folder.finish(read=len(rows))


def test_a_finished_folder_opens_with_its_types(tmp_path: Path) -> None:
    out = tmp_path / "new" / "OUT"
    rows = [problem(1), problem(2, choices=[], metadata={}, source=None, annotations=[])]
    with start(out) as folder:
        folder.write_row(rows[0], records=3)
        folder.drop(Dropped(id="d", records=2, stage="annotate", reason="no_image"))
        folder.write_row(rows[1])
        folder.fail(Failure(id="f", stage="read", error="unreadable_image", message="损坏 \ud800"))
        manifest = folder.finish(
            read=7,
            account=Account(Usage(requests=1), Usage(requests=3), Traffic(done=2)),
            facts={"labelled": True},
            rejected_by_reason={"vetoed": 4},
        )
    assert sorted(path.name for path in out.iterdir()) == [
        ".pr1",
        "README.md",
        "data",
        "dropped.jsonl",
        "failures.jsonl",
        "manifest.json",
    ]
    (shard,) = data_files(out)
    assert re.fullmatch(r"train-00000-of-00001-[0-9a-f]{8}\.parquet", shard.name)
    assert read_manifest(out) == manifest
    assert list(read_rows(out, AnnotatedProblem)) == rows
    counts = manifest.counts
    assert (counts.read, counts.in_rows, counts.dropped, counts.failed) == (7, 4, 2, 1)
    assert counts.rows == 2
    assert counts.dropped_by_reason == {"no_image": 2}
    assert counts.failed_by_error == {"unreadable_image": 1}
    assert manifest.identity_hash == config_hash(
        {
            "stage": "annotate",
            "config": {"seed": 7, "limit": None},
            "parents": manifest.parents,
            "prompts": manifest.prompts,
        }
    )
    assert manifest.started_at.endswith("+00:00")
    assert json.loads((out / "dropped.jsonl").read_text())["id"] == "d"
    assert json.loads((out / "failures.jsonl").read_text())["message"].startswith("损坏 ")
    assert not (out / ".pr1" / "run.json").exists()
    assert not (out / ".pr1" / "new").exists()

    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    features = loaded["train"].features
    assert features["images"] == datasets.List(datasets.Image())
    assert features["annotations"].feature["support"] == datasets.Value("int64")
    assert features["trajectories"].feature["is_correct"] == datasets.Value("bool")
    assert loaded["train"][0]["images"][0].size == (8, 6)
    assert loaded["train"][1]["choices"] == []
    assert json.loads(loaded["train"][0]["metadata"]) == {"级别": "1"}


@pytest.mark.parametrize("model", [AnnotatedProblem, TrainRow])
def test_an_empty_set_opens_with_its_types(tmp_path: Path, model: type[Row]) -> None:
    make(tmp_path / "OUT", [], row_model=model)
    assert list(read_rows(tmp_path / "OUT", model)) == []
    # Streamed: `datasets` refuses to make an Arrow copy of a split without rows, even of its own.
    loaded = datasets.load_dataset(str(tmp_path / "OUT"), split="train", streaming=True)
    assert list(loaded) == []
    assert loaded.features["images"] == datasets.List(datasets.Image())


def test_rows_keep_the_order_they_were_written_in_across_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pr1.outputs.shards.ROWS_PER_GROUP", 2)
    monkeypatch.setattr("pr1.outputs.shards.BYTES_PER_SHARD", 1)
    numbers = list(range(24, -1, -1))
    make(tmp_path / "OUT", [problem(number) for number in numbers])
    assert len(data_files(tmp_path / "OUT")) == 13
    found = [row.id for row in read_rows(tmp_path / "OUT", AnnotatedProblem)]
    assert found == [f"p{number}" for number in numbers]
    loaded = datasets.load_dataset(
        str(tmp_path / "OUT"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded["id"][:] == found


def test_a_row_that_cannot_be_encoded_is_a_failure_and_costs_no_other(tmp_path: Path) -> None:
    with start(tmp_path) as folder:
        folder.write_row(problem(1))
        folder.write_row(problem(2, question="half a pair: \ud83d"), records=2)
        folder.write_row(problem(3))
        manifest = folder.finish(read=4)
    assert manifest.counts.failed_by_error == {"unencodable_value": 2}
    assert [row.id for row in read_rows(tmp_path, AnnotatedProblem)] == ["p1", "p3"]


def test_records_that_do_not_add_up_are_a_bug(tmp_path: Path) -> None:
    with start(tmp_path / "OUT") as folder:
        folder.write_row(problem())
        with pytest.raises(RuntimeError, match="do not add up"):
            folder.finish(read=2)
    with pytest.raises(UsageError, match="is unfinished"):
        read_manifest(tmp_path / "OUT")


def test_a_finished_folder_is_refused_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "OUT"
    make(out, [problem()])
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"is finished .1 rows.*--overwrite"):
        start(out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_overwriting_keeps_the_store_and_the_old_set_until_the_new_one_is_whole(
    tmp_path: Path,
) -> None:
    out = tmp_path / "OUT"
    make(out, [problem(1), problem(2)])
    (out / ".pr1" / "responses.sqlite").write_bytes(b"answers")
    (out / "notes.txt").write_text("mine")
    config = RunConfig(seed=8)
    with start(out, config=config, overwrite=True) as folder:
        folder.write_row(problem(3))
        assert folder.store_path.read_bytes() == b"answers"
        assert [row.id for row in read_rows(out, AnnotatedProblem)] == ["p1", "p2"]
    assert [row.id for row in read_rows(out, AnnotatedProblem)] == ["p1", "p2"]
    make(out, [problem(4)], config=config, overwrite=True)
    assert [row.id for row in read_rows(out, AnnotatedProblem)] == ["p4"]
    assert (out / ".pr1" / "responses.sqlite").read_bytes() == b"answers"
    assert (out / "notes.txt").read_text() == "mine"


def test_an_open_file_holds_a_bounded_number_of_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pr1.outputs.shards.ROWS_PER_GROUP", 2)
    monkeypatch.setattr("pr1.outputs.shards.GROUPS_PER_SHARD", 3)
    make(tmp_path / "OUT", [problem(number) for number in range(15)])
    rows = list(read_rows(tmp_path / "OUT", AnnotatedProblem))
    assert [row.id for row in rows] == [f"p{number}" for number in range(15)]
    files = [pq.read_metadata(path) for path in data_files(tmp_path / "OUT")]
    assert [(file.num_row_groups, file.num_rows) for file in files] == [(3, 6), (3, 6), (2, 3)]


def test_fewer_shards_leave_none_of_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr("pr1.outputs.shards.ROWS_PER_GROUP", 1)
        small.setattr("pr1.outputs.shards.BYTES_PER_SHARD", 1)
        make(tmp_path / "OUT", [problem(1), problem(2), problem(3)])
    make(tmp_path / "OUT", [problem(4)], overwrite=True)
    (shard,) = data_files(tmp_path / "OUT")
    assert shard.name.startswith("train-00000-of-00001-")


def test_rows_made_anew_are_not_read_from_the_cache_of_datasets(tmp_path: Path) -> None:
    for number in (1, 2):
        make(tmp_path / "OUT", [problem(number)], overwrite=True)
        rows = datasets.load_dataset(str(tmp_path / "OUT"), split="train", cache_dir=tmp_path / "c")
        assert rows["id"] == [problem(number).id]


class Crash(Exception):
    pass


def interrupted(out: Path, **changes: Any) -> None:
    with start(out, **changes) as folder:
        folder.write_row(problem(1))
        folder.drop(Dropped(id="d", stage="annotate", reason="no_image"))


def test_the_same_command_resumes_an_unfinished_folder(tmp_path: Path) -> None:
    out = tmp_path / "OUT"
    interrupted(out)
    (out / ".pr1" / "responses.sqlite").write_bytes(b"answers")
    with pytest.raises(UsageError, match=r"is unfinished\. Run the command"):
        read_manifest(out)
    other_speed = RunConfig(seed=7, execution=Execution(concurrency=1))
    manifest = make(out, [problem(1), problem(2)], config=other_speed)
    assert manifest.counts.dropped == 0
    assert [row.id for row in read_rows(out, AnnotatedProblem)] == ["p1", "p2"]
    assert (out / ".pr1" / "responses.sqlite").read_bytes() == b"answers"


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"config": RunConfig(seed=8)}, ["config.seed"]),
        ({"config": RunConfig(seed=8, limit=3)}, ["config.limit", "config.seed"]),
        ({"parents": {"problems.jsonl": "2" * 64}}, ["parents.problems.jsonl"]),
        ({"parents": {}}, ["parents.problems.jsonl"]),
        ({"prompts": {"extract": "3" * 64}}, ["prompts.extract"]),
    ],
)
def test_another_identity_is_refused_by_its_keys(
    tmp_path: Path, changes: dict[str, Any], keys: list[str]
) -> None:
    interrupted(tmp_path)
    with pytest.raises(UsageError) as caught:
        start(tmp_path, **changes)
    assert f"differs in {', '.join(keys)}. " in str(caught.value)
    make(tmp_path, [problem()], **changes, overwrite=True)
    assert read_manifest(tmp_path).counts.rows == 1


@pytest.mark.parametrize("is_finished", [True, False])
def test_another_stage_is_refused_even_with_overwrite(tmp_path: Path, is_finished: bool) -> None:
    if is_finished:
        make(tmp_path, [problem()])
    else:
        interrupted(tmp_path)
    with pytest.raises(UsageError, match="of `pr1 annotate`"):
        start(tmp_path, stage="filter", row_model=TrainRow, overwrite=True)


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    ("name", "text"),
    [("thesis.tex", "mine"), ("manifest.json", "{}"), ("manifest.json", '{"name": "web app"}')],
)
def test_somebody_elses_folder_is_left_alone(
    tmp_path: Path, name: str, text: str, overwrite: bool
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="files that pr1 did not make"):
        start(tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == text


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "OUT").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        start(tmp_path / "OUT")
    with pytest.raises(UsageError, match="cannot be written"):
        start(tmp_path / "OUT" / "inner")


def test_a_damaged_run_state_says_what_to_do(tmp_path: Path) -> None:
    interrupted(tmp_path)
    for text in ("{", "[1]", '"text"'):
        (tmp_path / ".pr1" / "run.json").write_text(text)
        with pytest.raises(UsageError, match="Delete that file"):
            start(tmp_path)


def test_two_writers_do_not_share_a_folder(tmp_path: Path) -> None:
    with start(tmp_path), pytest.raises(UsageError, match="written by another pr1 process"):
        start(tmp_path)
    make(tmp_path, [problem()])


def test_the_lock_holds_between_processes_and_dies_with_them(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from contextlib import ExitStack\n"
        "from pr1.outputs.claim import claim_folder\n"
        "held = ExitStack()\n"
        "claim_folder(Path(sys.argv[1]), held, stage='annotate',"
        " identity={'stage': 'annotate'}, overwrite=True)\n"
        "print('held', flush=True); sys.stdin.read(); os._exit(9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="written by another pr1 process"):
            start(tmp_path, overwrite=True)
        process.communicate("")
    make(tmp_path, [problem()], overwrite=True)


@pytest.mark.parametrize("fails_at", range(8))
def test_a_crash_while_publishing_leaves_a_folder_that_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    out = tmp_path / "OUT"
    make(out, [problem(1)])
    calls = 0
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        nonlocal calls
        if "new" in self.parts:
            calls += 1
            if calls > fails_at:
                raise Crash
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    if fails_at < 5:
        with pytest.raises(Crash):
            make(out, [problem(2)], overwrite=True)
        with pytest.raises(UsageError, match="is unfinished"):
            read_manifest(out)
    monkeypatch.undo()
    make(out, [problem(2)], overwrite=fails_at >= 5)
    assert [row.id for row in read_rows(out, AnnotatedProblem)] == ["p2"]


def test_reading_refuses_what_is_not_there_or_not_whole(tmp_path: Path) -> None:
    out = tmp_path / "OUT"
    with pytest.raises(UsageError, match="no such folder"):
        list(read_rows(out, AnnotatedProblem))
    out.mkdir()
    with pytest.raises(UsageError, match="no pr1 command made it"):
        list(read_rows(out, AnnotatedProblem))
    make(out, [problem()])
    with pytest.raises(UsageError, match="rows of `pr1 annotate`, which are no TrainRow"):
        list(read_rows(out, TrainRow))
    (path,) = data_files(out)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_rows(out, AnnotatedProblem))
    path.unlink()
    with pytest.raises(UsageError, match="holds 0 rows, but the manifest counts 1"):
        list(read_rows(out, AnnotatedProblem))
    (out / "manifest.json").write_text('{"stage": 1}')
    with pytest.raises(UsageError, match="not a manifest that this version of pr1 reads"):
        read_manifest(out)


def test_the_manifest_holds_no_folders_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["pr1", "filter", str(tmp_path / "in"), "-o", "OUT"])
    config = FilterConfig(annotated=str(tmp_path / "in"), decontaminate=["~/eval.jsonl", "../t"])
    make(tmp_path / "OUT", [], config=config, stage="filter", row_model=TrainRow, command=None)
    manifest = read_manifest(tmp_path / "OUT")
    assert manifest.command == "pr1 filter in -o OUT"
    assert manifest.config["annotated"] == "in"
    assert manifest.config["decontaminate"] == ["eval.jsonl", "../t"]
    published = (tmp_path / "OUT" / "manifest.json").read_text()
    assert str(tmp_path) not in published + (tmp_path / "OUT" / "README.md").read_text()


def test_the_front_matter_points_at_the_rows_alone(tmp_path: Path) -> None:
    make(tmp_path, [problem()])
    _, front, _ = (tmp_path / "README.md").read_text().split("---\n", 2)
    ((file,),) = [config["data_files"] for config in yaml.safe_load(front)["configs"]]
    assert file["split"] == "train"
    assert list(tmp_path.glob(file["path"])) == data_files(tmp_path)


def test_the_hashes_of_a_folder_that_pr1_made_are_those_of_its_rows(tmp_path: Path) -> None:
    make(tmp_path / "OUT", [problem()])
    (rows,) = data_files(tmp_path / "OUT")
    expected = hashlib.sha256(rows.read_bytes()).hexdigest()
    assert file_hashes(tmp_path / "OUT") == {f"OUT/data/{rows.name}": expected}
