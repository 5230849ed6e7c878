"""The arithmetic of a run, what is checked before it starts, and the plan that a dry run prints."""

import dataclasses
import importlib.util
import json
import random
import shutil

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from train_sets import tiny_recipe
from typer.testing import CliRunner

from pr1.cli import app
from pr1.schemas.errors import MissingExtra, UsageError
from pr1.schemas.training import PixelBounds
from pr1.train.machine import check_machine
from pr1.train.pictures import PictureGrid, check_bounds, sized
from pr1.train.plan import plan
from pr1.train.recipe import grpo_config_class, load_recipe
from pr1.train.rows import held_out, training_order
from pr1.train.schedule import DEFAULTS, Schedule, schedule

QWEN = PictureGrid(28, 3_136, 12_845_056)


@pytest.mark.parametrize(
    ("grpo", "processes", "rows", "expected"),
    [
        ({"max_steps": 5}, 1, 10, Schedule(1, 8, 1, 1, 5, 1)),
        ({"max_steps": 11}, 1, 10, Schedule(1, 8, 1, 1, 11, 2)),
        ({"num_train_epochs": 2}, 4, 10, Schedule(4, 32, 1, 1, 4, 2)),
        ({"num_train_epochs": 0.5, "num_generations": 4}, 1, 10, Schedule(2, 8, 1, 1, 2, 1)),
        ({"num_iterations": 2, "num_train_epochs": 1}, 1, 10, Schedule(1, 8, 2, 1, 20, 1)),
        ({"steps_per_generation": 4, "num_train_epochs": 1}, 1, 9, Schedule(4, 32, 4, 1, 8, 1)),
        ({"generation_batch_size": 16, "max_steps": 4}, 1, 9, Schedule(2, 16, 2, 1, 4, 1)),
        ({"gradient_accumulation_steps": 4, "max_steps": 3}, 2, 9, Schedule(8, 64, 1, 1, 3, 3)),
        (
            {"gradient_accumulation_steps": 4, "steps_per_generation": 1, "max_steps": 3},
            1,
            9,
            Schedule(1, 8, 1, 4, 3, 2),
        ),
    ],
)
def test_the_schedule_is_the_trainers(grpo, processes, rows, expected):
    assert schedule(grpo, processes, rows) == expected


@pytest.mark.parametrize(
    ("grpo", "rows", "said"),
    [
        ({"num_generations": 3}, 10, "8 completions .* whole groups of num_generations 3"),
        ({"generation_batch_size": 24, "gradient_accumulation_steps": 2}, 10, "no whole number"),
        ({"num_iterations": 2, "max_steps": 5}, 10, "max_steps 5 would leave a part of a batch"),
        ({"num_iterations": 2, "max_steps": 6, "save_steps": 3}, 10, "save_steps 3 would save"),
        ({}, 0, "takes 1 prompts, and there are 0 rows"),
        ({"per_device_train_batch_size": 32}, 3, "takes 4 prompts, and there are 3 rows"),
    ],
)
def test_a_schedule_that_cannot_be(grpo, rows, said):
    with pytest.raises(UsageError, match=said):
        schedule(grpo, 1, rows)


@given(rows=st.integers(1, 60), prompts=st.integers(1, 20), passes=st.integers(1, 4))
def test_each_pass_trains_on_whole_batches_of_different_rows(rows, prompts, passes):
    order = training_order(rows, prompts, passes, seed=0)
    used = rows // prompts * prompts
    assert len(order) == passes * used
    for start in range(0, len(order), used or 1):
        assert len(set(order[start : start + used])) == used
    assert training_order(rows, prompts, passes + 1, seed=0)[: len(order)] == order


def test_passes_are_permuted_each_in_its_own_way_and_by_the_seed_alone():
    state = random.getstate()
    order = training_order(50, 5, 2, seed=3)
    assert order[:50] != order[50:]
    assert order == training_order(50, 5, 2, seed=3) != training_order(50, 5, 2, seed=4)
    assert training_order(5, 5, 2, seed=None) == [*range(5), *range(5)]
    assert random.getstate() == state


def test_held_out_rows_are_not_trained_on():
    rows = list("abcdefgh")
    train, held = held_out(rows, 3, seed=1)
    assert sorted([*train, *held]) == rows
    assert held == held_out(rows, 3, seed=1)[1] != held_out(rows, 3, seed=2)[1]
    with pytest.raises(UsageError, match="hold out all 8 rows"):
        held_out(rows, 8, seed=1)


@settings(deadline=None)  # the first example imports transformers
@given(width=st.integers(1, 4_000), height=st.integers(1, 4_000))
def test_a_sized_picture_is_on_the_grid_within_the_bounds_and_stays_as_it_is(width, height):
    bounds = PixelBounds()
    if max(width, height) > 199 * min(width, height):
        return
    size = sized((width, height), bounds, QWEN, "x")
    assert size[0] % 28 == size[1] % 28 == 0
    assert size[0] * size[1] <= bounds.max or min(size) == 28
    assert sized(size, bounds, QWEN, "x") == size


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"max": 20_000_000}, "pixels.max 20,000,000 is over the processor's own 12,845,056"),
        ({"min": 100}, "pixels.min 100 is under the processor's own 3,136"),
    ],
)
def test_pixels_beyond_the_processors_bounds(bounds, said):
    with pytest.raises(UsageError, match=said):
        check_bounds(PixelBounds(**bounds), QWEN)


