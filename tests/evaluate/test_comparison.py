"""Matching, and the numbers of a comparison: each follows from the counts and from pr1.stats."""

import csv
import json
import math
from pathlib import Path

import pytest

from pr1.evaluate.comparison import compare
from pr1.evaluate.matching import read_matched
from pr1.schemas.errors import InputError, UsageError
from pr1.stats import (
    benjamini_hochberg,
    mcnemar_exact,
    mcnemar_power,
    risk_difference,
    sign_flip,
    wilson,
)

REAL = Path(__file__).parents[3] / "shared/real"


def outcomes(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def two_files(tmp_path, a, b):
    return outcomes(tmp_path / "a.jsonl", a), outcomes(tmp_path / "b.jsonl", b)


def table_files(tmp_path, both, lost, gained, neither, wrap=int):
    pairs = [(1, 1)] * both + [(1, 0)] * lost + [(0, 1)] * gained + [(0, 0)] * neither
    a = [{"id": i, "correct": wrap(first)} for i, (first, _) in enumerate(pairs)]
    b = [{"id": i, "correct": wrap(second)} for i, (_, second) in enumerate(pairs)]
    return two_files(tmp_path, a, b)


def compared(paths, by=None, seed=0):
    (report,) = compare(read_matched(*paths), by, seed)
    return report


@pytest.mark.parametrize("wrap", [int, bool, lambda value: [value]], ids=["int", "bool", "K=1"])
def test_one_sample_per_problem_is_a_table(tmp_path, wrap):
    whole = compared(table_files(tmp_path, 24, 1, 5, 20, wrap)).overall
    accuracy, table = whole.accuracy, whole.table
    assert (table.both, table.lost, table.gained, table.neither) == (24, 1, 5, 20)
    assert accuracy.test == "exact McNemar"
    assert accuracy.p_value == mcnemar_exact(1, 5)
    assert tuple(accuracy.difference.model_dump().values()) == risk_difference(24, 1, 5, 20)
    assert (accuracy.b.low, accuracy.b.high) == tuple(wilson(29, 50))
    assert accuracy.q_value is None
    # The needed number has the power at the rates seen, and one problem fewer has not.
    needed = accuracy.problems_needed
    assert mcnemar_power(needed, 0.02, 0.1) >= 0.8 > mcnemar_power(needed - 1, 0.02, 0.1)


@pytest.mark.parametrize(
    ("counts", "a", "b"),
    [((10, 0, 0, 0), 1, 1), ((0, 0, 0, 10), 0, 0), ((0, 10, 0, 0), 1, 0), ((4, 0, 0, 6), 0.4, 0.4)],
    ids=["all solved", "none solved", "all lost", "no discordant pair"],
)
def test_tables_with_empty_cells(tmp_path, counts, a, b):
    whole = compared(table_files(tmp_path, *counts)).overall
    accuracy = whole.accuracy
    assert (accuracy.a.value, accuracy.b.value) == (a, b)
    assert accuracy.p_value == mcnemar_exact(counts[1], counts[2])
    assert tuple(accuracy.difference.model_dump().values()) == risk_difference(*counts)
    if a == b:
        assert accuracy.problems_needed is None
        assert whole.table.odds_ratio.value is None


def test_one_problem_is_compared_too(tmp_path):
    whole = compared(table_files(tmp_path, 0, 0, 1, 0)).overall
    assert whole.accuracy.p_value == 1.0
    assert whole.accuracy.detectable is None


def test_several_samples_are_tested_by_sign_flips(tmp_path):
    a = [{"id": i, "correct": [1, 0, 0, 0]} for i in range(6)]
    b = [{"id": i, "correct": [1, 1, 0, i % 2]} for i in range(6)]
    whole = compared(two_files(tmp_path, a, b)).overall
    assert whole.table is None
    assert whole.samples == (4, 4)
    assert not whole.has_unequal_samples
    accuracy = whole.accuracy
    assert accuracy.test == "sign-flip"
    assert accuracy.is_exact
    assert accuracy.p_value == sign_flip([0.25, 0.5] * 3, seed=0).p_value == 2 / 2**6
    assert (accuracy.a.value, accuracy.b.value) == (0.25, 0.625)
    assert accuracy.difference.low < 0.375 < accuracy.difference.high


def test_several_samples_that_never_differ_have_no_interval(tmp_path):
    rows = [{"id": i, "correct": [1, 0]} for i in range(5)]
    accuracy = compared(two_files(tmp_path, rows, rows)).overall.accuracy
    assert accuracy.p_value == 1.0
    assert accuracy.difference.value == 0
    assert accuracy.difference.low is None
    assert accuracy.detectable is None


def test_unequal_numbers_of_samples_are_noticed(tmp_path):
    a = [{"id": 1, "correct": [1, 0]}, {"id": 2, "correct": 1}]
    b = [{"id": 1, "correct": [1, 0, 1]}, {"id": 2, "correct": 1}]
    whole = compared(two_files(tmp_path, a, b)).overall
    assert whole.has_unequal_samples
    assert whole.samples == (1, 3)


def test_who_is_left_out_is_counted(tmp_path):
    a = [{"id": i, "correct": None if i == 4 else 1} for i in (1, 2, 3, 4, 9)]
    b = [{"id": str(i), "correct": 0} for i in (9, 4, 3, 7, 8, 10)]
    report = compared(two_files(tmp_path, a, b))
    assert report.left_out == {"only_a": 2, "only_b": 3, "not_scored": 1}
    assert report.overall.accuracy.problems == 2
    assert report.overall.table.lost == 2


def test_no_id_in_common(tmp_path):
    paths = two_files(tmp_path, [{"id": 1, "correct": 1}], [{"id": 2, "correct": 1}])
    with pytest.raises(UsageError, match=r"no id in common.*'1'.*'2'"):
        read_matched(*paths)


def test_nothing_scored_in_both(tmp_path):
    paths = two_files(tmp_path, [{"id": 1, "correct": 1}], [{"id": 1, "correct": None}])
    with pytest.raises(UsageError, match="no problem that is scored in both"):
        read_matched(*paths)


def test_a_file_is_not_compared_with_itself(tmp_path):
    path = outcomes(tmp_path / "a.jsonl", [{"id": 1, "correct": 1}])
    (tmp_path / "link.jsonl").symlink_to(path)
    with pytest.raises(UsageError, match="one file"):
        read_matched(path, tmp_path / "link.jsonl")


def test_files_of_one_name_are_told_apart_by_their_paths(tmp_path):
    for name in ("base", "tuned"):
        (tmp_path / name).mkdir()
        outcomes(tmp_path / name / "outcomes.jsonl", [{"id": 1, "correct": 1}])
    paths = [tmp_path / name / "outcomes.jsonl" for name in ("base", "tuned")]
    (matched,) = read_matched(*paths)
    assert (matched.model_a, matched.model_b) == tuple(map(str, paths))


def test_perception_is_compared_where_both_have_it(tmp_path):
    a = [{"id": i, "correct": 1, "perception": 0.25} for i in range(4)]
    b = [{"id": i, "correct": 1, "perception": None if i == 0 else 0.5 + i / 8} for i in range(4)]
    perception = compared(two_files(tmp_path, a, b)).overall.perception
    assert perception.problems == 3
    assert perception.a.value == 0.25
    assert perception.b.value == 0.75
    assert perception.p_value == 2 / 2**3


def test_perception_in_one_file_only_is_none(tmp_path):
    a = [{"id": 1, "correct": 1, "perception": 0.25}]
    assert compared(two_files(tmp_path, a, [{"id": 1, "correct": 1}])).overall.perception is None


def test_groups_have_q_values_among_themselves(tmp_path):
    a = [{"id": i, "correct": i % 3 == 0, "subject": "xyz"[i % 3]} for i in range(60)]
    b = [{"id": i, "correct": i % 3 != 2, "perception": 1} for i in range(60)]
    report = compared(two_files(tmp_path, a, b), by="subject")
    assert [group.name for group in report.groups] == ["x", "y", "z"]
    assert [group.accuracy.problems for group in report.groups] == [20, 20, 20]
    p_values = [group.accuracy.p_value for group in report.groups]
    assert [group.accuracy.q_value for group in report.groups] == benjamini_hochberg(p_values)
    assert report.overall.accuracy.q_value is None


def test_a_group_that_is_not_stated_is_a_group(tmp_path):
    a = [{"id": 1, "correct": 1, "level": 3}, {"id": 2, "correct": 0, "level": None}]
    b = [{"id": 1, "correct": 1, "level": "3"}, {"id": 2, "correct": 0}]
    report = compared(two_files(tmp_path, a, b), by="level")
    assert [group.name for group in report.groups] == ["(none)", "3"]


def test_files_that_disagree_about_a_group_are_named(tmp_path):
    a, b = ([{"id": 1, "correct": 1, "level": level}] for level in ("easy", "hard"))
    with pytest.raises(InputError, match=r"a\.jsonl:1 and .*b\.jsonl:1: 'level' of id '1'"):
        compared(two_files(tmp_path, a, b), by="level")


@pytest.mark.parametrize(
    ("row", "message"),
    [({}, "nothing"), ({"subject": 1}, "subject"), ({"level": [1]}, "no plain value")],
)
def test_a_column_that_cannot_be_grouped_by(tmp_path, row, message):
    rows = [{"id": 1, "correct": 1} | row]
    with pytest.raises((UsageError, InputError), match=message):
        compared(two_files(tmp_path, rows, rows), by="level")


def pairs_file(tmp_path, text):
    path = tmp_path / "pairs.csv"
    path.write_text("benchmark,item_id,model_a,model_b,a_correct,b_correct,level\n" + text)
    return path


def test_a_pairs_file_holds_several_comparisons(tmp_path):
    path = pairs_file(tmp_path, "x,1,m,n,1,0,e\nx,1,m,o,1,1,e\ny,1,m,n,0,1,f\nx,2,m,n,,1,e\n")
    reports = compare(read_matched(path, None), "level", 0)
    assert [(r.overall.name, r.model_a, r.model_b) for r in reports] == [
        *(("x", "m", "n"), ("x", "m", "o"), ("y", "m", "n"))
    ]
    assert reports[0].left_out["not_scored"] == 1
    assert reports[0].overall.table.lost == 1
    assert all(report.overall.accuracy.q_value is not None for report in reports)
    assert all(report.groups[0].accuracy.q_value is not None for report in reports)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,1,m,n,1,0,e\nx,1,m,n,1,0,e\n", r":3: item_id '1' .* stands in .*:2 already"),
        ("x,1,m,n,1,maybe,e\n", r":2: 'b_correct' is 'maybe'"),
        ("x,,m,n,1,0,e\n", r":2: 'item_id' is None"),
        ("", "holds no pairs"),
    ],
)
def test_a_broken_pairs_file_is_named(tmp_path, text, message):
    with pytest.raises((InputError, UsageError), match=message):
        read_matched(pairs_file(tmp_path, text), None)


