"""Evaluations as files that `pr1 compare` reads, and what came of the last against the first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..outputs.whole import written_whole
from ..stats import mcnemar_exact


class Outcome(NamedTuple):
    """How one problem was answered.

    Attributes:
        correct: 1 or 0; None when the answer could not be compared.
        perception: share of the annotations that the completion reflects; None when that was not
            scored, or there are none.
    """

    id: str
    correct: int | None
    perception: float | None
    completion: str


class Change(NamedTuple):
    """What became of the problems between two evaluations.

    Attributes:
        problems: those that both evaluations scored.
        before, after: how many passed.
        lost, gained: passed before and not after, and the other way round.
        p_value: McNemar's exact test, two-sided.
    """

    problems: int
    before: int
    after: int
    lost: int
    gained: int
    p_value: float


def write_outcomes(folder: Path, step: int, outcomes: Sequence[Outcome]) -> None:
    """Write `step-000000.jsonl` whole, a line for each problem; null is not scored."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one._asdict()) + "\n" for one in outcomes]
    with written_whole(folder / f"step-{step:06}.jsonl") as new:
        new.write_text("".join(lines), encoding="utf-8")


def read_outcomes(folder: Path) -> dict[int, list[Outcome]]:
    """By step, in the order of the steps."""
    found = {}
    for path in sorted(folder.glob("step-*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found[int(path.stem.removeprefix("step-"))] = [Outcome(**one) for one in lines]
    return found


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Means over what was scored; a mean over nothing is left out."""
    found: dict[str, float] = {"problems": len(outcomes)}
    correct = [one.correct for one in outcomes if one.correct is not None]
    perception = [one.perception for one in outcomes if one.perception is not None]
    if correct:
        found["accuracy"] = sum(correct) / len(correct)
    if perception:
        found["perception"] = sum(perception) / len(perception)
        found["all_reflected"] = sum(score == 1.0 for score in perception) / len(perception)
    return found


def changes(first: Sequence[Outcome], last: Sequence[Outcome]) -> dict[str, Change]:
    """By what is asked: is the answer right; does the completion reflect every annotation?

    A problem counts where both evaluations scored it.
    """
    return {
        "accuracy": _change(_passed(first, _is_correct), _passed(last, _is_correct)),
        "all_reflected": _change(_passed(first, _is_seen), _passed(last, _is_seen)),
    }


def evaluation_facts(found: dict[int, list[Outcome]]) -> dict[str, Any]:
    """For the manifest: every evaluation in figures, and the last against the first."""
    if not found:
        return {}
    steps = sorted(found)
    facts: dict[str, Any] = {"evaluation": {str(step): summary(found[step]) for step in steps}}
    if len(steps) > 1:
        compared = changes(found[steps[0]], found[steps[-1]])
        facts["against_the_starting_model"] = {
            name: change._asdict() for name, change in compared.items() if change.problems
        }
    return facts


def _is_correct(one: Outcome) -> bool | None:
    return None if one.correct is None else one.correct == 1


def _is_seen(one: Outcome) -> bool | None:
    return None if one.perception is None else one.perception == 1.0


def _passed(outcomes: Sequence[Outcome], test: Any) -> dict[str, bool]:
    tested = ((one.id, test(one)) for one in outcomes)
    return {id_: passed for id_, passed in tested if passed is not None}


def _change(before: dict[str, bool], after: dict[str, bool]) -> Change:
    both = before.keys() & after.keys()
    lost = sum(before[id_] and not after[id_] for id_ in both)
    gained = sum(after[id_] and not before[id_] for id_ in both)
    return Change(
        problems=len(both),
        before=sum(before[id_] for id_ in both),
        after=sum(after[id_] for id_ in both),
        lost=lost,
        gained=gained,
        p_value=mcnemar_exact(lost, gained),
    )
