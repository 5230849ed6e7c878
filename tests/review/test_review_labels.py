"""A person's verdicts become labels that the calibration reads."""

import pytest
from reviewed_sets import TEXT, annotated_set, choose, judged_row, judged_set

from pr1.judge.labels import read_labels
from pr1.review.labels import write_labels
from pr1.review.log import ReviewLog
from pr1.schemas.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    folder = judged_set(tmp_path / "set", judged_row(0), judged_row(1), judged_row(2, words=[]))
    with ReviewLog(folder, "ada") as log:
        log.append(choose("c0", "accept", target="a1"))
        log.append(choose("c0", "verdict", target="a2", verdict="reflected"))
        log.append(choose("c1", "verdict", target="a1", verdict="contradicted"))
        log.append(choose("c1", "undo", undoes=3))
        log.append(choose("c2", "verdict", target="a2", verdict="contradicted"))
        log.append(choose("c2", "done"))
    return folder


def test_verdicts_are_read_back_as_labels(folder, tmp_path):
    out = tmp_path / "labels.jsonl"
    assert write_labels(folder, out) == 3
    labels = read_labels(out)
    assert labels.faults == ()
    assert [(one.annotation, one.label, one.kind) for one in labels.pairs] == [
        ("AB = 5", "reflected", "length"),
        ("The bar is red", "reflected", "colour"),
        ("The bar is red", "contradicted", "colour"),
    ]
    assert {one.completion for one in labels.pairs} == {TEXT}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()].count(
        ".labels.jsonl.new"
    ) == 0


def test_a_file_is_replaced_only_when_told(folder, tmp_path):
    out = tmp_path / "labels.jsonl"
    out.write_text("mine")
    with pytest.raises(UsageError, match="--overwrite"):
        write_labels(folder, out)
    assert out.read_text() == "mine"
    assert write_labels(folder, out, overwrite=True) == 3
    with pytest.raises(UsageError, match="there already"):
        write_labels(folder, folder, overwrite=True)


def test_without_a_verdict_nothing_is_written(tmp_path):
    folder = judged_set(tmp_path / "set")
    with ReviewLog(folder, "ada") as log:
        log.append(choose("c0", "done"))
    with pytest.raises(UsageError, match="nobody has accepted or corrected a verdict"):
        write_labels(folder, tmp_path / "labels.jsonl")
    assert not (tmp_path / "labels.jsonl").exists()


def test_only_judged_folders_give_labels(tmp_path):
    with pytest.raises(UsageError, match="output of `pr1 annotate`"):
        write_labels(annotated_set(tmp_path / "set"), tmp_path / "labels.jsonl")


def test_a_place_that_cannot_be_written_is_told(folder, tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_labels(folder, tmp_path / "missing" / "labels.jsonl")
