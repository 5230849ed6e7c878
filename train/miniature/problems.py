"""Draws of the world as the folders that the stages of pr1 write and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...outputs.folder import StageFolder
from ...schemas.config import AnnotateConfig, FilterConfig, ModelConfig, SourceConfig
from ...schemas.records import (
    AnnotatedProblem,
    Row,
    TrainAnnotation,
    TrainRow,
    Trajectory,
    VisualAnnotation,
)
from .world import SHIFTED_UNIT_PX, BarProblem, draw_problem, encoded, paint

SOURCE = "pr1 miniature"
LICENSE = "Apache-2.0"


def write_training_set(folder: Path, count: int, seed: int) -> None:
    """Write a folder as `pr1 filter` does: drawn at the unit that the base model misreads.

    Args:
        folder: must not be finished yet.
        count: how many problems.
        seed: of the draws.
    """
    config = FilterConfig(annotated=SOURCE, seed=seed)
    with StageFolder.start(
        folder,
        stage="filter",
        config=config,
        parents={},
        prompts={},
        overwrite=False,
        row_model=TrainRow,
    ) as out:
        _write(out, (_train_row(*drawn) for drawn in _draws(count, seed)), count)


def write_annotated_set(folder: Path, count: int, seed: int) -> None:
    """Write the same problems as `pr1 annotate` does: each with one trajectory that states all.

    Args:
        folder: must not be finished yet.
        count: how many problems.
        seed: of the draws.
    """
    config = AnnotateConfig(
        source=SourceConfig(path=SOURCE), model=ModelConfig(name="rules"), seed=seed
    )
    with StageFolder.start(
        folder,
        stage="annotate",
        config=config,
        parents={},
        prompts={},
        overwrite=False,
        row_model=AnnotatedProblem,
    ) as out:
        _write(out, (_annotated(*drawn) for drawn in _draws(count, seed)), count)


Draw = tuple[str, BarProblem, np.random.Generator]


def _draws(count: int, seed: int) -> Iterator[Draw]:
    """Id, problem, and the generator that its picture is painted with."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        yield f"bars-{seed}-{number}", draw_problem(rng), rng


def _write(folder: StageFolder, rows: Iterator[Row], count: int) -> None:
    for row in rows:
        folder.write_row(row)
    folder.finish(read=count, facts={"drawn_at_px_per_unit": SHIFTED_UNIT_PX})


def _train_row(id_: str, problem: BarProblem, rng: np.random.Generator) -> TrainRow:
    return TrainRow(
        id=id_,
        question=problem.question,
        answer=problem.answer,
        images=[encoded(paint(problem.bars, SHIFTED_UNIT_PX, rng))],
        annotations=[
            TrainAnnotation(id=number, statement=fact, kind="value")
            for number, fact in enumerate(problem.bars.facts(), 1)
        ],
        source=SOURCE,
        license=LICENSE,
    )


def _annotated(id_: str, problem: BarProblem, rng: np.random.Generator) -> AnnotatedProblem:
    text = problem.completion()
    trajectory = Trajectory(
        id=f"{id_}-t1",
        problem_id=id_,
        text=text,
        answer=problem.answer,
        is_correct=True,
        finish="stop",
    )
    annotations = [
        VisualAnnotation(
            id=number,
            statement=fact,
            kind="value",
            quote=fact,
            trajectory_id=trajectory.id,
            start=text.index(fact),
            end=text.index(fact) + len(fact),
            extractor="rules",
        )
        for number, fact in enumerate(problem.bars.facts(), 1)
    ]
    return AnnotatedProblem(
        id=id_,
        question=problem.question,
        answer=problem.answer,
        images=[encoded(paint(problem.bars, SHIFTED_UNIT_PX, rng))],
        source=SOURCE,
        license=LICENSE,
        trajectories=[trajectory],
        annotations=annotations,
    )
