"""Annotated sets to filter, and the filter run on them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from pr1.filter import run as filter_run
from pr1.outputs.folder import StageFolder
from pr1.schemas.config import FilterConfig, RunConfig
from pr1.schemas.manifest import Manifest
from pr1.schemas.records import AnnotatedProblem, ProblemImage, Trajectory, VisualAnnotation


def filter_problems(config: FilterConfig, out: Path, **options: Any) -> Manifest:
    return asyncio.run(filter_run.filter_problems(config, out, **options))


def picture(seed: int, size: tuple[int, int] = (80, 60)) -> ProblemImage:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    digest = hashlib.sha256(str(seed).encode()).digest()
    for left, top, width in zip(digest[::3], digest[1::3], digest[2::3], strict=False):
        x, y = left * size[0] // 256, top * size[1] // 256
        pen.rectangle((x, y, x + width // 16, y + width // 16), fill="navy")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ProblemImage(bytes=buffer.getvalue(), path=f"{seed}.png")


def trajectory(id_: str, is_correct: bool | None = True) -> Trajectory:
    return Trajectory(id=id_, problem_id="p", text="AB = 3", is_correct=is_correct)


def fact(id_: int = 1, **changes: Any) -> VisualAnnotation:
    values: dict[str, Any] = {
        "statement": f"fact {id_}",
        "kind": "length",
        "quote": "AB = 3",
        "trajectory_id": "t",
        "start": 0,
        "end": 6,
        "extractor": "rules",
    }
    return VisualAnnotation(id=id_, **values | changes)


def problem(number: int, **changes: Any) -> AnnotatedProblem:
    values: dict[str, Any] = {
        "id": f"p{number}",
        "question": f"How long is the side of the figure with the name {number}?",
        "answer": str(number),
        "images": [picture(number)],
        "source": "geo" if number % 4 else "charts",
        "license": "MIT",
        "trajectories": [trajectory("t")],
        "annotations": [fact(), fact(2, kind="angle"), fact(3)],
    }
    return AnnotatedProblem(**values | changes)


def annotated(out: Path, rows: list[AnnotatedProblem], stage: str = "annotate") -> Path:
    with StageFolder.start(
        out,
        stage=stage,
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=False,
        row_model=AnnotatedProblem,
        command="pr1 annotate",
    ) as folder:
        for row in rows:
            folder.write_row(row)
        folder.finish(read=len(rows))
    return out


def told(number: int, facts: int = 2, **changes: Any) -> AnnotatedProblem:
    """Problem p`number`, whose facts are its own: `A<number> = 1`, `A<number> = 2`, ..."""
    own = [fact(n, statement=f"A{number} = {n}") for n in range(1, facts + 1)]
    return problem(number, annotations=own, **changes)
