from __future__ import annotations

import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import datasets
import pytest
from annotated_sets import annotated, fact, filter_problems, picture, problem, trajectory
from PIL import Image

from pr1.filter.checks import picture_hashes, unverified, usable_annotations
from pr1.outputs.rows import data_files, read_rows
from pr1.schemas.config import FilterConfig
from pr1.schemas.errors import UsageError
from pr1.schemas.progress import Progress
from pr1.schemas.records import (
    AnnotatedProblem,
    ProblemImage,
    TrainRow,
    VisualAnnotation,
)


def reasons(out: Path) -> dict[str, str]:
    lines = (out / "dropped.jsonl").read_text().splitlines()
    return {record["id"]: record["reason"] for record in map(json.loads, lines)}


WRONG = [trajectory("t", False), trajectory("u", None)]


def test_every_row_is_kept_or_dropped_for_its_first_reason(tmp_path: Path) -> None:
    bad_image = ProblemImage(bytes=picture(1).bytes[:-40])
    evaluation = tmp_path / "eval.jsonl"
    question = "How many of the red balls in the second row are larger than the blue one?"
    evaluation.write_text(json.dumps({"question": question}) + "\n")
    rows = [
        problem(1),
        problem(2, trajectories=WRONG),
        problem(3, annotations=[]),
        problem(4, annotations=[fact(equals_answer=True), fact(2, in_question=True)]),
        problem(5, images=[]),
        problem(6, images=[picture(6), bad_image]),
        problem(7, images=[picture(7, (20, 20))]),
        problem(8, images=[picture(8, (300, 300))]),
        problem(9, question=problem(1).question, answer="1", images=problem(1).images),
        problem(10, question=question),
        problem(11, trajectories=WRONG, images=[]),
        problem(12, annotations=[fact(), fact(2, in_question=True)]),
    ]
    config = FilterConfig(
        annotated=str(annotated(tmp_path / "in", rows)),
        decontaminate=[str(evaluation)],
        min_pixels=1_000,
        max_pixels=80_000,
    )
    seen: list[Progress] = []
    manifest = filter_problems(config, tmp_path / "out", on_progress=seen.append)
    assert reasons(tmp_path / "out") == {
        "p2": "no_correct_trajectory",
        "p3": "too_few_annotations",
        "p4": "too_few_annotations",
        "p5": "no_image",
        "p6": "unreadable_image",
        "p7": "image_too_small",
        "p8": "image_too_large",
        "p9": "duplicate",
        "p10": "contaminated",
        "p11": "no_correct_trajectory",
    }
    found = list(read_rows(tmp_path / "out", TrainRow))
    assert [row.id for row in found] == ["p1", "p12"]
    assert [a.id for a in found[0].annotations] == [1, 2, 3]
    counts = manifest.counts
    assert (counts.read, counts.in_rows, counts.dropped, counts.failed) == (12, 2, 10, 0)
    assert counts.dropped_by_reason == dict(Counter(reasons(tmp_path / "out").values()))
    assert manifest.facts["contaminated_by"] == {"question": 1}
    assert manifest.facts["evaluation_problems"] == 1
    assert manifest.facts["annotations_in_question_left_out"] == 1
    assert [a.id for a in found[1].annotations] == [1]
    assert seen == [Progress(done, 12) for done in range(1, 13)]
    names = [name for name in manifest.parents if name.startswith("decontaminate 1: eval.jsonl")]
    assert len(names) == 1
    loaded = datasets.load_dataset(
        str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded[0]["images"][0].size == (80, 60)
    assert "| dropped: `image_too_small` | 1 |" in (tmp_path / "out" / "README.md").read_text()


def test_a_selection_is_stratified_seeded_and_repeatable(tmp_path: Path) -> None:
    rows = [problem(number) for number in range(40)]
    source = str(annotated(tmp_path / "in", rows))

    def run(name: str, seed: int) -> tuple[list[str], list[bytes]]:
        out = tmp_path / name
        manifest = filter_problems(FilterConfig(annotated=source, size=12, seed=seed), out)
        assert manifest.seed == seed
        assert manifest.counts.dropped_by_reason == {"not_selected": 28}
        assert manifest.facts["selected_of_stratum"] == {
            "charts / length": "3 of 10",
            "geo / length": "9 of 30",
        }
        ids = [row.id for row in read_rows(out, TrainRow)]
        return ids, [path.read_bytes() for path in data_files(out)]

    first, again, other = run("a", 1), run("b", 1), run("c", 2)
    assert first == again
    assert first[0] != other[0]
    assert first[0] == sorted(first[0], key=lambda id_: int(id_[1:]))


def test_a_limit_reads_so_many_rows(tmp_path: Path) -> None:
    source = annotated(tmp_path / "in", [problem(number) for number in range(5)])
    manifest = filter_problems(FilterConfig(annotated=str(source), limit=2), tmp_path / "out")
    assert (manifest.counts.read, manifest.counts.rows) == (2, 2)


def test_scipy_is_loaded_only_where_it_is_needed() -> None:
    code = "import sys, pr1.filter.run; print('scipy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_nothing_kept_is_an_empty_set_and_no_crash(tmp_path: Path) -> None:
    source = annotated(tmp_path / "in", [problem(1, annotations=[])])
    manifest = filter_problems(FilterConfig(annotated=str(source)), tmp_path / "out")
    assert manifest.counts.rows == 0
    empty = annotated(tmp_path / "empty", [])
    assert filter_problems(FilterConfig(annotated=str(empty)), tmp_path / "o2").counts.read == 0


def test_rows_answered_by_themselves_are_kept_and_counted(tmp_path: Path) -> None:
    rows = [
        problem(1, answer_origin="self"),
        problem(2, answer_origin="self", trajectories=[trajectory("t", None)]),
        problem(3, answer_origin="self", trajectories=[trajectory("t", False)]),
        problem(4),
    ]
    source = annotated(tmp_path / "in", rows)
    manifest = filter_problems(FilterConfig(annotated=str(source)), tmp_path / "out")
    assert reasons(tmp_path / "out") == {"p3": "no_correct_trajectory"}
    assert manifest.facts["self_answered"] == 2
    assert "2 of 3 rows took their reference answer" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("stage", ["collect", "filter"])
def test_the_rows_of_another_stage_are_refused(tmp_path: Path, stage: str) -> None:
    source = annotated(tmp_path / "in", [], stage=stage)
    with pytest.raises(UsageError, match=f"made by `pr1 {stage}`.*Run `pr1 annotate` first"):
        filter_problems(FilterConfig(annotated=str(source)), tmp_path / "out")


def test_the_input_is_not_its_own_output(tmp_path: Path) -> None:
    source = annotated(tmp_path / "in", [problem(1)])
    with pytest.raises(UsageError, match="is the input itself"):
        filter_problems(FilterConfig(annotated=str(source)), source, overwrite=True)
    assert len(list(read_rows(source, AnnotatedProblem))) == 1


def test_a_broken_evaluation_set_leaves_no_output(tmp_path: Path) -> None:
    source = annotated(tmp_path / "in", [problem(1)])
    config = FilterConfig(annotated=str(source), decontaminate=[str(tmp_path / "none")])
    with pytest.raises(UsageError, match="does not exist"):
        filter_problems(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("origin", "verdicts", "is_dropped"),
    [
        ("given", [True], False),
        ("given", [False, True], False),
        ("given", [False], True),
        ("given", [None], True),
        ("given", [], True),
        ("self", [None], False),
        ("self", [True], False),
        ("self", [False], True),
        ("self", [], True),
    ],
)
def test_an_answer_is_verified_by_a_correct_trajectory(
    origin: str, verdicts: list[bool | None], is_dropped: bool
) -> None:
    trajectories = [trajectory(str(n), verdict) for n, verdict in enumerate(verdicts)]
    drop = unverified(problem(1, answer_origin=origin, trajectories=trajectories))
    assert (drop is not None) is is_dropped


@pytest.mark.parametrize(
    ("annotation", "is_usable"),
    [
        (fact(), True),
        (fact(in_question=True), False),
        (fact(equals_answer=True), False),
        (fact(trajectory_id="wrong"), False),
        (fact(trajectory_id="uncompared"), False),
        (fact(trajectory_id="wrong", support=2), False),
        (fact(trajectory_id="wrong", support=3), True),
        (fact(trajectory_id="wrong", extractor="reviewer"), True),
        (fact(trajectory_id="wrong", support=3, equals_answer=True), False),
    ],
)
def test_the_reward_does_not_ask_for_every_annotation(
    annotation: VisualAnnotation, is_usable: bool
) -> None:
    trajectories = [trajectory("t"), trajectory("wrong", False), trajectory("uncompared", None)]
    row = problem(1, trajectories=trajectories, annotations=[annotation])
    assert bool(usable_annotations(row)) is is_usable


def test_annotations_that_came_ready_made_need_no_trajectory_to_be_right() -> None:
    ready = fact(extractor="perception-r1", trajectory_id="wrong")
    row = problem(1, trajectories=[trajectory("wrong", False)], annotations=[ready])
    assert unverified(row) is None
    assert usable_annotations(row) == [ready]


def test_a_bomb_is_too_large_and_not_decoded() -> None:
    huge = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(huge, "PNG")
    config = FilterConfig(annotated="x")
    drop = picture_hashes([ProblemImage(bytes=huge.getvalue())], config)
    assert drop == ("image_too_large", "picture 1 has 9000 x 9000 pixels, at most 16777216 allowed")
