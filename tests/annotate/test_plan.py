"""`--dry-run`: what it says, that it is true, and that it sends nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer
from PIL import Image

from pr1.annotate.collect import collect
from pr1.annotate.estimate import text_tokens
from pr1.annotate.plan import plan_annotate, plan_collect
from pr1.annotate.run import annotate
from pr1.schemas.config import AnnotateConfig, CollectConfig, ModelConfig, SourceConfig
from pr1.schemas.errors import UsageError

RIGHT = r"AB is labelled 5. So the answer is \boxed{5}."
WRONG = r"AB is labelled 7. So the answer is \boxed{7}."
OPENAI = ModelConfig(name="openai/eye-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "set"
    inner.mkdir()
    for name, size in (("small", (30, 25)), ("large", (1500, 1000))):
        Image.new("RGB", size, "red").save(inner / f"{name}.png")
    (inner / "broken.png").write_bytes(b"<html>")
    return inner


def write(folder: Path, *records: dict[str, Any]) -> SourceConfig:
    whole = {"question": "How long is AB?", "answer": "5", "image": "small.png"}
    path = folder / "set.jsonl"
    lines = [json.dumps({"id": f"p{n}", **whole, **r}) for n, r in enumerate(records)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return SourceConfig(path=str(path))


def test_collect_says_who_gets_the_pictures_and_what_is_left_out(folder):
    source = write(
        folder,
        {},
        {"image": None, "images": ["small.png", "large.png"], "choices": ["3", "5"]},
        {"image": ""},
        {"image": "broken.png"},
        {"answer": ""},
        {"answer": ""},
    )
    config = CollectConfig(source=source, model=OPENAI, samples=3, max_tokens=100)

    plan = plan_collect(config)

    json.dumps(plan)
    assert CollectConfig.model_validate(plan["config"]) == config
    assert plan["command"] == "collect"
    assert plan["records_read"] == 6
    assert plan["problems"] == 2
    assert plan["dropped_by_reason"] == {"no_image": 1}
    assert plan["failed_by_error"] == {"empty_answer": 2, "unreadable_image": 1}
    assert plan["requests"] == 6
    assert plan["cost"] == "unknown"
    assert plan["destination"] == "https://api.openai.com/v1"
    assert plan["pictures_sent_to"] == (
        "https://api.openai.com/v1: 3 pictures of 2 problems, each 3 times"
    )
    estimate = plan["estimate"]
    assert estimate["tokens_in_pictures"] == 3 * (1 + 1 + 2000)
    assert estimate["tokens_in"] > estimate["tokens_in_pictures"]
    assert estimate["tokens_out_at_most"] == 600
    assert "3.5 characters" in estimate["rule"]


def test_a_picture_counts_as_it_is_sent(folder):
    source = write(folder, {"image": "large.png"})
    config = CollectConfig(source=source, model=OPENAI, samples=1, max_pixels=75_000)
    assert plan_collect(config)["estimate"]["tokens_in_pictures"] == 100


def test_the_limit_holds(folder):
    source = write(folder, {}, {}, {})
    plan = plan_collect(CollectConfig(source=source, model=OPENAI, limit=2))
    assert (plan["records_read"], plan["problems"], plan["requests"]) == (2, 2, 8)


def test_annotate_counts_the_trajectories_that_it_would_read(folder):
    source = write(
        folder,
        {"trajectories": [RIGHT, WRONG, RIGHT + " Sure."]},
        {"trajectories": [WRONG]},
        {"trajectories": [RIGHT], "image": None},
        {"trajectories": []},
    )
    config = AnnotateConfig(source=source, model=OPENAI)

    plan = plan_annotate(config)

    json.dumps(plan)
    assert AnnotateConfig.model_validate(plan["config"]) == config
    assert plan["problems"] == 1
    assert plan["requests"] == 2
    assert plan["dropped_by_reason"] == {
        "no_correct_trajectory": 1,
        "no_image": 1,
        "no_trajectory": 1,
    }
    assert plan["estimate"]["tokens_in"] > 2 * text_tokens(RIGHT)
    assert plan["estimate"]["tokens_in_pictures"] == 0
    assert plan["estimate"]["tokens_out_at_most"] > 0
    assert plan["destination"] == "https://api.openai.com/v1"
    assert plan["pictures_sent_to"] == "nobody: annotate sends text only"
    kept = plan_annotate(config.model_copy(update={"keep_wrong": True}))
    assert (kept["problems"], kept["requests"]) == (2, 4)


@pytest.mark.parametrize(("name", "requests"), [("embedded", 1), ("rules", 0)])
def test_a_model_without_a_service_keeps_everything_here(name, requests, folder):
    source = write(folder, {"trajectory": RIGHT})
    plan = plan_annotate(AnnotateConfig(source=source, model=ModelConfig(name=name)))
    assert plan["destination"] == "this machine"
    assert plan["requests"] == requests
    assert (plan["estimate"]["tokens_in"] > 0) == (requests > 0)


async def test_the_plan_is_what_the_run_does_and_sends_nothing(folder, fake_server: FakeServer):
    model = ModelConfig(name="vllm/eye-1", base_url=fake_server.openai_url)
    source = write(folder, {}, {"question": "图中AB有多长？"}, {"image": ""}, {"answer": ""})
    collecting = CollectConfig(source=source, model=model, samples=2)

    plan = plan_collect(collecting)
    assert fake_server.bodies == []
    assert plan["pictures_sent_to"].startswith(fake_server.openai_url)

    fake_server.answer = lambda body: RIGHT if "response_format" not in body else '{"facts": []}'
    counts = (await collect(collecting, folder / "collected")).counts
    assert len(fake_server.bodies) == plan["requests"]
    assert (counts.read, counts.rows) == (plan["records_read"], plan["problems"])
    assert counts.dropped_by_reason == plan["dropped_by_reason"]
    assert counts.failed_by_error == plan["failed_by_error"]

    fake_server.bodies.clear()
    collected = SourceConfig(path=str(folder / "collected"))
    annotating = AnnotateConfig(source=collected, model=model)
    plan = plan_annotate(annotating)
    assert fake_server.bodies == []
    assert plan["problems"] == 2
    await annotate(annotating, folder / "annotated")
    assert 0 < len(fake_server.bodies) <= plan["requests"], (
        "equal trajectories are asked about once"
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ModelConfig(name="embedded"), "cannot see pictures"),
        (ModelConfig(name="gpt-5"), "no chat model that pr1 knows"),
        (ModelConfig(name="vllm/eye-1"), "needs --base-url"),
        (ModelConfig(name="vllm/eye-1", base_url="http://me:pw@host/v1"), "holds a user"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused(model, message, folder):
    with pytest.raises(UsageError, match=message) as caught:
        plan_collect(CollectConfig(source=write(folder, {}), model=model))
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("a" * 7, 2), ("图" * 3, 2), ("図はAB", 2), ("삼각형", 2), ("，", 1)],
)
def test_tokens_of_a_text(text, tokens):
    assert text_tokens(text) == tokens
