"""What bad input gets: a clear message before or at the end of the run, and nothing lost."""

import json
import resource
from types import SimpleNamespace

import pytest
from fake_server import failed
from tiny_models import IDEFICS_TEMPLATE, TAGS, byte_level_tokenizer
from train_sets import bar_picture, tiny_recipe, train_rows, write_train_set

from pr1.schemas.errors import RunStopped, ServiceDown, UsageError
from pr1.schemas.records import ProblemImage
from pr1.schemas.training import LoraSettings
from pr1.train.checkpoints import is_disk_full, last_checkpoint, remove_broken_checkpoints
from pr1.train.policy import (
    end_token_ids,
    freeze_vision,
    load_policy,
    load_processor,
    lora_config,
)
from pr1.train.run import train
from pr1.train.trainer import quiet_libraries


def copied(model, folder, *, without=()):
    folder.mkdir()
    for path in model.iterdir():
        if path.name not in without:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def vllm_judge(server, **execution):
    asked = {"max_retries": 0, "max_content_retries": 0, "timeout_s": 5, **execution}
    return {
        "model": {"name": "vllm/judge", "base_url": f"{server.openai_url}"},
        "execution": asked,
    }


def refused(recipe, dataset, out, said, error=UsageError):
    """The run ends with this message, before a step, and leaves no manifest."""
    with pytest.raises(error, match=said):
        train(recipe, dataset, out)
    assert not (out / "manifest.json").exists()
    assert not (out / "model").exists()


# -- the dataset ------------------------------------------------------------------------------


def test_a_dataset_that_is_not_there(tiny_model, tmp_path):
    refused(tiny_recipe(tiny_model), tmp_path / "no", tmp_path / "out", "no such folder")


def test_rows_without_annotations_name_the_commands_that_make_them(tiny_model, tmp_path):
    rows = [row.model_copy(update={"annotations": []}) for row in train_rows(4)]
    dataset = write_train_set(tmp_path / "set", rows)
    said = "none of its rows has a visual annotation.* pr1 annotate SOURCE -o ANNOTATED, then pr1"
    refused(tiny_recipe(tiny_model), dataset, tmp_path / "out", said)


