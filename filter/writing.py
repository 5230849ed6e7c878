"""The last reading of the rows: each is written, or recorded as dropped or failed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..outputs.folder import StageFolder
from ..schemas.config import FilterConfig
from ..schemas.manifest import Dropped
from ..schemas.outcomes import ProblemOutcome
from ..schemas.records import AnnotatedProblem, PairedOutcome, TrainAnnotation, TrainRow
from .cheap import Decisions, read_problems
from .checks import Drop, usable_annotations
from .evaluation_sets import EvaluationSet
from .selection import Candidate, select_in_order

if TYPE_CHECKING:
    from .paired.run import Findings

STAGE = "filter"


async def write_rows(
    config: FilterConfig,
    folder: StageFolder,
    decisions: Decisions,
    findings: Findings | None,
    evaluation: EvaluationSet,
) -> dict[str, Any]:
    """The figures of the stage, when every row has been written, dropped or failed.

    Args:
        config: what to keep.
        folder: takes the rows.
        decisions: of the cheap filters.
        findings: of the paired difficulty pass; None where it has not run.
        evaluation: problems that must not be trained on.
    """
    groups = _groups(config, decisions, findings)
    selected = select_in_order(groups, config.size, config.seed)
    facts: Counter[str] = Counter()
    for problem, cheap_drop in zip(read_problems(config), decisions.drops, strict=True):
        await asyncio.sleep(0)  # a Ctrl-C is heard
        if findings is not None and (failure := findings.failures.get(problem.id)):
            folder.fail(failure)
            continue
        outcome = findings.outcomes.get(problem.id) if findings else None
        if outcome is not None:
            folder.note(ProblemOutcome(problem_id=problem.id, paired=outcome))
        drop = cheap_drop or _drop(problem.id, outcome, config, selected)
        if drop is None:
            folder.write_row(_train_row(problem, outcome))
            facts["self_answered"] += problem.answer_origin == "self"
            facts["annotations_in_question_left_out"] += sum(
                annotation.in_question for annotation in problem.annotations
            )
        else:
            folder.drop(Dropped(id=problem.id, stage=STAGE, reason=drop.reason, detail=drop.detail))
    found = _facts(config, facts, decisions, groups, selected, evaluation)
    if findings is not None and config.policy is not None:
        from .paired.report import paired_facts

        found["paired"] = paired_facts(findings, config.policy, selected)
    return found


def _drop(
    id_: str, outcome: PairedOutcome | None, config: FilterConfig, selected: set[str]
) -> Drop | None:
    """Why a row that the cheap filters left is not written, or None."""
    if id_ in selected:
        return None
    if outcome is not None and config.policy and outcome.bucket not in config.policy.keep:
        return Drop(f"bucket: {outcome.bucket}", _rates(outcome))
    return Drop("not_selected", f"{len(selected)} rows were selected by seed")


def _groups(
    config: FilterConfig, decisions: Decisions, findings: Findings | None
) -> list[list[Candidate]]:
    """What can be selected, what is to be preferred first: all alike, or bucket by bucket."""
    if findings is None or config.policy is None:
        return [decisions.candidates]
    outcomes, by_score = findings.outcomes, config.policy.by_score
    return [
        [
            candidate._replace(score=_help(outcomes[candidate.id]) if by_score else 0.0)
            for candidate in decisions.candidates
            if candidate.id in outcomes and outcomes[candidate.id].bucket == bucket
        ]
        for bucket in config.policy.keep
    ]


def _help(outcome: PairedOutcome) -> float:
    """How much the annotations help: the solve rate with them minus that without, -1..1.

    Posterior means under Beta(1, 1), so that 2 of 2 says less than 32 of 32. Good for an order; as
    an effect it overstates, for it is measured on the rollouts that the buckets come from.
    """
    with_facts, without = (
        (outcome.solved[condition] + 1) / (outcome.tried[condition] + 2) for condition in ("b", "a")
    )
    return with_facts - without


def _rates(outcome: PairedOutcome) -> str:
    """How often the problem was solved under which condition: `a 1 of 8, b 8 of 8`."""
    return ", ".join(
        f"{condition} {solved} of {outcome.tried[condition]}"
        for condition, solved in outcome.solved.items()
    )


def _train_row(problem: AnnotatedProblem, outcome: PairedOutcome | None) -> TrainRow:
    return TrainRow(
        id=problem.id,
        question=problem.question,
        choices=problem.choices,
        answer=problem.answer,
        images=problem.images,
        annotations=[
            TrainAnnotation(id=one.id, statement=one.statement, kind=one.kind)
            for one in usable_annotations(problem)
        ],
        bucket=outcome.bucket if outcome else None,
        paired=outcome,
        source=problem.source,
        license=problem.license,
    )


def _facts(
    config: FilterConfig,
    facts: Counter[str],
    decisions: Decisions,
    groups: list[list[Candidate]],
    selected: set[str],
    evaluation: EvaluationSet,
) -> dict[str, Any]:
    candidates = [candidate for group in groups for candidate in group]
    available = Counter(candidate.stratum for candidate in candidates)
    taken = Counter(candidate.stratum for candidate in candidates if candidate.id in selected)
    found: dict[str, Any] = dict(+facts)  # without those that are zero
    if config.decontaminate:
        found["evaluation_problems"] = evaluation.problems
        found["evaluation_pictures_not_readable"] = evaluation.unreadable_pictures
        found["contaminated_by"] = dict(sorted(decisions.overlaps.items()))
    if config.size is not None:
        found["selected_of_stratum"] = {
            stratum: f"{taken[stratum]} of {count}" for stratum, count in sorted(available.items())
        }
    return found
