"""The order of need, its reasons, and the filters."""

import pytest
from annotated_sets import annotated
from published_sets import train_row, train_set
from reviewed_sets import (
    annotated_set,
    choose,
    judged_row,
    judged_set,
    problem,
    rejection,
    trajectories,
    visual,
)

from pr1.review.log import ReviewLog
from pr1.review.queue import Filters, Neighbours, Queue
from pr1.review.rows import ReviewSet
from pr1.schemas.records import TrainAnnotation


@pytest.fixture
def queue_of():
    opened = []

    def queue(folder):
        log = ReviewLog(folder, "ada")
        opened.append(log)
        return Queue(ReviewSet(folder), log), log

    yield queue
    for log in opened:
        log.close()


def lone(number, **changes):
    """A problem of which each fact is stated by one of two right trajectories."""
    facts = [visual(1, "AB = 5", "AB = 5", f"p{number}-t1", support=1)]
    return problem(number, annotations=facts, **changes)


def contradicting(number):
    second = visual(2, "$BA$ is 7", "AB = 5", f"p{number}-t2")
    return problem(number, annotations=[visual(1, "AB = 5", "AB = 5", f"p{number}-t1"), second])


def doubtful(number):
    return problem(number, rejected=[rejection("t", reason="unclear")] * 9)


def test_what_needs_a_person_most_comes_first(tmp_path, queue_of):
    rows = [problem(0), doubtful(1), lone(2), contradicting(3), lone(4), problem(5)]
    queue, _ = queue_of(annotated_set(tmp_path / "set", *rows))
    assert queue.numbers(Filters()) == [3, 2, 4, 1, 0, 5]
    assert queue.numbers(Filters(order="file")) == [0, 1, 2, 3, 4, 5]
    assert queue.why(3) == ["contradictory: AB = 5 against $BA$ is 7"]
    assert queue.why(2) == ["1 stated by one trajectory alone"]
    assert queue.why(1) == ["9 rejected as unclear or for lack of support"]
    assert queue.why(0) == []


def test_no_number_of_small_doubts_outweighs_a_grave_one(tmp_path, queue_of):
    many = [visual(n, f"fact {n}", "AB = 5", "p0-t1", support=1) for n in range(1, 150)]
    rows = [problem(0, annotations=many), contradicting(1)]
    queue, _ = queue_of(annotated_set(tmp_path / "set", *rows))
    assert queue.numbers(Filters()) == [1, 0]


def test_a_lone_statement_is_no_doubt_where_there_is_one_right_trajectory(tmp_path, queue_of):
    one_right = trajectories("p0")[1:]
    queue, _ = queue_of(annotated_set(tmp_path / "set", lone(0, trajectories=one_right)))
    assert queue.why(0) == []
    assert not queue.has("low-support")


def test_annotations_that_hurt_come_before_contradictions(tmp_path, queue_of):
    stated = [
        TrainAnnotation(id=n, statement=f"AB = {n}", kind="length", weight=1.0) for n in (1, 2)
    ]
    rows = [
        train_row(0, bucket="perception-limited"),
        train_row(1, annotations=stated),
        train_row(2, bucket="annotations-hurt"),
    ]
    queue, _ = queue_of(train_set(tmp_path / "set", *rows))
    assert queue.numbers(Filters()) == [2, 1, 0]
    assert queue.why(2) == ["the policy answers worse with the annotations"]
    assert queue.why(1) == ["contradictory: AB = 1 against AB = 2"]
    assert queue.buckets == ["annotations-hurt", "perception-limited"]
    assert queue.numbers(Filters(bucket="perception-limited")) == [0]
    assert queue.numbers(Filters(bucket="mastered")) == []


def test_judged_rows_by_what_they_cost(tmp_path, queue_of):
    words = [["reflected"] * 2, ["absent"] * 2, ["contradicted", "absent"], []]
    rows = [judged_row(number, words=it) for number, it in enumerate(words)]
    queue, _ = queue_of(judged_set(tmp_path / "set", *rows))
    assert queue.numbers(Filters()) == [3, 2, 1, 0]
    assert queue.numbers(Filters(only="failed")) == [3]
    assert queue.numbers(Filters(verdict="absent")) == [2, 1]
    assert [queue.why(number) for number in range(4)] == [
        [],
        ["2 absent"],
        ["1 contradicted", "1 absent"],
        ["not judged"],
    ]


