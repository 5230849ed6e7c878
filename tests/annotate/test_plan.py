"""`--dry-run`: what it says, that it is true, and that it sends nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer
from PIL import Image

from pr1.annotate.collect import collect
from pr1.annotate.extraction.extractor import Extractor
from pr1.annotate.ordered import Asked
from pr1.annotate.plan import plan_annotate, plan_collect
from pr1.annotate.reading import ReadingTally, open_reading
from pr1.annotate.run import annotate
from pr1.annotate.source.problems import ProblemGroup, ProblemReader
from pr1.llm.chat import ChatRequest, ChatResponse
from pr1.llm.estimate import Spending
from pr1.llm.models import model_identity
from pr1.llm.prices import Price
from pr1.llm.store import ResponseStore, request_key
from pr1.llm.tokens import text_tokens
from pr1.schemas.config import AnnotateConfig, CollectConfig, Execution, ModelConfig, SourceConfig
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

    plan = plan_collect(config, folder / "out")

    json.dumps(plan)
    assert CollectConfig.model_validate(plan["config"]) == config
    assert plan["command"] == "collect"
    assert plan["records_read"] == 6
    assert plan["problems"] == 2
    assert plan["dropped_by_reason"] == {"no_image": 1}
    assert plan["failed_by_error"] == {"empty_answer": 2, "unreadable_image": 1}
    assert plan["requests"] == 6
    assert plan["requests_answered"] == 0
    assert plan["destination"] == "https://api.openai.com/v1"
    assert plan["pictures_sent_to"] == "https://api.openai.com/v1: 9 pictures, in 6 requests"
    assert plan["tokens_in"] > 3 * (1 + 1 + 2000)
    assert plan["tokens_out"] == plan["tokens_out_at_most"] == 600
    assert "3.5 characters" in plan["estimated"]
    assert not (folder / "out").exists()


def test_a_picture_counts_as_it_is_sent(folder):
    def tokens_in(max_pixels: int) -> int:
        source = write(folder, {"image": "large.png"})
        config = CollectConfig(source=source, model=OPENAI, samples=1, max_pixels=max_pixels)
        return int(plan_collect(config, folder / "out")["tokens_in"])

    assert tokens_in(150_000) - tokens_in(75_000) == pytest.approx(100, abs=3)
    assert tokens_in(10**7) - tokens_in(75_000) == pytest.approx(1900, abs=3)


def test_the_limit_holds(folder):
    source = write(folder, {}, {}, {})
    plan = plan_collect(CollectConfig(source=source, model=OPENAI, limit=2), folder / "out")
    assert (plan["records_read"], plan["problems"]) == (2, 2)


def test_annotate_counts_the_trajectories_that_it_would_read(folder):
    source = write(
        folder,
        {"trajectories": [RIGHT, WRONG, RIGHT + " Sure."]},
        {"trajectories": [WRONG]},
        {"trajectories": [RIGHT], "image": None},
        {"trajectories": []},
    )
    config = AnnotateConfig(source=source, model=OPENAI)

    plan = plan_annotate(config, folder / "out")

    json.dumps(plan)
    assert AnnotateConfig.model_validate(plan["config"]) == config
    assert plan["problems"] == 1
    assert plan["requests"] == 2
    assert plan["dropped_by_reason"] == {
        "no_correct_trajectory": 1,
        "no_image": 1,
        "no_trajectory": 1,
    }
    assert plan["tokens_in"] > 2 * text_tokens(RIGHT)
    assert 0 < plan["tokens_out"] < plan["tokens_out_at_most"]
    assert plan["destination"] == "https://api.openai.com/v1"
    assert plan["pictures_sent_to"] == "nobody: no request holds one"
    kept = plan_annotate(config.model_copy(update={"keep_wrong": True}), folder / "out")
    assert (kept["problems"], kept["requests"]) == (2, 3), "equal texts are asked about once"


@pytest.mark.parametrize(("name", "requests"), [("embedded", 1), ("rules", 0)])
def test_a_model_without_a_service_keeps_everything_here_and_costs_nothing(name, requests, folder):
    source = write(folder, {"trajectory": RIGHT})
    config = AnnotateConfig(source=source, model=ModelConfig(name=name))
    plan = plan_annotate(config, folder / "out")
    assert plan["destination"] == "this machine"
    assert plan["requests"] == requests
    assert (plan["tokens_in"] > 0) == (requests > 0)
    assert plan["cost_usd"] == plan["cost_usd_at_most"] == 0


@pytest.mark.parametrize(
    ("name", "prices", "batch", "price"),
    [
        ("openai/gpt-6-luna", None, False, Price(input=0.125, output=0.5)),
        ("openai/gpt-6-luna", None, True, Price(input=0.0625, output=0.25)),
        ("openai/eye-1", "openai: {models: {eye-1: {input: 3, output: 4}}}", False, None),
    ],
)
def test_the_cost_is_that_of_the_tokens(name, prices, batch, price, folder):
    path = folder / "own.yaml"
    path.write_text(prices or "")
    execution = Execution(prices=prices and str(path), batch=batch)
    model = ModelConfig(name=name)
    source = write(folder, {"trajectory": RIGHT})
    plan = plan_annotate(
        AnnotateConfig(source=source, model=model, execution=execution), folder / "out"
    )
    price = price or Price(input=3, output=4)
    for cost, tokens_out in (
        (plan["cost_usd"], plan["tokens_out"]),
        (plan["cost_usd_at_most"], plan["tokens_out_at_most"]),
    ):
        expected = (plan["tokens_in"] * price.input + tokens_out * price.output) / 1e6
        assert cost == pytest.approx(expected, abs=1e-6)


def test_an_unknown_price_is_said(folder):
    config = AnnotateConfig(source=write(folder, {"trajectory": RIGHT}), model=OPENAI)
    plan = plan_annotate(config, folder / "out")
    assert plan["cost_usd"] is None
    assert plan["cost_usd_at_most"] is None
    assert "--prices" in plan["prices"]


def requests_of(config: AnnotateConfig) -> Iterator[tuple[str, int, ChatRequest]]:
    """Each problem's id, the number of its request, the request."""
    extractor = Extractor(config.model)
    for group in ProblemReader(config.source, needs_trajectory=True):
        assert isinstance(group, ProblemGroup)
        asked = open_reading(group, config, extractor, ReadingTally())
        assert isinstance(asked, Asked)
        for number, request in enumerate(asked.requests):
            yield group.problem.id, number, request


