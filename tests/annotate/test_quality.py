"""Extraction quality does not fall: the rules on the texts that they are tuned on.

The floors lie a little below what docs/quality.md reports; raise them when the rules get better.
"""

from pathlib import Path

import pytest
from extraction_quality import score
from labelled import read_gold, read_own
from scores import scores

from pr1.annotate.extraction.rules import propose_by_rules
from pr1.notation import to_plain

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("labelled", "precision", "recall"),
    [
        pytest.param(read_gold(ROOT / "data/gold/tune.jsonl"), 0.91, 0.86, id="tuned half"),
        pytest.param(read_own(ROOT / "bench/labels/own_dev.yaml"), 0.84, 0.77, id="development"),
    ],
)
def test_rules_on_what_they_are_tuned_on(labelled, precision, recall):
    proposed = [list(propose_by_rules(to_plain(one.text))) for one in labelled]
    result = scores([hits.tally for hits in score(labelled, proposed)])
    assert result.precision > precision
    assert result.recall > recall
