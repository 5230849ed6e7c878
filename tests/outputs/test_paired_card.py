"""The card's section on the paired difficulty pass."""

from __future__ import annotations

from typing import Any

from pr1.outputs.paired_card import paired_section
from pr1.schemas.manifest import Counts, Manifest, Usage

COUNTS = {"solved": 10, "tried": 1_600, "cut": 0, "unscored": 2}
BUCKETS = {
    "mastered": 60,
    "perception-limited": 20,
    "annotations-hurt": 1,
    "reasoning-limited": 9,
    "undetermined": 10,
    "blind-solved": 0,
}
FACTS = {
    "rollouts": 8,
    "max_rollouts": 32,
    "fresh_rollouts": 16,
    "temperature": 1.0,
    "max_tokens": 4_096,
    "level": 0.1,
    "sure": 0.9,
    "thresholds": {"0.500": 90, "0.625": 10},
    "problems": 100,
    "table": {"both": 60, "only_a": 1, "only_b": 25, "neither": 9, "undetermined": 5},
    "buckets": BUCKETS,
    "buckets_without_cut": BUCKETS | {"mastered": 61},
    "kept": {"perception-limited": 20, "undetermined": 4},
    "tested": 100,
    "candidates": 25,
    "candidates_without_donor": 0,
    "confirmed": 20,
    "mean_effect_of_candidates": 0.61,
    "mean_difference": 0.123,
    "global_p_value": 0.00012,
    "global_test_is_exact": False,
    "rollouts_by_condition": {"a": COUNTS, "b": COUNTS, "s": COUNTS},
    "no_answer_or_not_scored": {},
}


def section(cost_usd: float | None = 1.5, **changes: Any) -> str:
    counts = Counts(read=1, in_rows=1, dropped=0, failed=0, rows=1)
    usage = Usage(requests=3_200, tokens_in=1_000_000, tokens_out=5, cost_usd=cost_usd)
    manifest = Manifest(
        stage="filter",
        command="pr1 filter",
        config={"policy": {"model": {"name": "vllm/<b>|`evil`"}}},
        identity_hash="a",
        execution_hash="b",
        seed=7,
        versions={},
        counts=counts,
        usage=Usage(),
        usage_in_all=usage,
        facts={"paired": FACTS | changes},
        started_at="now",
        wall_s=1,
    )
    return paired_section(manifest)


def test_it_tells_what_was_asked_and_what_came_out() -> None:
    text = section()
    assert "`vllm/<b>¦'evil'`" in text
    assert "was asked about 100 problems: 8 rollouts of each" in text
    assert "seed 7" in text
    assert "3,200 answers, 1,000,005 tokens, 1.50 US dollars" in text
    assert "| `a`: the picture | 10 | 1,600 | 0 | 2 |" in text
    assert "0.500 (90), 0.625 (10)" in text
    assert "| **solved from the picture** | 60 | 1 |\n| **not** | 25 | 9 |" in text
    assert "| `perception-limited` | 20 | 20 |" in text
    assert "| `mastered` | 60 | 0 |" in text
    assert "Of 25 candidates 20 were confirmed" in text
    assert "solve rate by +0.61 in the mean" in text
    assert "solve rate by +0.123 in the mean (sign-flip test, Monte Carlo, two-sided" in text
    assert "p = 0.00012" in text
    assert "No completion was cut" in text
    assert "could lend" not in text


def test_it_tells_what_may_be_doubted() -> None:
    cut = {"a": COUNTS | {"cut": 40}}
    text = section(
        None,
        rollouts_by_condition=cut,
        no_answer_or_not_scored={"refused": 3, "no_answer": 1_200},
        candidates_without_donor=2,
    )
    assert "cost unknown" in text
    assert "Sensitivity: had they not been made, the buckets would hold `mastered` 61" in text
    assert "could be compared: `refused` 3, `no_answer` 1,200." in text
    assert "For 2 no other problem could lend its annotations" in text


def test_nothing_tested_leaves_the_tests_out() -> None:
    text = section(
        problems=0,
        thresholds={},
        mean_difference=None,
        mean_effect_of_candidates=None,
        rollouts_by_condition={},
    )
    assert "the problems they hold for: none." in text
    assert "sign-flip" not in text
