"""The pass in figures, as the manifest keeps them and the dataset card shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from ...schemas.config import PolicyConfig
from .run import Findings
from .testing import FRESH
from .thresholds import SURE


def paired_facts(
    findings: Findings, policy: PolicyConfig, selected: Collection[str]
) -> dict[str, Any]:
    """The figures, as JSON values.

    Args:
        findings: of the pass.
        policy: how it was rolled out.
        selected: ids of the problems that became training rows.
    """
    summary, outcomes = findings.summary, findings.outcomes
    effects = [outcome.effect for outcome in outcomes.values() if outcome.effect is not None]
    thresholds = Counter(f"{outcome.threshold:.3f}" for outcome in outcomes.values())
    kept = Counter(outcome.bucket for id_, outcome in outcomes.items() if id_ in selected)
    test = summary.global_test
    return {
        "rollouts": policy.rollouts,
        "max_rollouts": max(policy.rollouts, policy.max_rollouts),
        "fresh_rollouts": FRESH,
        "temperature": policy.temperature,
        "max_tokens": policy.max_tokens,
        "level": summary.level,
        "sure": SURE,
        "thresholds": dict(sorted(thresholds.items())),
        "problems": len(outcomes),
        "table": summary.table._asdict(),
        "buckets": summary.buckets,
        "buckets_without_cut": summary.buckets_without_cut,
        "kept": {bucket: kept[bucket] for bucket in policy.keep},
        "tested": summary.tested,
        "candidates": summary.candidates,
        "candidates_without_donor": findings.without_donor,
        "confirmed": summary.confirmed,
        "mean_effect_of_candidates": _rounded(sum(effects) / len(effects)) if effects else None,
        "mean_difference": _rounded(summary.mean_difference),
        "global_p_value": None if test is None else float(f"{test.p_value:.3g}"),
        "global_test_is_exact": None if test is None else test.is_exact,
        "rollouts_by_condition": {
            condition: counts._asdict() for condition, counts in summary.rollouts.items()
        },
        "no_answer_or_not_scored": dict(sorted(findings.reasons.items())),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
