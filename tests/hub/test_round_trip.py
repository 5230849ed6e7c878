"""What was pushed, fetched again: `datasets` opens it, and `pr1 train` takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from datasets import Image, List, load_dataset
from fake_hub import FakeHub
from train_sets import train_rows, write_train_set
from typer.testing import CliRunner

from pr1.cli import app
from pr1.hub import push, write
from pr1.outputs.rows import read_rows
from pr1.schemas.records import TrainRow

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

MODEL = Path(__file__).parents[2] / "data" / "miniature" / "base"


def fetched(hub: FakeHub, to: Path) -> Path:
    for name, content in hub.repositories["lab/bars"].files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(content)
    return to


def test_what_was_pushed_loads_as_it_was_written(hub: FakeHub, tmp_path: Path) -> None:
    rows = train_rows(5)
    push(write_train_set(tmp_path / "OUT", rows), "lab/bars")
    folder = fetched(hub, tmp_path / "fetched")
    loaded = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.features["images"] == List(Image())
    assert loaded["id"][:] == [row.id for row in rows]
    assert loaded[0]["images"][0].size == (48, 48)
    assert list(read_rows(folder, TrainRow)) == rows


@pytest.mark.slow
def test_what_to_wrote_is_taken_by_train(tmp_path: Path) -> None:
    folder = write_train_set(tmp_path / "OUT", train_rows(20))
    write(folder, tmp_path / "to")
    result = CliRunner().invoke(
        app,
        [
            *("train", str(tmp_path / "to"), "--config", "tiny-cpu", "--model", str(MODEL)),
            *("--judge-model", "rules", "-o", str(tmp_path / "run"), "--dry-run"),
        ],
    )
    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert plan["inconsistencies"] == []
