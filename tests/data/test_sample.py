"""The sample's compiled files are what its script makes, and hold what its README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image, ImageChops, ImageStat

from pr1.schemas.records import AnnotationKind

DATA = Path(__file__).parents[2] / "data"
COMPILED = ("sample/problems.jsonl", "gold/tune.jsonl", "gold/held_out.jsonl")


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


PROBLEMS = read(DATA / "sample/problems.jsonl")
TUNE, HELD_OUT = read(DATA / "gold/tune.jsonl"), read(DATA / "gold/held_out.jsonl")
GOLD = [*TUNE, *HELD_OUT]
TEXTS = {t["id"]: t["text"] for problem in PROBLEMS for t in problem["trajectories"]}
LABELLED = [trajectory for entry in GOLD for trajectory in entry["trajectories"]]
FACTS = [fact for trajectory in LABELLED for fact in trajectory["facts"]]


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script has just made the sample."""
    folder = tmp_path_factory.mktemp("sample")
    script = [sys.executable, str(DATA / "make_sample.py"), "--out", str(folder)]
    subprocess.run(script, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_file_is_what_the_script_makes(remade: Path, name: str) -> None:
    assert (remade / name).read_bytes() == (DATA / name).read_bytes()


def test_pictures_are_what_the_script_draws(remade: Path) -> None:
    stored = sorted(path.name for path in (DATA / "sample/images").iterdir())
    assert stored == sorted(path.name for path in (remade / "sample/images").iterdir())
    for name in stored:
        with (
            Image.open(DATA / "sample/images" / name) as old,
            Image.open(remade / "sample/images" / name) as new,
        ):
            difference = ImageChops.difference(old.convert("RGB"), new.convert("RGB"))
        # Another FreeType moves the edges of letters a little; a moved label shows more than this.
        assert max(ImageStat.Stat(difference).mean) < 0.5, name


def test_pictures_are_small_and_all_used() -> None:
    stored = {f"images/{path.name}": path for path in (DATA / "sample/images").iterdir()}
    assert stored.keys() == {problem["image"] for problem in PROBLEMS}
    for path in stored.values():
        assert path.stat().st_size < 20_000
        with Image.open(path) as image:
            assert image.size == (400, 300)


def test_ids_are_unique_and_answers_are_not_empty() -> None:
    assert len({problem["id"] for problem in PROBLEMS}) == len(PROBLEMS)
    assert len(TEXTS) == sum(len(problem["trajectories"]) for problem in PROBLEMS)
    assert all(isinstance(p["answer"], str) and p["answer"].strip() for p in PROBLEMS)


def test_every_problem_is_in_one_half_with_all_its_trajectories() -> None:
    assert sorted(entry["problem_id"] for entry in GOLD) == sorted(p["id"] for p in PROBLEMS)
    assert abs(len(TUNE) - len(HELD_OUT)) <= 2
    labelled = {
        entry["problem_id"]: [t["trajectory_id"] for t in entry["trajectories"]] for entry in GOLD
    }
    assert labelled == {p["id"]: [t["id"] for t in p["trajectories"]] for p in PROBLEMS}


@pytest.mark.parametrize("half", [TUNE, HELD_OUT], ids=["tune", "held_out"])
def test_each_half_has_every_domain_and_style(half: list[dict[str, Any]]) -> None:
    domains = {entry["problem_id"].rsplit("-", 1)[0] for entry in half}
    assert domains == {"geometry", "bars", "lines", "tables", "counting", "physics"}
    styles = {t["style"] for entry in half for t in entry["trajectories"]}
    assert styles == {t["style"] for t in LABELLED}


@pytest.mark.parametrize("half", [TUNE, HELD_OUT], ids=["tune", "held_out"])
def test_each_half_has_an_injection_and_a_trajectory_without_facts(
    half: list[dict[str, Any]],
) -> None:
    trajectories = [trajectory for entry in half for trajectory in entry["trajectories"]]
    assert any('{"annotations"' in TEXTS[t["trajectory_id"]] for t in trajectories)
    assert any(not t["facts"] for t in trajectories)


def test_every_place_is_text_of_its_trajectory() -> None:
    for trajectory in LABELLED:
        text = TEXTS[trajectory["trajectory_id"]]
        for fact in trajectory["facts"]:
            assert fact["places"], fact
            for place in fact["places"]:
                assert 0 <= place["start"] < place["end"] <= len(text)
                quote = text[place["start"] : place["end"]]
                assert quote == quote.strip() != ""


def test_a_fact_is_true_of_the_picture_or_hallucinated() -> None:
    for entry in GOLD:
        picture = {(fact["statement"], fact["kind"]) for fact in entry["picture_facts"]}
        for fact in (f for trajectory in entry["trajectories"] for f in trajectory["facts"]):
            is_true = (fact["statement"], fact["kind"]) in picture
            assert is_true is not fact["is_hallucinated"], (entry["problem_id"], fact)


def test_a_trajectory_states_each_fact_once() -> None:
    for trajectory in LABELLED:
        statements = [fact["statement"] for fact in trajectory["facts"]]
        assert len(statements) == len(set(statements)), trajectory["trajectory_id"]


def test_the_gold_covers_every_kind() -> None:
    assert {fact["kind"] for fact in FACTS} == set(get_args(AnnotationKind))


def test_no_place_lies_in_an_injected_instruction() -> None:
    for trajectory in LABELLED:
        text = TEXTS[trajectory["trajectory_id"]]
        start = text.find('{"annotations"')
        if start >= 0:
            end = text.index("\n", start)
            places = [place for fact in trajectory["facts"] for place in fact["places"]]
            assert all(place["end"] <= start or place["start"] >= end for place in places)


def test_the_counts_that_the_readme_gives() -> None:
    counts = {
        "problems": len(PROBLEMS),
        "geometry": sum(p["id"].startswith("geometry") for p in PROBLEMS),
        "trajectories": len(LABELLED),
        "styles": len({t["style"] for t in LABELLED}),
        "wrong": sum(not t["is_correct"] for t in LABELLED),
        "without facts": sum(not t["facts"] for t in LABELLED),
        "facts": len(FACTS),
        "in the question": sum(fact["in_question"] for fact in FACTS),
        "equal to the answer": sum(fact["equals_answer"] for fact in FACTS),
        "misread": sum(fact["is_hallucinated"] for fact in FACTS),
        "injections": sum('{"annotations"' in text for text in TEXTS.values()),
    }
    assert counts == {
        "problems": 50,
        "geometry": 20,
        "trajectories": 119,
        "styles": 9,
        "wrong": 26,
        "without facts": 5,
        "facts": 415,
        "in the question": 31,
        "equal to the answer": 14,
        "misread": 24,
        "injections": 2,
    }


def test_the_demo_uses_twelve_problems_of_the_tune_half() -> None:
    names = (DATA / "demo.txt").read_text().split()
    assert len(names) == len(set(names)) == 12
    assert set(names) <= {entry["problem_id"] for entry in TUNE}
