"""What cannot be done to a row is refused before anything is written."""

import pytest
from reviewed_sets import TEXT, annotated_set, choose, judged_row, judged_set, problem, rejection

from pr1.review.check import check_choice
from pr1.review.log import ReviewLog
from pr1.review.rows import ReviewSet
from pr1.schemas.errors import UsageError

SELECTED = {"trajectory_id": "p0-t1", "start": 0, "end": 5}


def refuse(folder, choice, match, number=0):
    rows = ReviewSet(folder)
    with ReviewLog(folder, "ada") as log, pytest.raises(UsageError, match=match):
        check_choice(choice, rows.row(number, log), log)


def allow(folder, choice, number=0):
    rows = ReviewSet(folder)
    with ReviewLog(folder, "ada") as log:
        check_choice(choice, rows.row(number, log), log)
        log.append(choice)


@pytest.mark.parametrize(
    ("choice", "match"),
    [
        (choose("p1", "done"), "row 0 is 'p0', not 'p1'"),
        (choose("p0", "accept", target="a3"), "no annotation 'a3'"),
        (choose("p0", "accept", target="a0"), "no annotation"),
        (choose("p0", "accept"), "no annotation None"),
        (choose("p0", "reject", target="../../etc/passwd"), "no annotation"),
        (choose("p0", "edit", target="a1"), "needs words"),
        (choose("p0", "edit", target="a1", statement=" \n"), "needs words"),
        (choose("p0", "edit", target="a1", statement=" ", kind="length"), "needs words"),
        (choose("p0", "add", kind="length"), "needs words"),
        (choose("p0", "add", statement="x", **SELECTED | {"end": len(TEXT) + 1}), "lie outside"),
        (choose("p0", "add", statement="x", **SELECTED | {"start": 5}), "lie outside"),
        (choose("p0", "add", statement="x", **SELECTED | {"trajectory_id": "t"}), "no text 't'"),
        (choose("p0", "add", statement="x", trajectory_id="p0-t1"), "no text"),
        (choose("p0", "add", statement="x", start=0, end=5), "no text None"),
        (choose("p0", "verdict", target="a1", verdict="absent"), "Accept or reject instead"),
        (choose("p0", "done", text="x"), "'done' takes no 'text'"),
        (choose("p0", "accept", target="a1", statement="x"), "'accept' takes no 'statement'"),
        (choose("p0", "undo", undoes=1), "decision 1 of 'p0' does not count any more"),
        (choose("p0", "undo"), "decision None"),
        (choose("p0", "accept", target="r2"), "no annotation. Edit it"),
    ],
)
def test_what_no_annotated_row_takes(tmp_path, choice, match):
    unread = rejection("p0-t3", reason="not_extracted", statement="The service was down.")
    row = problem(0, rejected=[rejection("p0-t1"), unread])
    refuse(annotated_set(tmp_path / "set", row), choice, match)


def test_a_decision_is_undone_once_and_on_its_own_row(tmp_path):
    folder = annotated_set(tmp_path / "set")
    allow(folder, choose("p0", "accept", target="a1"))
    refuse(folder, choose("p1", "undo", undoes=1), "does not count", number=1)
    allow(folder, choose("p0", "undo", undoes=1))
    refuse(folder, choose("p0", "undo", undoes=1), "does not count")
    refuse(folder, choose("p0", "undo", undoes=2), "does not count")


def test_an_added_annotation_is_there_until_it_is_undone(tmp_path):
    folder = annotated_set(tmp_path / "set")
    allow(folder, choose("p0", "add", statement="x", **SELECTED))
    allow(folder, choose("p0", "edit", target="n1", kind="angle"))
    allow(folder, choose("p0", "undo", undoes=1))
    refuse(folder, choose("p0", "reject", target="n1"), "no annotation 'n1'")


def test_words_are_kept_in_one_line_and_without_controls(tmp_path):
    folder = annotated_set(tmp_path / "set")
    allow(folder, choose("p0", "edit", target="a1", statement=" AB\n=\x00 \x1b5\u2028 "))
    with ReviewLog(folder, "ada") as log:
        assert ReviewSet(folder).row(0, log).annotations[0].statement == "AB = 5"


def test_a_judged_row_takes_verdicts_alone(tmp_path):
    folder = judged_set(tmp_path / "set", judged_row(0), judged_row(1, words=[]))
    refuse(folder, choose("c0", "reject", target="a1"), "takes verdicts")
    refuse(folder, choose("c0", "add", statement="x"), "takes verdicts")
    refuse(folder, choose("c0", "verdict", target="a1"), "verdict is missing")
    refuse(folder, choose("c1", "accept", target="a1"), "no verdict to accept", number=1)
    allow(folder, choose("c1", "verdict", target="a1", verdict="absent"), number=1)


def test_a_broken_row_can_be_left_behind(tmp_path):
    folder = annotated_set(tmp_path / "set", problem(0), problem(1, id="p0"))
    refuse(folder, choose("(row 1)", "add", statement="x"), "cannot be read", number=1)
    allow(folder, choose("(row 1)", "comment", text="twice"), number=1)
    allow(folder, choose("(row 1)", "done"), number=1)