def test_filters_meet(tmp_path, queue_of):
    rows = [problem(0), lone(1), problem(2, rejected=[]), contradicting(3)]
    queue, log = queue_of(annotated_set(tmp_path / "set", *rows))
    assert queue.kinds == ["length", "colour"]
    assert queue.numbers(Filters(kind="colour")) == [0, 2]
    assert queue.numbers(Filters(kind="angle")) == []
    assert queue.numbers(Filters(only="rejected")) == [3, 1, 0]
    assert queue.numbers(Filters(only="rejected", kind="colour")) == [0]
    assert queue.numbers(Filters(only="low-support")) == [1]
    assert queue.numbers(Filters(only="contradicting")) == [3]
    log.append(choose("p3", "done"))
    log.append(choose("p0", "comment", text="hm"))
    assert queue.numbers(Filters(only="open")) == [1, 0, 2]
    assert queue.numbers(Filters(only="done")) == [3]
    assert queue.numbers(Filters(only="commented")) == [0]
    log.append(choose("p3", "undo", undoes=1))
    assert queue.numbers(Filters(only="open")) == [3, 1, 0, 2]


def test_decisions_do_not_move_the_order(tmp_path, queue_of):
    rows = [problem(0), contradicting(1), lone(2)]
    queue, log = queue_of(annotated_set(tmp_path / "set", *rows))
    before = queue.numbers(Filters())
    log.append(choose("p1", "reject", target="a1"))
    log.append(choose("p2", "accept", target="a1"))
    assert queue.numbers(Filters()) == before


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("P1", [1]),
        ("ÜBER", [1]),
        ("The bar is RED", [0, 1, 2]),
        ("STATED nowhere", []),
        ("cd = 9", [0, 1, 2]),
        ("%", []),
        (".*", []),
        ("looked at", [2]),
        ("   ", [0, 1, 2]),
    ],
)
def test_search(tmp_path, queue_of, words, found):
    rows = [problem(0), lone(1, question="Wie lang ist die Strecke über C?"), problem(2)]
    queue, log = queue_of(annotated_set(tmp_path / "set", *rows))
    log.append(choose("p2", "comment", text="Looked at twice"))
    assert queue.numbers(Filters(search=words, order="file")) == found


def test_search_in_completions_and_training_rows(tmp_path, queue_of):
    queue, _ = queue_of(judged_set(tmp_path / "judged", judged_row(0), judged_row(1)))
    assert queue.numbers(Filters(search="so cd")) == [0, 1]
    queue, _ = queue_of(train_set(tmp_path / "chosen", train_row(0), train_row(1)))
    assert queue.numbers(Filters(search="bar 1 IS")) == [1]


def test_neighbours(tmp_path, queue_of):
    queue, log = queue_of(annotated_set(tmp_path / "set", problem(0), lone(1), contradicting(2)))
    wanted = Filters(only="open")
    assert queue.neighbours(1, wanted) == Neighbours(2, 3, 2, 0)
    log.append(choose("p1", "done"))
    assert queue.neighbours(1, wanted) == Neighbours(0, 2, 2, 0)
    assert queue.neighbours(2, wanted) == Neighbours(1, 2, None, 0)


def test_an_empty_set_has_an_empty_queue(tmp_path, queue_of):
    queue, _ = queue_of(annotated(tmp_path / "set", []))
    assert queue.numbers(Filters(search="x")) == []
    assert (queue.kinds, queue.buckets) == ([], [])


def test_rows_of_many_groups_keep_their_numbers(tmp_path, queue_of):
    special = {7: lone, 150: contradicting, 230: lone}
    rows = [special.get(number, problem)(number) for number in range(250)]
    queue, _ = queue_of(annotated_set(tmp_path / "set", *rows))
    assert queue.numbers(Filters())[:3] == [150, 7, 230]
    assert queue.numbers(Filters(search="p230-")) == []
    assert queue.numbers(Filters(search="p230")) == [230]
