"""`pr1 train` end to end on a tiny model of each family: full fine-tuning, and an adapter."""

import json

import pytest
import yaml
from tiny_models import tiny_idefics3, tiny_qwen2_5_vl
from train_sets import tiny_recipe, train_rows, write_train_set
from typer.testing import CliRunner

from pr1.cli import app

pytestmark = pytest.mark.slow
QWEN_PIXELS = {"min": 784, "max": 12_544}  # the tiny processor's own bounds
LORA = {"r": 4, "target_modules": ["q_proj", "v_proj"]}


def run_train(folder, model, **changes):
    """The folder that `pr1 train` made of eight rows in two steps."""
    dataset = write_train_set(folder / "set", train_rows(8))
    recipe = folder / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(tiny_recipe(model, **changes).model_dump(mode="json")))
    out = folder / "out"
    run = CliRunner().invoke(app, ["train", str(dataset), "-o", str(out), "--config", str(recipe)])
    assert run.exit_code == 0, run.output
    assert run.stdout.strip().endswith(str(out))
    return out


def check_run(out):
    """What every run leaves behind: two steps, sixteen completions with their parts."""
    import pyarrow.parquet as pq

    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in steps if "loss" in line]
    assert len(losses) == 2
    assert all(loss == loss for loss in losses)
    table = pq.read_table(out / "completions").to_pylist()
    assert len(table) == 16
    assert {row["step"] for row in table} == {0, 1}
    assert None not in {row["reward"] for row in table}
    assert json.loads((out / "manifest.json").read_text())["facts"]["steps"] == 2


def weights(folder, cls):
    model = cls.from_pretrained(folder)
    return {name: tensor.detach().clone() for name, tensor in model.named_parameters()}


@pytest.mark.parametrize(
    ("make", "changes"), [(tiny_idefics3, {}), (tiny_qwen2_5_vl, {"pixels": QWEN_PIXELS})]
)
def test_a_family_goes_through_two_steps_and_learns(tmp_path, make, changes):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = make(tmp_path / "model")
    out = run_train(tmp_path, model, **changes)
    check_run(out)
    before = weights(model, AutoModelForImageTextToText)
    after = weights(out / "model", AutoModelForImageTextToText)
    changed = {name for name in before if not before[name].equal(after[name])}
    assert any("vision" in name or "visual" in name for name in changed), "the tower is trained"
    assert any("language_model" in name or "text_model" in name for name in changed)
    processor = AutoProcessor.from_pretrained(out / "model")
    assert type(processor) is type(AutoProcessor.from_pretrained(model))
    assert processor.image_processor is not None


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")  # of peft
def test_an_adapter_is_trained_and_the_base_stays_as_it_was(tmp_path):
    from peft import PeftConfig, PeftModel
    from transformers import AutoModelForImageTextToText

    model = tiny_qwen2_5_vl(tmp_path / "model")
    out = run_train(tmp_path, model, lora=LORA, freeze_vision=True, pixels=QWEN_PIXELS)
    check_run(out)
    assert PeftConfig.from_pretrained(out / "model").r == 4
    base = AutoModelForImageTextToText.from_pretrained(model)
    adapted = PeftModel.from_pretrained(base, out / "model")
    lora_b = {name: it for name, it in adapted.named_parameters() if "lora_B" in name}
    assert lora_b
    assert any(it.abs().sum() > 0 for it in lora_b.values()), "it starts at zero"
    assert not [name for name in lora_b if "visual" in name]
