"""How fast `pr1 review` opens a large set and goes from row to row.

    python bench/review_speed.py [ROWS]

Builds a set of ROWS (50,000) annotated problems with pictures of 30 kB and four trajectories of a
thousand characters each in a temporary folder, once, and opens it as the page does.

Measured with 50,000 rows (1.6 GB) on two cores, one of them busy with other work:

    open 0.03 s; queue 0.74 s; first row 3 ms
    next row     median 1.4 ms, 95% 1.7 ms
    its picture  median 1.2 ms, 95% 2.1 ms
    decision     median 0.2 ms, 95% 0.3 ms, on the disk
    search       0.65 s over all texts
    memory       410 MiB at most, after the search
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from pr1.outputs.folder import StageFolder
from pr1.review.decisions import Choice
from pr1.review.log import ReviewLog, review_path
from pr1.review.queue import Filters, Queue
from pr1.review.rows import ReviewSet
from pr1.schemas.config import RunConfig
from pr1.schemas.records import (
    AnnotatedProblem,
    ProblemImage,
    RejectedAnnotation,
    Trajectory,
    VisualAnnotation,
)

PICTURE_BYTES = 30_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ANNOTATIONS, TRAJECTORIES = 8, 4
T = TypeVar("T")
KINDS = ("length", "angle", "count", "label", "value")


def main(rows: int) -> None:
    """Build the set where it is not there yet, and print what was measured."""
    folder = Path(tempfile.gettempdir()) / f"pr1-review-speed-{rows}"
    if not (folder / "manifest.json").exists():
        _build(folder, rows)
    review_path(folder).unlink(missing_ok=True)
    reviewed, opened_s = _timed(lambda: ReviewSet(folder))
    with ReviewLog(folder, "bench") as log:
        before = time.process_time()
        queue, queue_s = _timed(lambda: Queue(reviewed, log))
        computed_s = time.process_time() - before
        numbers, numbers_s = _timed(lambda: queue.numbers(Filters(only="open")))
        _, first_s = _timed(lambda: reviewed.row(numbers[0], log))
        print(f"rows {rows:,}; open {opened_s:.2f} s, ", end="")
        print(f"queue {queue_s:.2f} s ({computed_s:.2f} s of a core), ", end="")
        print(f"order {numbers_s * 1000:.0f} ms, first row {first_s * 1000:.0f} ms")
        steps = numbers[1:201]
        _print("next row", [_timed(lambda n=n: reviewed.row(n, log))[1] for n in steps])
        _print("its picture", [_timed(lambda n=n: reviewed.picture(n, 0))[1] for n in steps])
        _print(
            "neighbours",
            [_timed(lambda n=n: queue.neighbours(n, Filters(only="open")))[1] for n in steps],
        )
        ids = [reviewed.ids[number] for number in steps]
        _print("decision", [_timed(lambda i=i: log.append(_accept(i)))[1] for i in ids])
        found, search_s = _timed(lambda: queue.numbers(Filters(search="needle 4242")))
        print(f"search {search_s:.2f} s ({len(found)} found)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB")


def _accept(row: str) -> Choice:
    return Choice(row=row, action="accept", target="a1")


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _print(what: str, seconds: list[float]) -> None:
    slow = quantiles(seconds, n=20)[-1]
    print(f"{what}: median {median(seconds) * 1000:.1f} ms, 95% {slow * 1000:.1f} ms")


def _build(folder: Path, rows: int) -> None:
    with StageFolder.start(
        folder,
        stage="annotate",
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=True,
        row_model=AnnotatedProblem,
        command="pr1 annotate",
    ) as stage:
        for number in range(rows):
            stage.write_row(_problem(number))
        stage.finish(read=rows)


def _problem(number: int) -> AnnotatedProblem:
    chance = random.Random(number)
    id_ = f"p{number}"
    text = f"needle {number}: AB = 5. " + "The figure shows a circle with its chords. " * 24
    return AnnotatedProblem(
        id=id_,
        question=f"How long is AB in figure {number}?",
        answer="5",
        images=[ProblemImage(bytes=chance.randbytes(PICTURE_BYTES), path="figure.png")],
        trajectories=[
            Trajectory(id=f"{id_}-{t}", problem_id=id_, text=text, is_correct=t > 0)
            for t in range(TRAJECTORIES)
        ],
        annotations=[
            VisualAnnotation(
                id=n,
                statement=f"{''.join(chance.sample(LETTERS, 2))} = {chance.randint(1, 90)}",
                kind=chance.choice(KINDS),
                quote=text[:10],
                trajectory_id=f"{id_}-{n % TRAJECTORIES}",
                start=0,
                end=10,
                support=chance.randint(1, TRAJECTORIES),
                extractor="rules",
            )
            for n in range(1, ANNOTATIONS + 1)
        ],
        rejected=[
            RejectedAnnotation(
                statement="It is so.",
                quote="",
                trajectory_id=f"{id_}-0",
                reason="unclear",
                extractor="rules",
            )
        ]
        * (number % 3),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