def answer(config: AnnotateConfig, out: Path, number: int, **tokens: int) -> None:
    """Put answers to the first requests of the config into the folder's store."""
    with ResponseStore(out / ".pr1/responses.sqlite") as store:
        for _, _, request in list(requests_of(config))[:number]:
            response = ChatResponse(text="", finish="stop", **tokens)
            key = request_key(model_identity(config.model), request)
            store.put(key, request.purpose, response, response.usage)


def test_what_is_answered_is_not_sent_again_and_teaches_the_rest(folder):
    out = folder / "out"
    records = [{"trajectory": f"Line {n:02} is drawn. {RIGHT}"} for n in range(30)]
    config = AnnotateConfig(source=write(folder, *records), model=OPENAI)
    by_rule = plan_annotate(config, out)

    answer(config, out, 9, tokens_in=2000, tokens_out=300)
    few = plan_annotate(config, out)
    assert (few["requests"], few["requests_answered"]) == (21, 9)
    assert few["tokens_out"] == pytest.approx(by_rule["tokens_out"] * 21 / 30, abs=21)
    assert few["estimated"] == by_rule["estimated"]

    answer(config, out, 10, tokens_in=2000, tokens_cached=500, tokens_out=300)
    enough = plan_annotate(config, out)
    assert (enough["requests"], enough["requests_answered"]) == (20, 10)
    assert enough["tokens_in"] == pytest.approx(20 * 2000, rel=0.02)
    assert enough["tokens_out"] == pytest.approx(20 * 300, rel=0.02)
    assert enough["tokens_out_at_most"] == 20 * by_rule["tokens_out_at_most"] // 30
    assert "10 requests" in enough["estimated"]


def test_what_was_read_from_the_services_cache_makes_the_rest_cheaper(folder):
    records = [{"trajectory": f"Line {n:02} is drawn. {RIGHT}"} for n in range(20)]
    model = ModelConfig(name="openai/gpt-6-luna")
    config = AnnotateConfig(source=write(folder, *records), model=model)
    answer(config, folder / "without", 10, tokens_in=2000, tokens_out=1)
    answer(config, folder / "with", 10, tokens_in=2000, tokens_cached=1500, tokens_out=1)
    without, cached = (plan_annotate(config, folder / name) for name in ("without", "with"))
    assert cached["cost_usd"] < without["cost_usd"]
    assert cached["cost_usd_at_most"] == without["cost_usd_at_most"]


