"""The commands of docs/tutorial.md, one after the other, as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import load_dataset

from pr1.review.decisions import Choice
from pr1.review.log import ReviewLog
from pr1.review.rows import ReviewSet

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


def run(command: str, folder: Path) -> str:
    program, *arguments = shlex.split(command)
    assert program == "pr1"
    done = subprocess.run(
        [sys.executable, "-m", "pr1", *arguments],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def review_as_a_person_would(folder: Path) -> None:
    """One rejection, where the tutorial opens the page."""
    with ReviewLog(folder, "a reader") as log:
        row = ReviewSet(folder).row(0, log)
        log.append(Choice(row=row.id, action="reject", target=row.annotations[0].key))


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path):
    (tmp_path / "data").symlink_to(ROOT / "data")
    assert len(COMMANDS) >= 9
    for command in COMMANDS:
        if command == "pr1 review out/annotated":
            review_as_a_person_would(tmp_path / "out" / "annotated")
        else:
            run(command, tmp_path)
    assert not (tmp_path / "out" / "collected").exists()  # a dry run
    before = load_dataset(str(tmp_path / "out" / "annotated"), split="train")
    published = load_dataset(str(tmp_path / "out" / "published"), split="train")
    assert len(published) == len(before) == 50
    (authors,) = (tmp_path / "out" / "authors").glob("**/*.parquet")
    assert set(load_dataset("parquet", data_files=str(authors), split="train").column_names) == {
        *("images", "problem", "answer", "visual_key_info")
    }
    assert "reviewed" in (tmp_path / "out" / "published" / "README.md").read_text()
