"""The accuracy filter: which trajectories end in the reference answer."""

from __future__ import annotations

from ..answers import AnswerItem, check_answers
from ..schemas.records import Problem, Trajectory


def checked_trajectories(problem: Problem, trajectories: list[Trajectory]) -> list[Trajectory]:
    """The trajectories with the answer found in each and whether it is right.

    Source: Perception-R1 (arXiv 2506.07218): only trajectories with a correct answer are kept.
    """
    checks = check_answers(
        AnswerItem(
            response=trajectory.text,
            reference=problem.answer,
            choices=problem.choices,
            question=problem.question,
            is_cut=trajectory.finish == "length",
        )
        for trajectory in trajectories
    )
    return [
        trajectory.model_copy(update={"answer": check.found, "is_correct": check.is_correct})
        for trajectory, check in zip(trajectories, checks, strict=True)
    ]
