"""The tables of docs/statistics.md are those that the code prints."""

from pathlib import Path

import pytest
import sample_sizes

DOCUMENTATION = Path(__file__).parents[2] / "docs/statistics.md"


@pytest.mark.parametrize(
    "table",
    [
        sample_sizes.the_papers_tests,
        sample_sizes.power_by_problems,
        sample_sizes.problems_needed,
        sample_sizes.detectable_differences,
        sample_sizes.problems_by_samples,
        sample_sizes.rollouts_of_one_problem,
    ],
)
def test_a_table_of_the_documentation_is_what_the_code_prints(table, capsys):
    table()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(rows) > 3
    assert "\n".join(rows) in DOCUMENTATION.read_text(encoding="utf-8")
