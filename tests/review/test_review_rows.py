"""Any row at once, as it stands; a damaged one says so and takes nothing with it."""

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from annotated_sets import annotated, picture
from published_sets import train_row, train_set
from reviewed_sets import TEXT, annotated_set, choose, judged_row, judged_set, problem

from pr1.outputs.rows import data_files
from pr1.review.log import ReviewLog
from pr1.review.rows import ReviewSet
from pr1.schemas.errors import InputError, UsageError
from pr1.schemas.records import TrainAnnotation


def rewritten(folder: Path, change) -> None:
    """Replace the folder's one row file by what `change` makes of its rows, in groups of 2."""
    (path,) = data_files(folder)
    table = pq.read_table(path)
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path, row_group_size=2)


def test_an_annotated_row(tmp_path):
    rows = ReviewSet(annotated_set(tmp_path / "set", problem(0), problem(1)))
    row = rows.row_as_written(1)
    assert (rows.stage, rows.total, rows.name, rows.ids) == ("annotate", 2, "set", ["p0", "p1"])
    assert (row.number, row.id, row.pictures, row.broken) == (1, "p1", 1, None)
    assert [(one.id, one.text, one.is_correct) for one in row.texts] == [
        ("p1-t1", TEXT, True),
        ("p1-t2", TEXT, True),
        ("p1-t3", TEXT, False),
    ]
    assert [(one.key, one.origin, one.text_id, one.support) for one in row.annotations] == [
        ("a1", "kept", "p1-t1", 2),
        ("a2", "kept", "p1-t2", 2),
        ("r1", "rejected", "p1-t1", None),
        ("r2", "rejected", None, None),
    ]
    quoted = row.annotations[2]
    assert TEXT[quoted.start : quoted.end] == "CD = 9"
    assert rows.picture(1, 0).bytes == picture(1).bytes


def test_a_training_row_is_named_by_place_and_not_by_number(tmp_path):
    gaps = [TrainAnnotation(id=n, statement=f"fact {n}", kind="value") for n in (3, 7)]
    row = ReviewSet(train_set(tmp_path / "set", train_row(0, annotations=gaps))).row_as_written(0)
    assert [(one.key, one.statement) for one in row.annotations] == [
        ("a1", "fact 3"),
        ("a2", "fact 7"),
    ]
    assert (row.texts, row.pictures) == ([], 1)


def test_a_judged_row_and_what_a_person_says_of_it(tmp_path):
    folder = judged_set(tmp_path / "set", judged_row(0), judged_row(1, words=[]))
    rows = ReviewSet(folder)
    with ReviewLog(folder, "ada") as log:
        log.append(choose("c0", "accept", target="a1"))
        log.append(choose("c0", "verdict", target="a2", verdict="contradicted"))
        row = rows.row(0, log)
        assert [(one.verdict, one.decided_verdict) for one in row.annotations] == [
            ("reflected", "reflected"),
            ("absent", "contradicted"),
        ]
        log.append(choose("c0", "accept", target="a2"))
        assert rows.row(0, log).annotations[1].decided_verdict == "absent"
        assert [one.verdict for one in rows.row(1, log).annotations] == [None, None]
    assert [one.id for one in row.texts] == ["completion"]
    with pytest.raises(IndexError):
        rows.picture(0, 0)


def test_there_is_no_row_and_no_picture_beyond(tmp_path):
    rows = ReviewSet(annotated_set(tmp_path / "set"))
    for number in (-1, 3):
        with pytest.raises(IndexError):
            rows.row_as_written(number)
    for place in ((0, 1), (0, -1), (3, 0)):
        with pytest.raises(IndexError):
            rows.picture(*place)


def test_every_row_of_many_groups_is_found(tmp_path):
    many = [problem(n, images=[picture(n % 3)] * (n % 4)) for n in range(250)]
    rows = ReviewSet(annotated_set(tmp_path / "set", *many))
    for number in (0, 99, 100, 199, 200, 249):
        row = rows.row_as_written(number)
        assert (row.id, row.pictures) == (f"p{number}", number % 4)
    assert [record.id for record in rows.records()] == rows.ids
    assert [record.images for record in rows.records()] == [row.images for row in many]


