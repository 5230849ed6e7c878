"""The card's section on the paired difficulty pass: what was asked, what came out, how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..schemas.manifest import Manifest
from .markdown import code, table

_CONDITIONS = {
    "a": "the picture",
    "b": "the picture, and its annotations as text",
    "s": "the picture, and another problem's annotations (control)",
    "blind": "no picture, options shuffled",
}
_COUNTED = ("solved", "tried", "cut", "unscored")
_BUCKETS = {
    "mastered": "solved from the picture",
    "perception-limited": "solved once told what the picture shows: what a perception reward is "
    "for",
    "annotations-hurt": "solved from the picture, not with the annotations: worth a look",
    "reasoning-limited": "not solved even with the annotations, or a wrong reference answer",
    "undetermined": "not sure enough of any of these",
    "blind-solved": "solved without the picture",
}


def paired_section(manifest: Manifest) -> str:
    """The section; empty where the pass has not run."""
    facts = manifest.facts.get("paired")
    if facts is None:
        return ""
    parts = [
        "## Paired difficulty pass",
        _asked(manifest, facts),
        _rollouts(facts),
        _decided(facts),
        _two_by_two(facts["table"]),
        _buckets(facts),
        _tests(facts),
        _without_cut(facts),
    ]
    return "\n\n".join(part for part in parts if part)


def _asked(manifest: Manifest, facts: Mapping[str, Any]) -> str:
    policy = manifest.config["policy"]["model"]["name"]
    usage = manifest.usage_in_all or manifest.usage
    cost = "cost unknown" if usage.cost_usd is None else f"{usage.cost_usd:.2f} US dollars"
    return (
        f"The policy {code(policy)} was asked about {facts['problems']:,} problems: "
        f"{facts['rollouts']} rollouts of each under each condition, up to "
        f"{facts['max_rollouts']} where they left it undetermined, at temperature "
        f"{facts['temperature']:g} and at most {facts['max_tokens']:,} tokens; seed "
        f"{manifest.seed}, from which each sample has a seed of its own. All runs over this "
        f"folder: {usage.requests:,} answers, {usage.tokens_in + usage.tokens_out:,} tokens, "
        f"{cost}."
    )


def _rollouts(facts: Mapping[str, Any]) -> str:
    counted = facts["rollouts_by_condition"]
    rows = [
        (f"`{name}`: {meaning}", *(counted[name][one] for one in _COUNTED))
        for name, meaning in _CONDITIONS.items()
        if name in counted
    ]
    text: str = table(("condition", "solved", "tried", "of these cut", "not scored"), rows)
    if reasons := facts["no_answer_or_not_scored"]:
        told_apart = ", ".join(f"{code(why)} {count:,}" for why, count in reasons.items())
        text += f"\n\nCompletions without an answer that could be compared: {told_apart}."
    return text


def _decided(facts: Mapping[str, Any]) -> str:
    thresholds = ", ".join(f"{value} ({count:,})" for value, count in facts["thresholds"].items())
    return (
        f"A problem is solved under a condition when its solve rate exceeds a threshold with a "
        f"posterior probability above {facts['sure']:g}, and not solved below "
        f"{1 - facts['sure']:.1g}. Thresholds, halfway between guessing and always right, and the "
        f"problems they hold for: {thresholds or 'none'}."
    )


def _two_by_two(counts: Mapping[str, int]) -> str:
    rows = [
        ("**solved from the picture**", counts["both"], counts["only_a"]),
        ("**not**", counts["only_b"], counts["neither"]),
    ]
    text = table(("", "solved with annotations", "not"), rows)
    return (
        f"{text}\n\nFor {counts['undetermined']:,} more, either is undetermined. The table is from "
        "before the tests, and holds what is solved without the picture, too."
    )


def _buckets(facts: Mapping[str, Any]) -> str:
    rows = [
        (f"`{bucket}`", count, facts["kept"].get(bucket, 0), _BUCKETS[bucket])
        for bucket, count in facts["buckets"].items()
    ]
    return table(("bucket", "problems", "rows here", "what it means"), rows)


def _tests(facts: Mapping[str, Any]) -> str:
    level = f"{facts['level']:g}"
    text = (
        f"`perception-limited` takes two tests besides, each with the false-discovery rate held at "
        f"{level} (Benjamini-Hochberg): Fisher's mid-p of `b` over `a` among the "
        f"{facts['tested']:,} problems tested, and, on {facts['fresh_rollouts']} fresh rollouts "
        f"under each of `a`, `b` and `s`, of `b` over both. Of {facts['candidates']:,} candidates "
        f"{facts['confirmed']:,} were confirmed."
    )
    if facts["candidates_without_donor"]:
        text += (
            f" For {facts['candidates_without_donor']:,} no other problem could lend its "
            "annotations; they are not confirmed."
        )
    if facts["mean_effect_of_candidates"] is not None:
        text += (
            " On their fresh rollouts the annotations changed the candidates' solve rate by "
            f"{facts['mean_effect_of_candidates']:+.2f} in the mean."
        )
    if facts["mean_difference"] is not None:
        kind = "exact" if facts["global_test_is_exact"] else "Monte Carlo"
        text += (
            f"\n\nOver all problems tested the annotations changed the solve rate by "
            f"{facts['mean_difference']:+.3f} in the mean (sign-flip test, {kind}, two-sided: "
            f"p = {facts['global_p_value']:.3g})."
        )
    return text


def _without_cut(facts: Mapping[str, Any]) -> str:
    if not any(counts["cut"] for counts in facts["rollouts_by_condition"].values()):
        return "No completion was cut by the token limit."
    shown = ", ".join(f"`{name}` {count:,}" for name, count in facts["buckets_without_cut"].items())
    return (
        "Completions cut by the token limit count as wrong. Sensitivity: had they not been made, "
        f"the buckets would hold {shown}."
    )