def test_a_set_without_the_column_names_the_commands_that_make_it(tiny_model, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.jsonl").write_text('{"id": "1", "question": "q", "answer": "2"}\n')
    said = "has no column 'annotations'.* pr1 annotate SOURCE"
    refused(tiny_recipe(tiny_model), tmp_path / "set", tmp_path / "out", said)


def test_an_unfinished_set(tiny_model, tmp_path):
    (tmp_path / "set" / ".pr1").mkdir(parents=True)
    (tmp_path / "set" / ".pr1" / "run.json").write_text("{}")
    refused(tiny_recipe(tiny_model), tmp_path / "set", tmp_path / "out", "is unfinished")


@pytest.mark.slow
def test_bad_rows_are_accounted_for_and_the_others_trained_on(tiny_model, tmp_path):
    rows = train_rows(8)
    changes = {
        0: {"annotations": []},
        1: {"answer": r"\frac{1"},
        2: {"images": []},
        3: {"images": [ProblemImage(bytes=b"no picture")]},
        4: {"question": "How high? " * 400},
        5: {"images": [ProblemImage(bytes=bar_picture(2)), ProblemImage(bytes=bar_picture(3, 80))]},
    }
    for number, change in changes.items():
        rows[number] = rows[number].model_copy(update=change)
    dataset = write_train_set(tmp_path / "set", rows)
    out = tmp_path / "out"
    counts = train(tiny_recipe(tiny_model), dataset, out).counts
    assert counts.dropped_by_reason == {
        "unusable_reference": 1,
        "no_image": 1,
        "prompt_too_long": 1,
    }
    assert counts.failed_by_error == {"unreadable_image": 1}
    assert (counts.read, counts.rows) == (8, 4)
    dropped = [json.loads(line) for line in (out / "dropped.jsonl").read_text().splitlines()]
    assert {one["id"] for one in dropped} == {"bar-1", "bar-2", "bar-4"}
    assert "bar-3" in (out / "failures.jsonl").read_text()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["facts"]["rows_without_annotations"] == 1


# -- the model --------------------------------------------------------------------------------


def test_a_model_without_a_processor(tiny_model, tmp_path):
    lost = {"processor_config.json", "preprocessor_config.json"}
    model = copied(tiny_model, tmp_path / "model", without=lost)
    recipe = tiny_recipe(model)
    with pytest.raises(UsageError, match="processor"):
        load_processor(recipe.model)


def test_a_bare_tokenizer_is_no_processor(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=400,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        bos_token_id=None,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "text")
    tokenizer = byte_level_tokenizer(["<end>"], eos="<end>", chat_template=IDEFICS_TEMPLATE)
    tokenizer.save_pretrained(tmp_path / "text")
    recipe = tiny_recipe(tmp_path / "text")
    with pytest.raises(
        UsageError, match="without an image processor, so it would be trained on text"
    ):
        load_processor(recipe.model)
    with pytest.raises(UsageError, match="its model cannot be loaded"):
        load_policy(recipe.model)


def test_thinking_tags_that_would_be_lost(tiny_model, tmp_path):
    model = copied(tiny_model, tmp_path / "model")
    processor = load_processor(tiny_recipe(model).model)
    special = ["<image>", "<fake_token_around_image>", "<global-img>", "<end>", *TAGS[::3]]
    processor.tokenizer = byte_level_tokenizer(special, eos="<end>", ordinary=TAGS[1:3])
    processor.save_pretrained(model)
    with pytest.raises(UsageError, match=r"<think>, </answer> are special tokens"):
        load_processor(tiny_recipe(model).model)


def test_a_model_without_a_chat_template(tiny_model, tmp_path):
    model = copied(tiny_model, tmp_path / "model", without={"chat_template.jinja"})
    with pytest.raises(UsageError, match="has no chat template"):
        load_processor(tiny_recipe(model).model)


def test_a_folder_that_is_no_model(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "model").mkdir()
    config = SimpleNamespace(path=str(tmp_path / "model"), revision=None)
    with pytest.raises(UsageError, match="cannot be loaded"):
        load_processor(config)


def test_the_vision_tower_is_frozen_and_nothing_else(tiny_model):
    model = load_policy(tiny_recipe(tiny_model).model)
    assert freeze_vision(model) == 15_936
    frozen = {name for name, it in model.named_parameters() if not it.requires_grad}
    assert frozen
    assert all(".vision_model." in name for name in frozen)


def test_a_frozen_vision_tower_gets_no_adapter(tiny_model):
    from peft import get_peft_model

    settings = LoraSettings(r=2)
    for is_frozen in (True, False):
        model = load_policy(tiny_recipe(tiny_model).model)
        with quiet_libraries():
            adapted = get_peft_model(model, lora_config(settings, is_vision_frozen=is_frozen))
        names = [name for name, it in adapted.named_parameters() if it.requires_grad]
        assert names
        assert any(".vision_model." in name for name in names) is not is_frozen


def test_a_completion_ends_where_the_trainer_says(tiny_model):
    recipe = tiny_recipe(tiny_model)
    processor = load_processor(recipe.model)
    assert end_token_ids(recipe.model, processor) == {0, processor.tokenizer.eos_token_id}


def test_a_completion_longer_than_the_model_reads(tiny_model, train_set, tmp_path):
    recipe = tiny_recipe(tiny_model, {"max_completion_length": 1_024})
    refused(recipe, train_set, tmp_path / "out", "leaves no room for a prompt in the 1024")


# -- the settings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grpo", "said"),
    [
        ({"num_generations": 3}, r"num_generations \(3\)"),
        ({"loss_type": "bnpo", "num_generations": 1}, "at least 2 generations"),
        ({"lr_scheduler_type": "none"}, "none"),
        ({"generation_batch_size": 8, "steps_per_generation": 1}, "can not be both"),
    ],
)
def test_settings_that_trl_refuses(tiny_model, train_set, tmp_path, grpo, said):
    refused(tiny_recipe(tiny_model, grpo), train_set, tmp_path / "out", f"TRL refuses.*{said}")


def test_pixels_beyond_the_processors(tmp_path, train_set):
    from tiny_models import tiny_qwen2_5_vl

    model = tiny_qwen2_5_vl(tmp_path / "qwen")
    said = "pixels.max 1,806,336 is over the processor's own 12,544"
    refused(tiny_recipe(model), train_set, tmp_path / "out", said)


