"""Recipes: the shipped ones hold what they say, and a mistake is named with its remedy."""

import pytest
import yaml
from typer.testing import CliRunner

from pr1.cli import app
from pr1.schemas.errors import UsageError
from pr1.train.recipe import identity, load_recipe, read_recipe, shipped_recipes
from pr1.train.schedule import schedule
from pr1.train.trainer import trainer_arguments

SMALL = {"model": {"path": "m"}, "judge": {"model": {"name": "rules"}}}
# What Perception-R1's published script sets, in TRL's names.
PAPER = {
    "loss_type": "bnpo",
    "epsilon": 0.2,
    "epsilon_high": 0.3,
    "delta": 3.0,
    "beta": 0.0,
    "scale_rewards": "group",
    "num_generations": 8,
    "temperature": 1.0,
    "learning_rate": 1e-6,
    "weight_decay": 1e-3,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 0.05,
    "max_completion_length": 4096,
    "num_train_epochs": 25,
}


def test_four_recipes_are_shipped_and_each_can_be_read():
    assert shipped_recipes() == [
        "answer-only",
        "perception-r1-3b-lora-1gpu",
        "perception-r1-7b",
        "tiny-cpu",
    ]
    for name in shipped_recipes():
        load_recipe(name)


@pytest.mark.parametrize("name", ["answer-only", "perception-r1-3b-lora-1gpu", "perception-r1-7b"])
def test_trl_takes_a_gpu_recipes_settings(name, tmp_path):
    recipe = load_recipe(name)
    on_cpu = {**recipe.grpo, "use_cpu": True}
    arguments = trainer_arguments(recipe.model_copy(update={"grpo": on_cpu}), tmp_path)
    for key, value in recipe.grpo.items():
        if key != "gradient_checkpointing":
            assert getattr(arguments, key) == value, key
    assert arguments.activation_checkpointing is True


def test_the_large_recipe_is_the_papers():
    recipe = load_recipe("perception-r1-7b")
    assert PAPER.items() <= recipe.grpo.items()
    assert recipe.pixels.model_dump() == {"min": 3_136, "max": 1_806_336}
    reward = recipe.reward
    assert (reward.format, reward.accuracy, reward.visual, reward.repetition) == (0.1, 0.9, 0.7, 1)
    assert (reward.length, reward.contradiction_penalty) == (0, 0)
    assert not recipe.freeze_vision
    assert recipe.lora is None
    plan = schedule(recipe.grpo, recipe.processes, rows=1_442)
    assert (plan.prompts_per_batch, plan.completions_per_batch) == (128, 1_024)
    assert (plan.steps, plan.passes, plan.steps_per_batch) == (275, 25, 1)
    held_out = recipe.evaluation.rows
    assert schedule(recipe.grpo, recipe.processes, rows=1_442 - held_out).steps == 250


def test_the_baseline_differs_from_it_in_one_weight():
    ours, baseline = (
        load_recipe(name).model_dump() for name in ("perception-r1-7b", "answer-only")
    )
    assert baseline["reward"].pop("visual") == 0
    assert ours["reward"].pop("visual") == 0.7
    assert ours == baseline


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grpo": {"num_generation": 4}}, r"grpo\.num_generation\. Did you mean num_generations\?"),
        ({"grpo": {"zzz": 4}}, r"TRL has no setting grpo\.zzz\.$"),
        ({"grpo": {"output_dir": "x"}}, r"grpo\.output_dir .* given with -o"),
        ({"grpo": {"seed": 1}}, "set `seed` of the recipe"),
        ({"grpo": {"trust_remote_code": True}}, "runs no code"),
        ({"grpo": []}, "grpo: Input should be a valid dictionary"),
        ({"modle": {}}, r"no setting modle\. Did you mean model\?"),
        ({"reward": {"visul": 1}}, r"no setting reward\.visul\. Did you mean visual\?"),
        ({"lora": {"rank": 8}}, r"no setting lora\.rank\."),
        ({"reward": {"visual": float("nan")}}, r"reward\.visual: .* finite"),
        ({"pixels": {"min": 10, "max": 5}}, "min 10 is larger than max 5"),
        ({"model": {"path": " "}}, r"model\.path: "),
        ({"model": {"path": "m", "dtype": "int8"}}, r"model\.dtype: "),
        ({"report_to": ["mlflow"]}, r"report_to\.0: "),
        ({"processes": 0}, "processes: "),
        ({"seed": -1}, "seed: "),
        ({"judge": None}, "judge: "),
    ],
)
def test_a_mistake_is_named_with_the_nearest_setting(changes, said):
    with pytest.raises(UsageError, match=said):
        read_recipe({**SMALL, **changes}, "r.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no `setting: value` lines"),
        ("- 1", "holds no `setting: value` lines"),
        ("a: [", "is no YAML"),
        ("model: {path: m}\ngrpo: 7\njudge: {model: {name: rules}}", "grpo: Input should be"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path, text, said):
    path = tmp_path / "r.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError, match=said):
        load_recipe(str(path), {"grpo.max_steps": 3})


def test_a_misspelt_name_is_answered_with_those_that_there_are():
    with pytest.raises(
        UsageError, match=r"Did you mean tiny-cpu\? Recipes that come with pr1: ans"
    ):
        load_recipe("tiny-cpus")


def test_numbers_that_yaml_reads_as_text_are_numbers():
    values = yaml.safe_load("{learning_rate: 1e-6, max_steps: 3, optim: adamw_torch}")
    assert values["learning_rate"] == "1e-6"
    grpo = read_recipe({**SMALL, "grpo": values}, "r.yaml").grpo
    assert grpo == {"learning_rate": 1e-6, "max_steps": 3, "optim": "adamw_torch"}


def test_options_go_before_the_recipe_and_none_leaves_it():
    given = {
        "model.path": "n",
        "grpo.max_steps": 3,
        "seed": None,
        "judge.model.base_url": "http://j",
    }
    recipe = load_recipe("tiny-cpu", given)
    assert (recipe.model.path, recipe.grpo["max_steps"], recipe.seed) == ("n", 3, 0)
    assert recipe.judge.model.base_url == "http://j"


def test_what_only_decides_when_something_is_written_is_free_to_change():
    one, other, third = (
        identity(read_recipe({**SMALL, "grpo": grpo, "report_to": to}, "r.yaml"))
        for grpo, to in (
            ({"save_steps": 1}, []),
            ({"save_steps": 2, "save_total_limit": 1}, ["tensorboard"]),
            ({"learning_rate": 1.0}, []),
        )
    )
    assert one == other
    assert one != third


def test_the_help_names_every_recipe_that_is_shipped():
    shown = CliRunner().invoke(app, ["train", "--help"]).output
    assert all(name in shown for name in shipped_recipes())
