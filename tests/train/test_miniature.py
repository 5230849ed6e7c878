"""The miniature: a world whose facts are true, a tokenizer that loses nothing."""

import hashlib
import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pr1.answers import check_answer
from pr1.outputs.rows import read_rows
from pr1.schemas.completion_format import parse_completion
from pr1.schemas.policy_prompt import policy_prompt
from pr1.schemas.records import AnnotatedProblem, TrainRow
from pr1.train.miniature.experiment import ArmResult, SeedResult, run_folder
from pr1.train.miniature.limited import bucket_table, misread_heights
from pr1.train.miniature.problems import write_annotated_set, write_training_set
from pr1.train.miniature.table import as_markdown
from pr1.train.miniature.world import COLOURS, BarProblem, Bars, draw_problem, paint
from pr1.train.outcomes import Change, Outcome, write_outcomes

SHIPPED = Path(__file__).parents[2] / "data/miniature"


def draws(count: int, seed: int = 0) -> list[BarProblem]:
    rng = np.random.default_rng(seed)
    return [draw_problem(rng) for _ in range(count)]


def measured(picture: Image.Image) -> list[tuple[str, int]]:
    """The bars from left to right, by nothing but their pixels: colour, and height in pixels."""
    pixels = np.asarray(picture).astype(int)
    found = {}
    for name, colour in COLOURS.items():
        is_near = np.abs(pixels - np.array(colour)).max(axis=2) <= 20
        if is_near.sum(axis=0).max():
            columns = np.flatnonzero(is_near.sum(axis=0) == is_near.sum(axis=0).max())
            found[int(columns[0])] = (name, int(is_near.sum(axis=0).max()))
    return [found[column] for column in sorted(found)]


@pytest.mark.parametrize("unit_px", [3.2, 3.6, 4.0])
def test_a_picture_shows_what_the_facts_say(unit_px):
    rng = np.random.default_rng(1)
    for problem in draws(60):
        picture = paint(problem.bars, unit_px, rng)
        assert (picture.size, picture.mode) == ((48, 48), "RGB")
        assert measured(picture) == [
            (colour, round(height * unit_px))
            for colour, height in zip(problem.bars.colours, problem.bars.heights, strict=True)
        ]


def test_a_seed_makes_the_same_problem_and_the_same_picture():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        problem = draw_problem(rng)
        return problem, paint(problem.bars, 3.6, rng).tobytes()

    assert drawn(4) == drawn(4)
    assert drawn(4) != drawn(5)


def test_every_kind_height_and_colour_comes_up():
    problems = draws(500)
    assert {problem.kind for problem in problems} == {"sum", "taller"}
    assert {height for problem in problems for height in problem.bars.heights} == set(range(1, 10))
    assert {colour for problem in problems for colour in problem.bars.colours} == set(COLOURS)
    assert all(problem.first != problem.second for problem in problems)


@pytest.mark.parametrize(
    ("problem", "question", "answer", "step"),
    [
        (("sum", "red", "blue"), "red plus blue?", "3", "red 2 + blue 1 = 3."),
        (("sum", "green", "red"), "green plus red?", "11", "green 9 + red 2 = 11."),
        (("taller", "red", "blue"), "taller: red or blue?", "red", "red 2 > blue 1."),
        (("taller", "red", "green"), "taller: red or green?", "green", "red 2 < green 9."),
    ],
)
def test_questions_answers_and_reasoning(problem, question, answer, step):
    asked = BarProblem(Bars(("blue", "red", "green"), (1, 2, 9)), *problem)
    assert (asked.question, asked.answer) == (question, answer)
    assert asked.reasoning() == f"blue is 1. red is 2. green is 9. {step}"


def test_reference_completions_follow_the_format_and_are_right():
    for problem in draws(100):
        parsed = parse_completion(problem.completion())
        assert parsed is not None
        assert parsed.think == problem.reasoning()
        checked = check_answer(problem.completion(), problem.answer, question=problem.question)
        assert checked.is_correct is True


def test_the_tokenizer_loses_nothing_and_completions_fit():
    pytest.importorskip("transformers")
    from pr1.train.miniature.model import VOCABULARY, build_tokenizer

    tokenizer = build_tokenizer()
    assert len(tokenizer) == VOCABULARY
    odd = ["", " ", "\n\n", "naïve ✓ 漢字", "<think>\n<think>", r"\boxed{\boxed{"]
    completions = [problem.completion() for problem in draws(300)]
    for text in [*odd, *completions]:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert max(len(tokenizer(text)["input_ids"]) + 1 for text in completions) <= 40
    assert build_tokenizer().get_vocab() == tokenizer.get_vocab()


def test_only_the_completion_is_learnt():
    pytest.importorskip("transformers")
    from pr1.train.miniature.model import END, build_processor
    from pr1.train.miniature.sft import NOT_LEARNT, as_batch, draw_example

    rng = np.random.default_rng(0)
    examples = [draw_example(rng) for _ in range(16)]
    processor = build_processor()
    batch = as_batch(examples, processor)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == batch["labels"].shape
    assert batch["pixel_values"].shape == (16, 1, 3, 48, 48)
    for example, labels in zip(examples, batch["labels"], strict=True):
        learnt = processor.tokenizer.decode(labels[labels != NOT_LEARNT])
        assert learnt == example.completion
        assert learnt.endswith(END)


