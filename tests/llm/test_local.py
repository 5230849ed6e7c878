"""`local/PATH`: tiny random models of transformers, saved and loaded as real ones are."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pydantic import BaseModel
from tiny_models import tiny_idefics3

from pr1.llm.chat import ChatImage, ChatMessage, ChatRequest, ChatResponse
from pr1.llm.local import BATCH, LocalClient, open_local
from pr1.llm.local_folder import folder_identity
from pr1.llm.models import model_identity, open_client
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import BadRequest, MissingExtra, UsageError

TOKENS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_idefics3(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def client(folder: Path) -> LocalClient:
    return open_local(str(folder))


def picture(colour: str = "red", side: int = 48) -> ChatImage:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return ChatImage(buffer.getvalue(), "image/png")


def ask(text: str, *pictures: ChatImage, **changes: object) -> ChatRequest:
    message = ChatMessage("user", (*pictures, text))
    request = ChatRequest((message,), "select", max_tokens=TOKENS, temperature=1.0, seed=0)
    return replace(request, **changes)  # type: ignore[arg-type]


def answers(client: LocalClient, *requests: ChatRequest) -> list[ChatResponse]:
    async def all_of_them() -> list[ChatResponse]:
        return await asyncio.gather(*(client.complete(request) for request in requests))

    return asyncio.run(all_of_them())


def mixed_requests() -> list[ChatRequest]:
    return [
        ask("How high is the red bar?", picture("red"), seed=1),
        ask("How high?", picture("blue", 30), seed=2),
        ask("A longer question about the picture: what is there to be seen in it?", picture()),
        ask("How high?", picture("green"), temperature=0.0),
        ask("How high is the red bar, without a look at it?", seed=3),
        ask("Two of them", picture("red"), picture("blue"), seed=4),
        ask("Short", picture(), max_tokens=3, temperature=0.5),
    ]


def test_an_answer_does_not_depend_on_those_computed_beside_it(client: LocalClient) -> None:
    requests = mixed_requests()
    alone = [answers(client, request)[0] for request in requests]
    assert answers(client, *requests) == alone
    assert len({response.text for response in alone}) > 3


def test_a_seed_gives_one_answer_and_another_seed_another(client: LocalClient) -> None:
    first, again, other, sample, *unseeded = answers(
        client,
        ask("How high?", picture()),
        ask("How high?", picture()),
        ask("How high?", picture(), seed=1),
        ask("How high?", picture(), sample_index=2),
        ask("How high?", picture(), seed=None),
        ask("How high?", picture(), seed=None),
    )
    assert first == again
    texts = [first.text, other.text, sample.text, *(response.text for response in unseeded)]
    assert len(set(texts)) == 5


def test_sampling_follows_the_models_distribution(client: LocalClient) -> None:
    question = "How high?"
    greedy = answers(client, ask(question, temperature=0.0, max_tokens=1, top_logprobs=20))[0]
    assert greedy.first_token is not None
    assert list(greedy.first_token.values()) == sorted(greedy.first_token.values(), reverse=True)
    assert greedy.text == next(iter(greedy.first_token))
    # A low temperature comes close to the likeliest token; at 1 a random model seldom takes it.
    cold = [ask(question, seed=seed, temperature=0.001, max_tokens=1) for seed in range(8)]
    warm = [ask(question, seed=seed, max_tokens=1) for seed in range(200)]
    assert {response.text for response in answers(client, *cold)} == {greedy.text}
    assert 20 < len({response.text for response in answers(client, *warm)}) <= 200


def test_a_cut_answer_says_so_and_its_tokens_are_counted(
    client: LocalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = answers(client, ask("How high?", picture()))[0]
    assert (cut.finish, cut.tokens_out) == ("length", TOKENS)
    # From now on half of all tokens end an answer.
    model = client._model
    assert model is not None
    ends = list(range(0, len(model._tokenizer), 2))
    monkeypatch.setattr(model, "_ends", ends)
    monkeypatch.setattr(model._model.generation_config, "eos_token_id", ends)
    ended = answers(client, ask("How high?", picture()))[0]
    assert ended.finish == "stop"
    assert 1 <= ended.tokens_out < TOKENS
    assert cut.text.startswith(ended.text.rstrip("\ufffd"))  # half a character may be at the end


def test_each_picture_takes_its_tokens(client: LocalClient) -> None:
    none, one, two = answers(
        client, ask("x"), ask("x", picture()), ask("x", picture(), picture("blue"))
    )
    assert one.tokens_in >= none.tokens_in + 9
    assert two.tokens_in - one.tokens_in == one.tokens_in - none.tokens_in


def test_a_bad_request_fails_alone(client: LocalClient) -> None:
    class Facts(BaseModel):
        facts: list[str]

    bad = [
        (ask("x", ChatImage(b"no picture", "image/png")), "a picture of the request"),
        (ask("x " * 2_000, picture()), "reads 1,024 in all"),
        (ask("x", picture(), max_tokens=1_024), "reads 1,024 in all"),
        (ask("x", response_model=Facts), "free text"),
        (ask("an <image> that is not there"), "cannot answer the request"),
        (ask("an <image> more than there are", picture()), "cannot answer the request"),
    ]
    good = ask("How high?", picture())

    async def outcomes() -> list[ChatResponse | BaseException]:
        requests = [good, *(request for request, _ in bad), good]
        return await asyncio.gather(*map(client.complete, requests), return_exceptions=True)

    first, *failures, last = asyncio.run(outcomes())
    assert isinstance(first, ChatResponse)
    assert first == last
    for failure, (_, message) in zip(failures, bad, strict=True):
        assert isinstance(failure, BadRequest)
        assert message in str(failure)


def test_more_requests_than_a_batch_holds(client: LocalClient) -> None:
    requests = [ask("How high?", seed=seed, max_tokens=2) for seed in range(BATCH + 3)]
    assert len(answers(client, *requests)) == BATCH + 3


def test_an_abandoned_request_does_not_hold_up_the_others(client: LocalClient) -> None:
    async def abandon() -> ChatResponse:
        endless = asyncio.create_task(client.complete(ask("x", max_tokens=900)))
        await asyncio.sleep(0.2)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        return await client.complete(ask("x"))

    assert asyncio.run(abandon()).tokens_out == TOKENS


def test_closing_waits_for_what_is_under_way(folder: Path) -> None:
    async def close() -> ChatResponse:
        client = open_client(ModelConfig(name=f"local/{folder}"), Execution())
        answer = asyncio.create_task(client.complete(ask("x")))
        await asyncio.sleep(0)
        await client.aclose()
        return await answer

    assert asyncio.run(close()).tokens_out == TOKENS


def test_the_identity_is_the_name_and_the_content(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = folder_identity(str(folder))
    assert identity[:3] == ("local", "", "tiny")
    elsewhere = tmp_path / "models" / "tiny"
    shutil.copytree(folder, elsewhere)
    monkeypatch.chdir(tmp_path)
    for name in ("local/models/tiny", "local/models/tiny/", f"local/{elsewhere}"):
        assert model_identity(ModelConfig(name=name)) == identity
    (elsewhere / "README.md").write_text("A note changes no answer.")
    assert folder_identity("models/tiny") == identity
    tiny_idefics3(elsewhere, seed=1)
    assert folder_identity("models/tiny").revision != identity.revision


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_image_processor(folder: Path) -> None:
    for name in ("preprocessor_config.json", "processor_config.json"):
        (folder / name).unlink(missing_ok=True)


def without_one_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop(next(iter(sorted(weights))))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def as_adapter(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")


def of_unknown_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "unheard_of"}))


def with_its_own_code(folder: Path) -> None:
    of_unknown_kind(folder)
    config = json.loads((folder / "config.json").read_text())
    named = {"AutoConfig": "m.C", "AutoModelForImageTextToText": "m.M"}
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": named}))
    (folder / "m.py").write_text("raise SystemExit('the code of the folder was run')")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "no such folder"),
        (without_weights, "no weights in safetensors"),
        (without_image_processor, "reads no pictures|cannot load it"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "no chat template"),
        (without_one_weight, "1 weights are missing"),
        (as_adapter, "merge it into its base model"),
        (of_unknown_kind, "cannot load it"),
        (with_its_own_code, "cannot load it"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"junk"), "cannot load it"),
    ],
)
def test_a_folder_that_is_no_model_is_refused(
    folder: Path, tmp_path: Path, spoil: object, message: str
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(folder, spoilt)
    spoil(spoilt)  # type: ignore[operator]
    with pytest.raises(UsageError, match=message):
        open_local(str(spoilt))


def test_a_missing_package_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pr1\[train\]'"):
        open_local(str(folder))