async def test_the_plan_is_what_the_run_does_and_sends_nothing(folder, fake_server: FakeServer):
    model = ModelConfig(name="vllm/eye-1", base_url=fake_server.openai_url)
    source = write(folder, {}, {"question": "图中AB有多长？"}, {"image": ""}, {"answer": ""})
    collecting = CollectConfig(source=source, model=model, samples=2)

    plan = plan_collect(collecting, folder / "collected")
    assert fake_server.bodies == []
    assert plan["pictures_sent_to"].startswith(fake_server.openai_url)

    fake_server.answer = lambda body: RIGHT if "response_format" not in body else '{"facts": []}'
    counts = (await collect(collecting, folder / "collected")).counts
    assert len(fake_server.bodies) == plan["requests"]
    assert (counts.read, counts.rows) == (plan["records_read"], plan["problems"])
    assert counts.dropped_by_reason == plan["dropped_by_reason"]
    assert counts.failed_by_error == plan["failed_by_error"]
    again = plan_collect(collecting, folder / "collected")
    assert (again["requests"], again["requests_answered"]) == (0, plan["requests"])
    assert (again["tokens_in"], again["tokens_out_at_most"]) == (0, 0)
    assert again["pictures_sent_to"] == "nobody: no request holds one"

    fake_server.bodies.clear()
    collected = SourceConfig(path=str(folder / "collected"))
    annotating = AnnotateConfig(source=collected, model=model)
    plan = plan_annotate(annotating, folder / "annotated")
    assert fake_server.bodies == []
    assert plan["problems"] == 2
    await annotate(annotating, folder / "annotated")
    assert len(fake_server.bodies) == plan["requests"] > 0


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
        plan_collect(CollectConfig(source=write(folder, {}), model=model), folder / "out")
    assert "pw" not in str(caught.value)


# What the embedded model took for requests about data/sample, drawn at random:
# problem/number of the request, tokens of the prompt, tokens of the answer.
TOOK = """
    bars-01/0 1178 102, bars-01/1 1192 163, bars-02/0 1248 142, bars-02/1 1204 119,
    bars-03/0 1226 50, bars-03/1 1200 119, bars-04/0 1195 139, bars-04/1 1167 75,
    bars-06/1 1187 117, bars-07/1 1164 67, counting-01/0 1183 127, counting-01/1 1215 116,
    counting-03/0 1197 173, counting-05/0 1193 123, counting-06/0 1202 159, geometry-02/0 1224 137,
    geometry-02/1 1195 761, geometry-04/1 1214 178, geometry-07/0 1235 146, geometry-07/1 1166 79,
    geometry-08/1 1208 179, geometry-09/0 1201 134, geometry-09/1 1239 93, geometry-10/0 1237 170,
    geometry-13/0 1213 188, geometry-13/1 1205 142, geometry-16/0 1227 170, geometry-16/1 1217 53,
    geometry-17/0 1190 117, geometry-18/0 1436 449, geometry-18/1 1167 103, geometry-20/0 1163 85,
    lines-01/0 1207 211, lines-02/1 1233 126, lines-05/1 1150 40, lines-06/0 1197 102,
    lines-06/1 1218 193, physics-01/0 1227 205, physics-02/0 1213 179, physics-03/0 1224 122,
    physics-03/1 1182 144, physics-06/0 1316 26, physics-06/1 1196 130, tables-01/0 1174 103,
    tables-01/1 1208 178, tables-03/0 1195 109, tables-04/1 1190 138
"""


def test_the_estimate_for_the_sample_is_within_a_fifth_of_what_was_measured():
    took = [entry.split() for entry in TOOK.split(",")]
    asked = {name for name, _, _ in took}
    sample = Path(__file__).parents[2] / "data/sample/problems.jsonl"
    config = AnnotateConfig(
        source=SourceConfig(path=str(sample)), model=ModelConfig(name="embedded")
    )
    spending = Spending(model_identity(config.model), "extract", None)
    for problem, number, request in requests_of(config):
        if f"{problem}/{number}" in asked:
            spending.add(request)
    assert spending.to_send == len(took)
    usage = spending.usage
    assert usage.tokens_in == pytest.approx(sum(int(row[1]) for row in took), rel=0.2)
    assert usage.tokens_out == pytest.approx(sum(int(row[2]) for row in took), rel=0.2)
