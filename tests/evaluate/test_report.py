"""What a comparison looks like: golden text at 80 columns, inert Markdown, and the sentences.

The golden texts change by decision only.
"""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from pr1.evaluate.comparison import compare
from pr1.evaluate.markdown import render_markdown
from pr1.evaluate.matching import read_matched
from pr1.evaluate.text import render_text
from pr1.evaluate.wording import as_plain_data, conclusions
from pr1.schemas.errors import UsageError

DOCUMENTATION = Path(__file__).parents[2] / "docs/statistics.md"
GOLDEN_TABLE = """\
A  base
B  tuned
50 problems in both

%, 95% intervals  A                   B                   B − A, points
accuracy          50.0 [36.6, 63.4]   58.0 [44.2, 70.6]   +8.0 [−2.1, +19.8]

                    B right  B wrong
A right                  24        1     McNemar, exact  p = 0.219
A wrong                   5       20     McNemar, mid-p  p = 0.125
                                         odds ratio      5.00 [0.56, 236.49]

That A and B differ in accuracy is not shown (exact McNemar p = 0.219). Nor is
it shown that they are equal: these outcomes agree with a B − A from −2.1 to
+19.8 points. A comparison on 50 problems like these misses a difference below
15.4 points more than one time in five. Were the difference the one seen (+8.0),
it would take 153 problems to find it four times out of five."""
HOSTILE = "$x^2$ | `rm` <b>\x1b[31m圆" + "!" * 200


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def reports_of(tmp_path, counts, *, more, by=None):
    """Reports on tables of (both, lost, gained, neither), one group each."""
    cells = [(1, 1), (1, 0), (0, 1), (0, 0)]
    pairs = [
        (*cell, group)
        for group, table in counts.items()
        for cell, count in zip(cells, table, strict=True)
        for _ in range(count)
    ]
    paths = [
        write(
            tmp_path / f"{name}.jsonl",
            [
                {"id": i, "correct": pair[side], "subject": pair[2]} | more(i, side)
                for i, pair in enumerate(pairs)
            ],
        )
        for side, name in enumerate(("base", "tuned"))
    ]
    return compare(read_matched(*paths), by, 0)


def nothing_more(i, side):
    return {}


def test_golden_table(tmp_path):
    reports = reports_of(tmp_path, {"all": (24, 1, 5, 20)}, more=nothing_more)
    assert render_text(reports) == GOLDEN_TABLE


def test_the_documentation_shows_that_table():
    assert GOLDEN_TABLE in DOCUMENTATION.read_text(encoding="utf-8")


def seen(i, side):
    return {"perception": (0.5 if i % 2 else 0.25) + side * 0.25}


def test_golden_groups(tmp_path):
    counts = {"angles": (40, 5, 30, 25), "圆": (10, 3, 4, 3)}
    assert render_text(reports_of(tmp_path, counts, more=seen, by="subject")) == (
        """\
A  base
B  tuned
120 problems in both

%, 95% intervals  A                   B                   B − A, points
accuracy          48.3 [39.6, 57.2]   70.0 [61.3, 77.5]   +21.7 [+11.7, +31.6]
perception        37.5 [35.3, 39.8]   62.5 [60.2, 64.7]   +25.0
sign-flip test of perception: p = 1.5e-36 (120 problems, all flips counted)

                    B right  B wrong
A right                  50        8     McNemar, exact  p = 6.9e-05
A wrong                  34       28     McNemar, mid-p  p = 4.2e-05
                                         odds ratio      4.25 [1.93, 10.63]

The accuracy of B is higher than that of A (exact McNemar p = 6.9e-05): B − A is
+21.7 points, 95% interval +11.7 to +31.6.

The perception of B is higher than that of A (sign-flip p = 1.5e-36): B − A is
+25.0 points.

B answers better, and sees better.

subject                   n     A     B  B − A, points                p        q
angles                  100  45.0  70.0  +25.0 [+14.4, +35.7]   2.2e-05  4.5e-05
圆                       20  65.0  70.0  +5.0 [−22.3, +31.7]      1.000    1.000

perception: subject       n     A     B  B − A, points                p        q
angles                  100  37.5  62.5  +25.0                  1.6e-30  3.2e-30
圆                       20  37.5  62.5  +25.0                  1.9e-06  1.9e-06

In 1 of 2 groups by subject a difference in accuracy is shown, at a
false-discovery rate of 5% (q ≤ 0.05, Benjamini-Hochberg). Of the others nothing
is shown either way; nor does a difference here and none there show that here
and there differ.

In 2 of 2 groups by subject a difference in perception is shown, at a
false-discovery rate of 5% (q ≤ 0.05, Benjamini-Hochberg)."""
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((10, 0, 0, 10), "A and B agree on every problem"),
        ((3, 0, 0, 0), "needs six on which they differ"),
        ((0, 0, 1, 0), "needs six on which they differ"),
        ((50, 6, 16, 50), "borderline case: .* mid-p test gives p = 0.035"),
        ((50, 30, 2, 50), "The accuracy of A is higher than that of B .* −21.2 points"),
        ((5000, 90, 91, 5000), "as small as the one seen takes over 100,000 problems"),
    ],
)
def test_what_is_said(tmp_path, counts, words):
    (report,) = reports_of(tmp_path, {"all": counts}, more=nothing_more)
    (sentence,) = conclusions(report.overall)
    assert re.search(words, sentence), sentence