def test_somebody_elses_folder(tiny_model, train_set, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds files that pr1 did not make"):
        train(tiny_recipe(tiny_model), train_set, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


# -- the judge --------------------------------------------------------------------------------


def test_a_judge_that_is_down_at_the_start(tiny_model, train_set, tmp_path, unused_port):
    model = {"name": "vllm/judge", "base_url": f"http://127.0.0.1:{unused_port}/v1"}
    judge = {"model": model, "execution": {"max_retries": 0, "timeout_s": 5}}
    said = "the judge vllm/judge does not judge"
    refused(tiny_recipe(tiny_model, judge=judge), train_set, tmp_path / "out", said, ServiceDown)


def test_a_judge_that_answers_prose(tiny_model, train_set, tmp_path, fake_server):
    fake_server.answer = lambda body: "I think that the completion is rather good."
    recipe = tiny_recipe(tiny_model, judge=vllm_judge(fake_server))
    said = "the judge vllm/judge does not judge"
    refused(recipe, train_set, tmp_path / "out", said, ServiceDown)


@pytest.mark.slow
def test_a_judge_that_dies_midway(tiny_model, train_set, tmp_path, fake_server):
    verdicts = '{"verdicts": "1a2a"}'
    fake_server.answer = lambda body: '{"verdicts": "1r"}' if "AB = 5" in str(body) else verdicts
    judge = vllm_judge(fake_server, max_retries=1)
    reward = {"length": 1.0, "length_tail": 1.0, "max_judge_failures": 0.01}
    recipe = tiny_recipe(tiny_model, {"max_steps": 4}, judge=judge, reward=reward)
    out = tmp_path / "out"
    answer = fake_server.answer

    def on_progress(progress):
        if progress.done == 2:
            fake_server.answer = lambda body: failed(401)

    with pytest.raises(RunStopped, match=r"answered 401.* Kept: .*checkpoint-3.* goes on from it"):
        train(recipe, train_set, out, on_progress=on_progress)
    assert not (out / "manifest.json").exists()
    fake_server.answer = answer
    manifest = train(recipe, train_set, out)
    assert manifest.facts["steps"] == 4
    assert manifest.usage_in_all.requests > manifest.usage.requests > 0


# -- the loss and the disk --------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_that_diverges_keeps_its_last_good_checkpoint(tiny_model, train_set, tmp_path):
    from safetensors.torch import load_file

    out = tmp_path / "out"
    settings = {
        "max_steps": 4,
        "learning_rate": 1e39,  # beyond float32
        "lr_scheduler_type": "linear",
        "warmup_steps": 2,  # the first step's rate is 0
    }
    with pytest.raises(
        RunStopped, match=r"at step 2 is not a finite number.* Kept: .*checkpoint-1"
    ):
        train(tiny_recipe(tiny_model, settings), train_set, out)
    checkpoint = last_checkpoint(out / "checkpoints")
    assert checkpoint.name == "checkpoint-1"
    assert all(it.isfinite().all() for it in load_file(checkpoint / "model.safetensors").values())


def test_a_loss_that_is_no_number_stops_before_the_weights_change():
    import torch
    from accelerate import Accelerator

    from pr1.train.stopping import StopAtNan

    trainer = SimpleNamespace(_tr_loss=torch.tensor(0.5), accelerator=Accelerator(cpu=True))
    stop, state = StopAtNan(trainer), SimpleNamespace(global_step=3)
    stop.on_pre_optimizer_step(None, state, None)
    stop.on_log(None, state, None, {"grad_norm": 0.5, "loss": 0.1})
    for value in (float("nan"), float("inf")):
        trainer._tr_loss = torch.tensor(value)
        with pytest.raises(RunStopped, match="loss at step 4"):
            stop.on_pre_optimizer_step(None, state, None)
        with pytest.raises(RunStopped, match="gradient's norm at step 3"):
            stop.on_log(None, state, None, {"grad_norm": value})


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_checkpoint(tiny_model, train_set, tmp_path):
    out = tmp_path / "out"
    recipe = tiny_recipe(tiny_model, {"max_steps": 3})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_progress(progress):
        if progress.done == 2:  # no file above 100 kB from now on; a checkpoint needs 200 and 400
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))

    try:
        with pytest.raises(RunStopped, match=r"no room for a checkpoint.* Kept: .*checkpoint-1"):
            train(recipe, train_set, out, on_progress=on_progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (out / "checkpoints").glob("checkpoint-*")] == ["checkpoint-1"]
    assert train(recipe, train_set, out).facts["steps"] == 3


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError(13, "Permission denied"), False),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (RuntimeError("[enforce fail at inline_container.cc:1] PytorchStreamWriter failed"), True),
        (RuntimeError("out of memory"), False),
    ],
)
def test_a_full_disk_is_told_by_whatever_says_so(error, is_full):
    assert is_disk_full(error) is is_full
    wrapped = ValueError("while saving")
    wrapped.__cause__ = error
    assert is_disk_full(wrapped) is is_full


@pytest.mark.parametrize("state", [None, "", "{", "[]", "nul"])
def test_half_a_checkpoint_is_none(tmp_path, state):
    for step in (2, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-2" / "trainer_state.json").write_text('{"global_step": 2}')
    if state is not None:
        (tmp_path / "checkpoint-10" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-mine").mkdir()
    assert last_checkpoint(tmp_path).name == "checkpoint-2"
    remove_broken_checkpoints(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-mine"]


def test_another_evaluation_set_without_a_usable_row_is_refused_at_the_start(
    tiny_model, train_set, tmp_path
):
    rows = [row.model_copy(update={"answer": "\\frac{1"}) for row in train_rows(3)]
    bad = write_train_set(tmp_path / "bad", rows)
    recipe = tiny_recipe(tiny_model, {}, evaluation={"dataset": str(bad), "rows": 3, "every": 1})
    refused(recipe, train_set, tmp_path / "out", "none of its 3 rows can be used")