def test_a_machine_without_the_recipes_gpus(monkeypatch):
    import torch

    recipe = load_recipe("perception-r1-7b")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(
        UsageError, match=r"trains on 8 GPUs, and this machine has 1. Take a smaller"
    ):
        check_machine(recipe)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    with pytest.raises(UsageError, match="accelerate launch --num_processes 8"):
        check_machine(recipe)
    monkeypatch.setenv("WORLD_SIZE", "8")
    check_machine(recipe)


def test_vllm_that_is_asked_for_and_not_installed(monkeypatch):
    import torch

    recipe, found = load_recipe("perception-r1-7b"), importlib.util.find_spec
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "vllm" else found(name)
    )
    with pytest.raises(MissingExtra, match=r"needs vllm\. Install it: pip install 'pr1\[vllm\]'"):
        check_machine(recipe)


def test_a_plan_in_figures(tiny_model, train_set):
    recipe = tiny_recipe(tiny_model, {"max_steps": 7}, evaluation={"rows": 3, "every": 3})
    found = plan(recipe, str(train_set))
    assert found["inconsistencies"] == []
    assert found["rows"]["trained_on"] == 7
    assert found["rows"]["held_out"] == 3
    assert found["schedule"]["steps"] == 7
    assert found["schedule"]["passes_over_the_rows"] == 3
    assert found["schedule"]["completions"] == 56
    assert found["schedule"]["completion_tokens_at_most"] == 56 * 24
    assert found["judge"] == {"judge": "rules", "requests": 0, "verdicts": 112}
    assert found["evaluation"] == {"times": 4, "completions": 12}
    assert found["memory"]["parameters"] == 51_040
    assert found["prompt_tokens"]["most"] > 40
    assert json.loads(json.dumps(found)) == found


def test_a_copy_from_the_hub_is_read_as_the_folder_is(tiny_model, train_set, tmp_path):
    shutil.copytree(train_set / "data", tmp_path / "copy" / "data")
    recipe = tiny_recipe(tiny_model)
    assert plan(recipe, str(tmp_path / "copy")) == plan(recipe, str(train_set))


def test_a_plan_says_what_a_judge_would_be_asked(tiny_model, train_set):
    judge = {"model": {"name": "vllm/judge", "base_url": "http://localhost:1/v1"}}
    found = plan(tiny_recipe(tiny_model, judge=judge), str(train_set))["judge"]
    assert (found["requests"], found["verdicts"]) == (16, 32)
    assert found["tokens_in"] > 16 * 24
    assert found["to_judge_a_batch_in_30_s"]["requests_per_s"] == round(8 / 30, 2)


def test_a_plan_lists_everything_that_is_wrong(tiny_model, train_set, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    recipe = tiny_recipe(
        tiny_model,
        {"num_generations": 3, "max_completion_length": 950},
        evaluation={"rows": 10},
        judge={"model": {"name": "rules"}, "is_hybrid": True},
        processes=2,
    )
    found = plan(recipe, str(train_set))
    assert found["schedule"] is None
    wrong = " ".join(found["inconsistencies"])
    for said in (
        "is for 2 training processes",
        "hybrid needs a model",
        "10 of 10 prompts have more than 74 tokens",
        "none of its 10 rows can be used. The first, bar-0: prompt_too_long",
        "num_generations 3",
    ):
        assert said in wrong


def test_a_plan_of_a_model_that_is_not_here(train_set, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = plan(load_recipe("perception-r1-7b", {"model.path": "/no/model"}), str(train_set))
    assert found["memory"] is None
    assert found["prompt_tokens"] is None
    wrong = " ".join(found["inconsistencies"])
    assert "/no/model" in wrong
    assert "this machine has 0" in wrong
    assert "is for 8 training processes" in wrong


def test_the_command_prints_the_plan_and_writes_nothing(tiny_model, train_set, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(yaml.safe_dump(tiny_recipe(tiny_model).model_dump(mode="json")))
    arguments = ["train", str(train_set), "-o", str(tmp_path / "out"), "--config", str(recipe)]
    run = CliRunner().invoke(app, [*arguments, "--max-steps", "9", "--seed", "5", "--dry-run"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert (found["schedule"]["steps"], found["recipe"]["seed"]) == (9, 5)
    assert not (tmp_path / "out").exists()


def test_the_defaults_are_those_of_the_trainer():
    fields = {field.name: field.default for field in dataclasses.fields(grpo_config_class())}
    assert {name: fields[name] for name in DEFAULTS} == DEFAULTS
