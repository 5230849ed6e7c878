"""A second run sends what is new or changed, and nothing else: the two stages, requests counted."""

import io
import json

import pytest
from fake_server import asked_text
from PIL import Image

from pr1.annotate import sample_requests
from pr1.annotate.collect import collect
from pr1.annotate.extraction import model as extraction_model
from pr1.annotate.run import annotate
from pr1.llm.store import ResponseStore
from pr1.outputs.rows import read_rows
from pr1.schemas.config import (
    AnnotateConfig,
    CollectConfig,
    Execution,
    ModelConfig,
    SourceConfig,
)
from pr1.schemas.records import AnnotatedProblem

FACTS = json.dumps({"facts": [{"quote": "AB = 5", "statement": "AB = 5", "kind": "length"}]})


def draw(path, colour):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "set"
    inner.mkdir()
    draw(inner / "0.png", "red")
    draw(inner / "1.png", "blue")
    draw(inner / "2.png", "green")
    return inner


def write(folder, *questions):
    """A source of problems with three pictures in turn and a trajectory each."""
    records = [
        {
            "id": question,
            "question": question,
            "answer": "5",
            "image": f"{number % 3}.png",
            "trajectory": f"{question} AB = 5. The answer is 5.",
        }
        for number, question in enumerate(questions)
    ]
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return SourceConfig(path=str(path))


def common(server, source, **changes):
    model = ModelConfig(name="vllm/m", base_url=server.openai_url)
    execution = Execution(concurrency=4, max_retries=0)
    return {"source": source, "model": model, "execution": execution, **changes}


async def sent_by_collect(server, source, out, **changes):
    """How many requests a run sends; on the way, that it counts them and what all runs cost."""
    before = len(server.bodies)
    options = {"samples": 2, **common(server, source, **changes)}
    manifest = await collect(CollectConfig(**options), out, overwrite=True)
    assert manifest.usage.requests == len(server.bodies) - before
    with ResponseStore(out / ".pr1" / "responses.sqlite") as store:
        assert store.spent().requests == len(server.bodies)
    return len(server.bodies) - before


async def sent_by_annotate(server, source, out, **changes):
    before = len(server.bodies)
    config = AnnotateConfig(**common(server, source, **changes))
    manifest = await annotate(config, out, overwrite=True)
    assert manifest.usage.requests == len(server.bodies) - before
    return len(server.bodies) - before


async def test_a_source_that_grew_or_shrank_costs_what_is_new(folder, fake_server):
    fake_server.answer = lambda body: FACTS
    out = folder / "out"
    assert await sent_by_annotate(fake_server, write(folder, "a?", "b?"), out) == 2
    assert await sent_by_annotate(fake_server, write(folder, "a?", "b?"), out) == 0
    assert await sent_by_annotate(fake_server, write(folder, "a?", "b?", "c?", "d?"), out) == 2
    assert await sent_by_annotate(fake_server, write(folder, "d?"), out) == 0
    assert await sent_by_annotate(fake_server, write(folder, "b?", "a?"), out) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"model": {"name": "vllm/n"}},
        {"model": {"name": "vllm/m", "revision": "2026-11"}},
    ],
)
async def test_another_model_or_seed_is_asked_everything(folder, fake_server, change):
    fake_server.answer = lambda body: FACTS
    source, out = write(folder, "a?", "b?"), folder / "out"
    if "model" in change:
        change = {"model": ModelConfig(**change["model"], base_url=fake_server.openai_url)}
    assert await sent_by_annotate(fake_server, source, out) == 2
    assert await sent_by_annotate(fake_server, source, out, **change) == 2
    assert await sent_by_annotate(fake_server, source, out, **change) == 0
    assert await sent_by_annotate(fake_server, source, out) == 0


@pytest.mark.parametrize(
    "change", [{"temperature": 0.5}, {"max_tokens": 77}, {"max_pixels": 100}, {"seed": 3}]
)
async def test_another_parameter_is_asked_everything(folder, fake_server, change):
    source, out = write(folder, "a?", "b?"), folder / "out"
    assert await sent_by_collect(fake_server, source, out) == 4
    assert await sent_by_collect(fake_server, source, out, **change) == 4
    assert await sent_by_collect(fake_server, source, out) == 0


@pytest.mark.parametrize("change", [{"keep_wrong": True}, {"min_support": 2}])
async def test_what_the_model_is_not_told_costs_nothing(folder, fake_server, change):
    fake_server.answer = lambda body: FACTS
    source, out = write(folder, "a?", "b?"), folder / "out"
    assert await sent_by_annotate(fake_server, source, out) == 2
    assert await sent_by_annotate(fake_server, source, out, **change) == 0


async def test_another_picture_costs_its_problems_alone(folder, fake_server):
    source, out = write(folder, "a?", "b?", "c?", "a again?"), folder / "out"
    assert await sent_by_collect(fake_server, source, out) == 8
    draw(folder / "0.png", "yellow")
    assert await sent_by_collect(fake_server, source, out) == 4
    draw(folder / "0.png", "red")
    assert await sent_by_collect(fake_server, source, out) == 0


async def test_another_prompt_is_asked_everything(folder, fake_server, monkeypatch):
    source, out = write(folder, "a?", "b?"), folder / "out"
    assert await sent_by_collect(fake_server, source, out) == 4
    monkeypatch.setattr(sample_requests, "instructions", lambda: "Look closely.")
    assert await sent_by_collect(fake_server, source, out) == 4

    fake_server.answer = lambda body: FACTS
    said = extraction_model._instructions()
    assert await sent_by_annotate(fake_server, source, folder / "annotated") == 2
    monkeypatch.setattr(extraction_model, "_instructions", lambda: said[1:])
    assert await sent_by_annotate(fake_server, source, folder / "annotated") == 2


async def test_samples_of_one_prompt_are_answers_of_their_own(folder, fake_server):
    numbered = iter(range(100))
    fake_server.answer = lambda body: f"It is {next(numbered)}: {asked_text(body)[-9:]}"
    source, out = write(folder, "a?", "b?"), folder / "out"
    assert await sent_by_collect(fake_server, source, out, samples=3) == 6
    first = list(read_rows(out, AnnotatedProblem))
    texts = [t.text for row in first for t in row.trajectories[1:]]
    assert len(set(texts)) == 6

    assert await sent_by_collect(fake_server, source, out, samples=5) == 4
    again = list(read_rows(out, AnnotatedProblem))
    assert [row.trajectories[:4] for row in again] == [row.trajectories for row in first]
    assert await sent_by_collect(fake_server, source, out, samples=1) == 0


async def test_a_picture_that_problems_share_is_encoded_once(folder, fake_server, monkeypatch):
    encoded = []
    encode = sample_requests.encode_for_model

    def counting(image, max_pixels, *where):
        encoded.append(image.bytes)
        return encode(image, max_pixels, *where)

    monkeypatch.setattr(sample_requests, "encode_for_model", counting)
    sample_requests._encoded.cache_clear()
    source = write(folder, *(f"{number}?" for number in range(9)))
    assert await sent_by_collect(fake_server, source, folder / "out") == 18
    assert len(encoded) == 3
