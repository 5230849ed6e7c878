"""The corrected set: what decisions make of it, and that every row is accounted for."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from annotated_sets import filter_problems
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_sets import train_row, train_set
from reviewed_sets import TEXT, annotated_set, choose, judged_set, problem, rejection, visual

from pr1.outputs.rows import data_files, read_manifest, read_rows
from pr1.review.apply import apply_review
from pr1.review.check import check_choice
from pr1.review.file import review_path
from pr1.review.log import ReviewLog
from pr1.review.rows import ReviewSet
from pr1.schemas.config import FilterConfig
from pr1.schemas.errors import UsageError
from pr1.schemas.records import AnnotatedProblem, TrainAnnotation, TrainRow


def decide(folder: Path, *choices) -> None:
    rows = ReviewSet(folder)
    with ReviewLog(folder, "ada") as log:
        for choice in choices:
            number = rows.ids.index(choice.row)
            check_choice(choice, rows.row(number, log), log)
            log.append(choice)


def applied(folder: Path, *choices) -> list[AnnotatedProblem]:
    decide(folder, *choices)
    out = folder.with_name("new")
    apply_review(folder, out)
    return list(read_rows(out, AnnotatedProblem))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return annotated_set(tmp_path / "set")


def test_rows_that_nobody_decided_on_pass_as_they_were(folder):
    before = list(read_rows(folder, AnnotatedProblem))
    after = applied(folder, choose("p1", "done"), choose("p2", "comment", text="hm"))
    assert after == before


def test_a_rejected_annotation_goes_to_the_rejected_ones(folder):
    row = applied(folder, choose("p0", "reject", target="a1"))[0]
    before = problem(0)
    assert row.annotations == [before.annotations[1].model_copy(update={"id": 1})]
    assert row.rejected[:2] == before.rejected
    assert row.rejected[2].model_dump() == {
        "statement": "AB = 5",
        "quote": "AB = 5",
        "trajectory_id": "p0-t1",
        "reason": "by_reviewer",
        "extractor": "rules",
    }


def test_an_edited_annotation_keeps_its_quote(folder):
    row = applied(folder, choose("p0", "edit", target="a1", statement="AB = 6", kind="value"))[0]
    before = problem(0).annotations[0]
    changes = {"statement": "AB = 6", "kind": "value", "extractor": "reviewer"}
    assert row.annotations[0] == before.model_copy(update=changes)


def test_an_edit_of_the_kind_alone_keeps_the_words_and_the_marks(tmp_path):
    marked = visual(1, "AB = 5", "AB = 5", "p0-t1", in_question=True)
    folder = annotated_set(tmp_path / "set", problem(0, annotations=[marked]))
    row = applied(folder, choose("p0", "edit", target="a1", kind="other"))[0]
    changes = {"kind": "other", "extractor": "reviewer"}
    assert row.annotations == [marked.model_copy(update=changes)]


def test_an_accepted_rejection_comes_in_with_the_place_of_its_quote(folder):
    row = applied(folder, choose("p0", "accept", target="r1"))[0]
    (entered,) = row.annotations[2:]
    assert TEXT[entered.start : entered.end] == entered.quote == "CD = 9"
    assert (entered.id, entered.kind, entered.support) == (3, "other", 1)
    assert (entered.trajectory_id, entered.extractor) == ("p0-t1", "rules")
    assert [one.quote for one in row.rejected] == ["nowhere"]


def test_a_quote_that_is_nowhere_is_left_empty(folder):
    (entered,) = applied(folder, choose("p0", "accept", target="r2"))[0].annotations[2:]
    assert (entered.quote, entered.start, entered.end) == ("", 0, 0)
    assert entered.trajectory_id == "p0-t2"


def test_an_added_annotation_quotes_the_selected_words(folder):
    selected = {"trajectory_id": "p0-t2", "start": 11, "end": 17}
    choices = [
        choose("p0", "add", statement="AB = 5 units", kind="length", **selected),
        choose("p0", "add", statement="There is a red bar"),
    ]
    first, second = applied(folder, *choices)[0].annotations[2:]
    assert (first.quote, first.extractor, first.kind) == ("AB = 5", "reviewer", "length")
    assert (second.quote, second.trajectory_id, second.kind) == ("", "", "other")


def test_what_a_person_writes_is_marked_where_question_or_answer_say_it(tmp_path):
    folder = annotated_set(tmp_path / "set", problem(0, question="With GH = 3, how long is EF?"))
    statements = ["EF = 4", "HG = 4", "GH = 3", "FE = 4", "EF = 5"]
    row = applied(folder, *(choose("p0", "add", statement=one) for one in statements))[0]
    marks = [(one.in_question, one.equals_answer) for one in row.annotations[2:]]
    assert marks == [(0, 1), (0, 1), (1, 0), (0, 1), (0, 0)]


def test_the_last_word_holds(folder):
    choices = [
        choose("p0", "reject", target="a1"),
        choose("p0", "accept", target="a1"),
        choose("p0", "edit", target="a2", statement="The bar is blue"),
        choose("p0", "edit", target="a2", statement="The bar is green"),
        choose("p0", "reject", target="a2"),
        choose("p0", "accept", target="a2"),
        choose("p0", "add", statement="It is so"),
        choose("p0", "edit", target="n7", statement="It is not"),
        choose("p0", "add", statement="gone"),
        choose("p0", "reject", target="n9"),
        choose("p0", "accept", target="r1"),
        choose("p0", "undo", undoes=11),
    ]
    row = applied(folder, *choices)[0]
    statements = [one.statement for one in row.annotations]
    assert statements == ["AB = 5", "The bar is green", "It is not"]
    assert [one.id for one in row.annotations] == [1, 2, 3]
    assert row.rejected == problem(0).rejected


def test_every_row_is_accounted_for(folder):
    decide(
        folder,
        choose("p0", "reject", target="a1"),
        choose("p0", "reject", target="a2"),
        choose("p1", "edit", target="a1", statement="AB = 6"),
        choose("p1", "done"),
    )
    out = folder.with_name("new")
    manifest = apply_review(folder, out)
    assert manifest == read_manifest(out)
    counts = manifest.counts
    assert (counts.read, counts.rows, counts.dropped, counts.failed) == (3, 2, 1, 0)
    assert counts.dropped_by_reason == {"no_annotation": 1}
    dropped = json.loads((out / "dropped.jsonl").read_text())
    assert (dropped["id"], dropped["detail"]) == ("p0", "the review rejected all 2")
    assert counts.rejected_by_reason == {"deduction": 4}
    assert manifest.facts == {
        "reviewed_by": "ada",
        "rows_reviewed": 2,
        "rows_called_done": 1,
        "rows_changed": 1,
        "rows_not_reviewed": 1,
        "annotations": 4,
        "decisions": {"done": 1, "edit": 1, "reject": 2},
    }
    review = review_path(folder)
    assert manifest.parents[review.name] == hashlib.sha256(review.read_bytes()).hexdigest()
    assert [past.stage for past in manifest.history] == ["annotate"]
    assert "reviewed by" in (out / "README.md").read_text()


def test_the_corrected_set_can_be_filtered_and_reviewed_again(folder, tmp_path):
    selected = {"trajectory_id": "p0-t3", "start": 11, "end": 17}
    applied(folder, choose("p0", "add", statement="GH is vertical", **selected))
    new = folder.with_name("new")
    config = FilterConfig(annotated=str(new), min_pixels=1)
    assert filter_problems(config, tmp_path / "chosen").counts.read == 3
    decide(new, choose("p0", "reject", target="a3"))
    apply_review(new, tmp_path / "newer")
    (first, *_) = read_rows(tmp_path / "newer", AnnotatedProblem)
    assert first.annotations == problem(0).annotations


def test_a_training_row_is_corrected(tmp_path):
    heavy = [TrainAnnotation(id=4, statement="bar 0 is 3", kind="value", weight=2.0)]
    folder = train_set(tmp_path / "set", train_row(0, annotations=heavy), train_row(1))
    decide(
        folder,
        choose("row-0", "edit", target="a1", statement="bar 0 is 4"),
        choose("row-0", "add", statement="the bar is red", kind="colour"),
        choose("row-1", "reject", target="a1"),
    )
    manifest = apply_review(folder, tmp_path / "new")
    (row,) = read_rows(tmp_path / "new", TrainRow)
    assert [one.model_dump() for one in row.annotations] == [
        {"id": 1, "statement": "bar 0 is 4", "kind": "value", "weight": 2.0},
        {"id": 2, "statement": "the bar is red", "kind": "colour", "weight": 1.0},
    ]
    assert (manifest.stage, manifest.counts.dropped_by_reason) == ("filter", {"no_annotation": 1})


def test_a_row_that_cannot_be_read_is_a_failure(tmp_path):
    folder = annotated_set(tmp_path / "set", problem(0), problem(1, id="p0"), problem(2))
    decide(folder, choose("p2", "done"))
    manifest = apply_review(folder, tmp_path / "new")
    assert manifest.counts.failed_by_error == {"duplicate_id": 1}
    assert manifest.counts.rows == 2


def test_a_decision_that_no_annotation_can_hold_is_a_failure(folder):
    with ReviewLog(folder, "ada") as log:
        log.append(choose("p0", "add", statement="  "))
    manifest = apply_review(folder, folder.with_name("new"))
    assert manifest.counts.failed_by_error == {"wrong_decision": 1}
    assert manifest.counts.rows == 2


def test_a_half_written_decision_does_not_count(folder):
    decide(folder, choose("p0", "reject", target="a1"))
    whole = review_path(folder).read_bytes()
    with review_path(folder).open("ab") as file:
        file.write(b'{"row": "p0", "action": "rej')
    manifest = apply_review(folder, folder.with_name("new"))
    assert manifest.facts["decisions"] == {"reject": 1}
    digest = hashlib.sha256(whole).hexdigest()
    assert manifest.parents["set.review.jsonl"] == digest


def test_two_runs_write_the_same_rows(folder, tmp_path):
    decide(folder, choose("p0", "add", statement="It is so"))
    for name in ("one", "two"):
        apply_review(folder, tmp_path / name)
    one, two = (data_files(tmp_path / name)[0] for name in ("one", "two"))
    assert pq.read_table(one).equals(pq.read_table(two))
    assert one.name == two.name


def test_what_cannot_be_applied_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match=r"there is no review\. Make one"):
        apply_review(folder, tmp_path / "new")
    decide(folder, choose("p0", "done"))
    with pytest.raises(UsageError, match="the reviewed folder itself"):
        apply_review(folder, folder, overwrite=True)
    with pytest.raises(UsageError, match=r"labels: pr1 review apply FOLDER -o labels\.jsonl"):
        apply_review(judged_set(tmp_path / "judged"), tmp_path / "new")
    apply_review(folder, tmp_path / "new")
    with pytest.raises(UsageError, match="--overwrite"):
        apply_review(folder, tmp_path / "new")
    assert apply_review(folder, tmp_path / "new", overwrite=True).counts.rows == 3


@pytest.mark.slow
def test_a_thousand_decisions_all_arrive(tmp_path):
    rows = [problem(number, rejected=[rejection(f"p{number}-t1")]) for number in range(50)]
    folder = annotated_set(tmp_path / "set", *rows)
    choices = [
        choose(f"p{number % 50}", "add", statement=f"fact {number}") for number in range(1_000)
    ]
    after = applied(folder, *choices)
    for number, row in enumerate(after):
        added = [one.statement for one in row.annotations if one.extractor == "reviewer"]
        assert added == [f"fact {n}" for n in range(number, 1_000, 50)]


KEYS = ["a1", "a2", "r1", "r2", "n1", "n2", "n3"]
CHOICES = st.one_of(
    st.builds(dict, action=st.sampled_from(["accept", "reject"]), target=st.sampled_from(KEYS)),
    st.builds(
        dict,
        action=st.just("edit"),
        target=st.sampled_from(KEYS),
        statement=st.sampled_from(["AB = 6", "x"]),
    ),
    st.builds(dict, action=st.just("add"), statement=st.sampled_from(["It is so", "y"])),
    st.builds(dict, action=st.just("comment"), text=st.sampled_from(["", "hm"])),
    st.builds(dict, action=st.just("undo"), undoes=st.integers(1, 8)),
    st.just({"action": "done"}),
    st.just({}),  # the process is killed and started again
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CHOICES, max_size=12))
def test_a_kill_changes_nothing_and_undoing_all_brings_the_row_back(folder, steps):
    review_path(folder).unlink(missing_ok=True)
    rows = ReviewSet(folder)
    untouched = rows.row_as_written(0)
    log = ReviewLog(folder, "ada")
    try:
        for step in steps:
            before = rows.row(0, log)
            if not step:
                log.close()
                log = ReviewLog(folder, "ada")
                assert rows.row(0, log) == before
                continue
            choice = choose("p0", **step)
            try:
                check_choice(choice, before, log)
            except UsageError:
                continue
            log.append(choice)
        while counting := log.counting("p0"):
            log.append(choose("p0", "undo", undoes=counting[-1].number))
        assert rows.row(0, log) == untouched
    finally:
        log.close()