def test_one_file_of_outcomes_wants_a_second(tmp_path):
    with pytest.raises(UsageError, match=r"no pairs file\. Name a second"):
        read_matched(outcomes(tmp_path / "a.jsonl", [{"id": 1, "correct": 1}]), None)


@pytest.mark.skipif(not REAL.exists(), reason="the shared real data is not here")
def test_the_real_pairs_give_the_summary_that_came_with_them():
    summary = list(csv.DictReader((REAL / "paired_summary.csv").read_text().splitlines()))
    reports = compare(read_matched(REAL / "paired_outcomes.csv", None), None, 0)
    assert len(reports) == len(summary) == 9
    for report, row in zip(reports, summary, strict=True):
        table, accuracy = report.overall.table, report.overall.accuracy
        assert (report.overall.name, report.model_a) == (row["benchmark"], row["model_a"])
        assert accuracy.problems == int(row["n"])
        assert (table.lost, table.gained) == (int(row["a_only"]), int(row["b_only"]))
        assert table.both + table.gained == int(row["b_correct"])
        assert math.isclose(accuracy.p_value, float(row["mcnemar_exact_two_sided_p"]), rel_tol=5e-6)


def test_an_interval_never_leaves_the_scale(tmp_path):
    a = [{"id": 1, "correct": [0, 0]}, {"id": 2, "correct": [0, 1]}]
    b = [{"id": 1, "correct": [0, 1]}, {"id": 2, "correct": [0, 0]}]
    difference = compared(two_files(tmp_path, a, b)).overall.accuracy.difference
    assert (difference.low, difference.high) == (-1, 1)


def test_a_single_group_has_its_p_for_q(tmp_path):
    paths = table_files(tmp_path, 2, 0, 9, 2)
    rows = [json.loads(line) | {"subject": "s"} for line in paths[0].read_text().splitlines()]
    (group,) = compared((outcomes(paths[0], rows), paths[1]), by="subject").groups
    assert group.accuracy.q_value == group.accuracy.p_value == mcnemar_exact(0, 9)