def test_told_facts_decide_whatever_the_picture_shows():
    pytest.importorskip("transformers")
    from pr1.train.miniature.sft import draw_example

    rng = np.random.default_rng(0)
    examples = [draw_example(rng) for _ in range(60)]
    told = [example for example in examples if "\n- " in example.prompt]
    assert 10 < len(told) < 30
    for example in told:
        facts = re.findall(r"^- (.*)$", example.prompt, re.M)
        assert len(facts) == 3
        assert all(f"{fact}." in example.completion for fact in facts)
    for example in examples:  # every lesson is drawn at the unit that is taught: whole heights
        heights = [height / 4 for _, height in measured(example.picture)]
        assert heights == [round(height) for height in heights]
        stated = re.findall(r" is (\d)\.", example.completion)
        shows_it = [f"{height:g}" for height in heights] == stated
        assert shows_it or example in told


def test_the_folders_hold_one_world(tmp_path):
    write_training_set(tmp_path / "train", 12, 5)
    write_annotated_set(tmp_path / "annotated", 12, 5)
    rows = list(read_rows(tmp_path / "train", TrainRow))
    problems = list(read_rows(tmp_path / "annotated", AnnotatedProblem))
    assert len(rows) == len(problems) == 12
    for row, problem in zip(rows, problems, strict=True):
        assert (row.id, row.question, row.answer) == (problem.id, problem.question, problem.answer)
        assert row.images == problem.images
        assert Image.open(BytesIO(row.images[0].bytes)).size == (48, 48)
        statements = [annotation.statement for annotation in row.annotations]
        assert statements == [annotation.statement for annotation in problem.annotations]
        (trajectory,) = problem.trajectories
        for annotation in problem.annotations:
            assert trajectory.text[annotation.start : annotation.end] == annotation.quote
            assert annotation.quote == annotation.statement


def test_misread_heights_are_those_stated_wrongly_more_often_than_not(tmp_path):
    write_training_set(tmp_path / "train", 40, 6)
    rows = list(read_rows(tmp_path / "train", TrainRow))

    outcomes = [Outcome(row.id, 1, 1.0, stated(row).replace(" is 9.", " is 8.")) for row in rows]
    assert misread_heights(rows, outcomes) == [9]


def test_buckets_are_counted_by_whether_a_misread_height_is_asked_for(tmp_path):
    write_training_set(tmp_path / "problems/evaluate", 40, 6)
    write_annotated_set(tmp_path / "problems/annotated", 30, 7)
    rows = read_rows(tmp_path / "problems/evaluate", TrainRow)
    read = [Outcome(row.id, 1, 1.0, stated(row).replace(" is 9.", " is 8.")) for row in rows]
    write_outcomes(run_folder(tmp_path, "perception", 0) / "evaluation", 0, read)
    problems = list(read_rows(tmp_path / "problems/annotated", AnnotatedProblem))
    asked = [asks_for_nine(problem) for problem in problems]
    assert 0 < sum(asked) < 30
    lines = [
        {"problem_id": problem.id, "paired": {"bucket": "x" if is_asked else "mastered"}}
        for problem, is_asked in zip(problems, asked, strict=True)
    ]
    (tmp_path / "paired_outcomes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    table = bucket_table(tmp_path, tmp_path)
    assert "misreads: 9." in table
    assert f"| x | {sum(asked)} | 0 |" in table
    assert f"| mastered | 0 | {30 - sum(asked)} |" in table


def asks_for_nine(problem):
    answer_step = problem.trajectories[0].text.split(". ")[-1]
    return " 9" in answer_step.split("=")[0].split("\n")[0]


def stated(row):
    return " ".join(f"{annotation.statement}." for annotation in row.annotations)


def test_the_table_shows_every_seed_and_hides_no_loss():
    def arm(name, seed):
        answers, facts = Change(8, 5, 4, 2, 1, 1.0), Change(8, 1, 2, 0, 1, 1.0)
        return ArmResult(name, seed, 0.5, 0.9, 0.25, 0.625, 1, answers, facts)

    results = [
        SeedResult(
            arm("answer-only", seed),
            arm("perception", seed),
            Change(8, 4, 4, 0, 0, 1.0),
            Change(8, 2, 8, 0, 6, 0.03125),
            Change(8, 4, 5, 1, 2, 1.0),
            Change(8, 2, 5, 0, 3, 0.25),
        )
        for seed in (0, 1)
    ]
    table = as_markdown(results)
    assert "|  | base | .625 | .625 | .125 |  |" in table
    assert "| 1 | answer-only | .500 | .900 | .250 | 1 of 4 | 0/1 | 1 | 2/1 | 1 |" in table
    assert table.count("| 0/6 | 0.03 | 0/0 | 1 |") == 2
    assert table.count("| 0/3 | 0.2 | 1/2 | 1 |") == 2


def test_prompts_with_and_without_facts_differ_by_the_facts_alone():
    bars = Bars(("blue", "red", "green"), (1, 2, 9))
    told = policy_prompt("red plus blue?", None, bars.facts())
    assert told.replace(
        "What the picture shows:\n- blue is 1\n- red is 2\n- green is 9\n\n", ""
    ) == (policy_prompt("red plus blue?", None))


def test_the_shipped_base_model_is_the_one_described():
    described = (SHIPPED / "README.md").read_text()
    weights = SHIPPED / "base" / "model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in described
    assert sum(file.stat().st_size for file in (SHIPPED / "base").iterdir()) < 3_000_000