def test_an_empty_set_has_no_rows(tmp_path):
    rows = ReviewSet(annotated(tmp_path / "set", []))
    assert (rows.total, rows.ids, list(rows.records())) == (0, [], [])


def test_a_row_that_is_none_is_shown_as_broken(tmp_path):
    def damage(rows):
        rows[1]["annotations"][0]["kind"] = "smell"
        rows[2]["trajectories"] = None
        rows[3]["id"] = None
        rows[4]["metadata"] = "{"
        return rows

    folder = annotated_set(tmp_path / "set", *map(problem, range(6)))
    rewritten(folder, damage)
    rows = ReviewSet(folder)
    assert rows.ids == ["p0", "p1", "p2", "(row 3)", "p4", "p5"]
    shown = [rows.row_as_written(number) for number in range(6)]
    assert [row.broken is None for row in shown] == [True, False, False, False, False, True]
    assert "kind" in shown[1].broken
    faults = [one for one in rows.records() if isinstance(one, InputError)]
    assert [one.message.partition(":")[0] for one in faults] == ["row 1", "row 2", "row 3", "row 4"]


def test_a_row_with_the_id_of_an_earlier_one_is_broken(tmp_path):
    folder = annotated_set(tmp_path / "set", problem(0), problem(1, id="p0"))
    rows = ReviewSet(folder)
    assert rows.ids == ["p0", "(row 1)"]
    assert "same id" in rows.row_as_written(1).broken


def test_a_damaged_group_takes_only_its_own_rows(tmp_path):
    folder = annotated_set(tmp_path / "set", *map(problem, range(6)))
    rewritten(folder, list)
    (path,) = data_files(folder)
    group = pq.read_metadata(path).row_group(1)
    content = bytearray(path.read_bytes())
    for number in range(group.num_columns):
        column = group.column(number)
        start = column.dictionary_page_offset or column.data_page_offset
        content[start : start + column.total_compressed_size] = b"\xff" * (
            column.total_compressed_size
        )
    path.write_bytes(content)
    rows = ReviewSet(folder)
    assert rows.ids == ["p0", "p1", "(row 2)", "(row 3)", "p4", "p5"]
    assert [rows.row_as_written(n).broken is None for n in range(6)] == [1, 1, 0, 0, 1, 1]
    codes = [one.code if isinstance(one, InputError) else one.id for one in rows.records()]
    assert codes == ["p0", "p1", "wrong_row", "wrong_row", "p4", "p5"]


@pytest.mark.parametrize("damage", [b"", b"PAR1 nothing PAR1"])
def test_a_file_without_a_footer_is_refused(tmp_path, damage):
    folder = annotated_set(tmp_path / "set")
    data_files(folder)[0].write_bytes(damage)
    with pytest.raises(UsageError, match="Make the folder again"):
        ReviewSet(folder)


def test_missing_rows_are_refused(tmp_path):
    folder = annotated_set(tmp_path / "set")
    data_files(folder)[0].unlink()
    with pytest.raises(UsageError, match="holds 0 rows, but the manifest counts 3"):
        ReviewSet(folder)


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(UsageError, match="output of `pr1 collect`, which has no annotations"):
        ReviewSet(annotated(tmp_path / "set", [problem(0)], stage="collect"))
    with pytest.raises(UsageError, match="no such folder"):
        ReviewSet(tmp_path / "missing")


def test_threads_read_at_once(tmp_path):
    rows = ReviewSet(annotated_set(tmp_path / "set", *map(problem, range(120))))
    wrong = []

    def read(offset):
        for number in range(offset, 120, 4):
            found = rows.row_as_written(number).id, rows.picture(number, 0).bytes
            if found != (f"p{number}", picture(number).bytes):
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