@pytest.mark.parametrize(
    ("counts", "gain", "words"),
    [
        ((5, 0, 20, 5), 0.0, "B answers better; that it sees better is not shown."),
        ((5, 20, 0, 5), 0.25, "A answers better, but B sees better."),
        ((5, 0, 0, 25), 0.25, "B sees better; that it answers better is not shown."),
        ((5, 0, 20, 5), 0.25, "B answers better, and sees better."),
    ],
)
def test_answering_better_and_seeing_better_are_two_things(tmp_path, counts, gain, words):
    def more(i, side):
        return {"perception": 0.5 + side * gain}

    (report,) = reports_of(tmp_path, {"all": counts}, more=more)
    assert conclusions(report.overall)[-1] == words


def test_what_is_not_significant_is_never_called_equal(tmp_path):
    (report,) = reports_of(tmp_path, {"all": (40, 5, 5, 50)}, more=nothing_more)
    (sentence,) = conclusions(report.overall)
    assert "Nor is it shown that they are equal" in sentence


def test_an_interval_without_zero_is_not_said_to_hold_equality(tmp_path):
    (report,) = reports_of(tmp_path, {"all": (15, 0, 5, 10)}, more=nothing_more)
    (sentence,) = conclusions(report.overall)
    assert "Nor is it shown that they are equal" not in sentence
    assert "leaves 0 out; the exact test, which decides here, does not reject" in sentence


def test_a_group_that_is_significant_by_itself_only_is_no_discovery(tmp_path):
    counts = {str(n): (10, 4, 4, 10) for n in range(8)} | {"lucky": (10, 1, 9, 10)}
    (report,) = reports_of(tmp_path, counts, more=nothing_more, by="subject")
    lucky = report.groups[-1]
    assert lucky.accuracy.p_value <= 0.05 < lucky.accuracy.q_value
    assert "no discovery (q = 0.193)" in conclusions(lucky)[0]


def test_no_line_is_wider_than_the_terminal_whatever_the_names(tmp_path):
    rows = [
        {"id": i, "correct": [1, i % 2], "perception": i / 40, HOSTILE: HOSTILE} for i in range(40)
    ]
    other = [row | {"correct": [0, 1, 1], "perception": 1} for row in rows]
    paths = write(tmp_path / "a.jsonl", rows), write(tmp_path / f"{'b' * 200}.jsonl", other)
    text = render_text(compare(read_matched(*paths), HOSTILE, 0))
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_names_mean_nothing_in_markdown(tmp_path):
    counts = {HOSTILE: (10, 4, 4, 10), "plain": (1, 0, 0, 1)}
    text = render_markdown(reports_of(tmp_path, counts, more=seen, by="subject"))
    rows = [line for line in text.splitlines() if line.startswith("| `$")]
    assert len(rows) == 2
    assert all(row.count("|") == 8 for row in rows)
    assert "\x1b" not in text
    assert "`rm`" not in text


def test_several_comparisons_are_numbered_and_summed_up(tmp_path):
    path = tmp_path / "pairs.csv"
    lines = [f"x,{i},m,n,{i % 2},1" for i in range(20)] + [f"y,{i},m,n,1,1" for i in range(20)]
    path.write_text("benchmark,item_id,model_a,model_b,a_correct,b_correct\n" + "\n".join(lines))
    reports = compare(read_matched(path, None), None, 0)
    text = render_text(reports)
    assert "comparison 1\nx\nA  m\nB  n\n20 problems" in text
    assert "\n2. y " in text
    assert "In 1 of 2 comparisons a difference in accuracy is shown" in text
    assert "In 1 of 2 comparisons" in render_markdown(reports)


SAMPLES = st.integers(0, 1) | st.lists(st.integers(0, 1), max_size=3) | st.none()
PERCEPTION = st.none() | st.floats(0, 1)
ROWS = st.lists(
    st.tuples(SAMPLES, SAMPLES, PERCEPTION, PERCEPTION, st.text("ab圆$|`<\x1b\n ", max_size=30))
)


@settings(max_examples=60)
@given(ROWS)
def test_any_outcomes_make_a_report_that_fits_and_can_be_read_by_programs(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    paths = [
        write(
            folder / f"{'ab'[side]}.jsonl",
            [
                {"id": i, "correct": row[side], "perception": row[2 + side], "group": row[4]}
                for i, row in enumerate(rows)
            ],
        )
        for side in range(2)
    ]
    try:
        reports = compare(read_matched(*paths), "group", 0)
    except UsageError:
        return
    text = render_text(reports)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert not re.search("None|nan|inf\\b", text + render_markdown(reports).replace("(none)", ""))
    json.dumps(as_plain_data(reports), allow_nan=False)
