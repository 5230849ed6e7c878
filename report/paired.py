"""The paired difficulty pass on the page: solve rates, effects with intervals, tests in words.

Rollouts of one problem are alike, so every interval here is over problems, never over rollouts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from ..outputs.folder import PAIRED_OUTCOMES
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from ..schemas.outcomes import ProblemOutcome
from ..schemas.records import RolloutCounts
from ..stats import mean_difference
from .charts import Chart, bars

CONDITIONS = {
    "a": "a: the picture",
    "b": "b: the picture, and its annotations as text",
    "s": "s: the picture, and another problem's annotations (control)",
    "blind": "blind: no picture, options shuffled",
}


class Rate(NamedTuple):
    """How often problems were solved under one condition, in per cent with an interval.

    Attributes:
        rate: of all problems, on the rollouts that decide their buckets.
        fresh: of the candidates for `perception-limited`, on fresh rollouts.
        solved, tried, cut, unscored: rollouts, of both sorts.
    """

    condition: str
    rate: str
    fresh: str
    solved: int
    tried: int
    cut: int
    unscored: int


class Paired(NamedTuple):
    """What the page says of the pass.

    Attributes:
        kept: rows written, by bucket.
        table: how many problems are solved from the picture, with the annotations, by both.
        found: what came out, in sentences; `how` says what that rests on.
    """

    rates: list[Rate]
    buckets: Chart
    kept: dict[str, int]
    table: dict[str, int]
    found: list[str]
    how: list[str]


def paired(folder: Path, manifest: Manifest) -> Paired | None:
    """What the page says of the pass; None where it has not run.

    Raises:
        UsageError: `paired_outcomes.jsonl` is missing or damaged.
    """
    facts = manifest.facts.get("paired")
    if facts is None:
        return None
    outcomes = _Outcomes(folder / PAIRED_OUTCOMES)
    asked = [name for name in CONDITIONS if name in facts["rollouts_by_condition"]]
    return Paired(
        rates=[outcomes.rate(name, facts["rollouts_by_condition"][name]) for name in asked],
        buckets=Chart("Buckets", "bucket", "problems", bars(facts["buckets"].items())),
        kept=facts["kept"],
        table=facts["table"],
        found=list(_found(facts, outcomes)),
        how=list(_how(facts)),
    )


class _Outcomes:
    """The outcomes of all problems, as numbers to average."""

    def __init__(self, path: Path) -> None:
        self.rates: dict[str, list[float]] = {}
        self.fresh_rates: dict[str, list[float]] = {}
        self.differences: list[float] = []
        self.effects: list[float] = []
        for outcome in _read(path):
            self._add(outcome)

    def _add(self, outcome: ProblemOutcome) -> None:
        one = outcome.paired
        rates = _rates(one)
        for name, rate in rates.items():
            self.rates.setdefault(name, []).append(rate)
        for name, rate in _rates(one.confirmation).items() if one.confirmation else ():
            self.fresh_rates.setdefault(name, []).append(rate)
        if "a" in rates and "b" in rates:
            self.differences.append(rates["b"] - rates["a"])
        if one.effect is not None:
            self.effects.append(one.effect)

    def rate(self, name: str, counts: Mapping[str, int]) -> Rate:
        rate, fresh = (_mean(rates.get(name, [])) for rates in (self.rates, self.fresh_rates))
        return Rate(CONDITIONS[name], rate, fresh, *(counts[key] for key in Rate._fields[3:]))


def _rates(counts: RolloutCounts) -> dict[str, float]:
    return {name: counts.solved[name] / tried for name, tried in counts.tried.items() if tried}


def _mean(shares: Sequence[float], sign: str = "") -> str:
    """The mean in per cent with its interval, `12.5 [3.1, 21.9]`; a dash where there is none.

    Args:
        shares: one for each problem, or differences of two.
        sign: `+` for a difference.
    """
    if not shares:
        return "–"
    value, low, high = (
        "" if math.isnan(part) else f"{100 * part:{sign}.1f}".replace("-", "−")
        for part in mean_difference(shares)
    )
    return f"{value} [{low}, {high}]" if low else value


def _found(facts: Mapping[str, Any], outcomes: _Outcomes) -> Iterator[str]:
    if outcomes.differences:
        text = (
            f"Over {len(outcomes.differences):,} problems the annotations changed the solve rate "
            f"by {_mean(outcomes.differences, '+')} points in the mean."
        )
        if (p_value := facts["global_p_value"]) is not None:
            flips = "all flips counted" if facts["global_test_is_exact"] else "random flips"
            text += f" Sign-flip test of no change, two-sided, {flips}: p = {p_value:.2g}."
        yield text
    text = f"Of {facts['candidates']:,} candidates for perception-limited {facts['confirmed']:,}"
    text += " were confirmed on fresh rollouts."
    if outcomes.effects:
        text += (
            f" There, their own annotations changed the solve rate of {len(outcomes.effects):,} "
            f"by {_mean(outcomes.effects, '+')} points in the mean; the rollouts that they were "
            "chosen by would overstate it."
        )
    yield text


def _how(facts: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Each of {facts['problems']:,} problems was tried {facts['rollouts']} times under a and "
        f"under b, up to {facts['max_rollouts']} times where that left it undetermined, at "
        f"temperature {facts['temperature']:g}. How often is decided by the posteriors alone, "
        "never by a p-value."
    )
    yield (
        "Solved means: the solve rate exceeds the threshold (halfway between guessing and always "
        f"right) with a probability above {facts['sure']:g}. Not solved: with one below "
        f"{1 - facts['sure']:.1g}. In between, a problem is undetermined."
    )
    yield (
        "Perception-limited means: not solved from the picture and solved with the annotations, "
        "which Fisher's mid-p test confirms at a false-discovery rate (q) of "
        f"{facts['level']:g} over the {facts['tested']:,} problems tested; and on "
        f"{facts['fresh_rollouts']} fresh rollouts the problem's own annotations beat both none "
        "and another problem's, so that a hint as such does not count. Of those named so, a share "
        f"of about {facts['level']:g} at most is expected to be named so by chance."
    )
    yield (
        "Brackets hold 95% intervals (Student's, over problems). A small p says that chance alone "
        "hardly explains a difference. It does not say that the difference is large, and a large "
        "p does not say that there is none. All of it speaks of this policy at this temperature."
    )
    if any(counts["cut"] for counts in facts["rollouts_by_condition"].values()):
        shown = ", ".join(f"{name} {n:,}" for name, n in facts["buckets_without_cut"].items())
        yield (
            "Completions cut by the token limit count as wrong. Had they not been made, the "
            f"buckets would hold: {shown}."
        )


def _read(path: Path) -> Iterator[ProblemOutcome]:
    remedy = "Restore the file, or make the folder again."
    try:
        lines = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). {remedy}") from error
    with lines:
        for number, line in enumerate(lines, 1):
            try:
                yield ProblemOutcome.model_validate_json(line)
            except ValidationError as error:
                raise UsageError(
                    f"{path}:{number} is no outcome of the paired pass. {remedy}"
                ) from error
