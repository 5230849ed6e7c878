"""A process that is killed at any point: the next one submits nothing twice and loses no answer."""

import pytest
from batch_passes import Killed
from fake_batches import NOW, FakeBatch, Fate
from scripted_client import Facts, ask

from pr1.llm.batch import anthropic_batches, chunks, ledger, openai_batches, taking
from pr1.llm.store import ResponseStore

REQUESTS = [ask(f"question {n}") for n in range(7)]
SERVICES = {
    "openai": openai_batches.OpenAIBatches,
    "anthropic": anthropic_batches.AnthropicBatches,
}


def kill(monkeypatch, owner, method, call=1, *, after=False):
    """The process dies at the n-th call of the method: before it, or when it has done its work."""
    original, calls = getattr(owner, method), []

    def dies(*args, **values):
        calls.append(method)
        if len(calls) != call:
            return original(*args, **values)
        if after:
            original(*args, **values)
        raise Killed

    monkeypatch.setattr(owner, method, dies)


def killed_run(passes):
    with pytest.raises(Killed):
        passes.run(REQUESTS)


def finish(passes, *sizes):
    """The next run ends well, and these batches were made in all."""
    assert [result.response.text for result in passes.run(REQUESTS)] == ["an answer"] * 7
    assert [len(batch.requests) for batch in passes.fake.batches] == list(sizes)
    assert len(set(passes.fake.asked())) == len(passes.fake.asked())
    assert not list(passes.batch_folder.glob("*.jsonl"))


@pytest.mark.parametrize("call", [1, 2, 4, 7])
def test_killed_while_drawing(passes, monkeypatch, call):
    passes.limits = {"requests": 3}
    with monkeypatch.context() as patch:
        kill(patch, chunks.ChunkWriter, "add", min(call, 6))
        killed_run(passes)
    assert passes.fake.batches == []
    # Each run has its own trial: the second one answers another request online.
    finish(passes, 3, 2)


def test_killed_before_the_intention_is_noted(passes, monkeypatch):
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "intend")
        killed_run(passes)
    finish(passes, 5)


def test_killed_between_intention_and_submission(passes, monkeypatch):
    with monkeypatch.context() as patch:
        kill(patch, SERVICES[passes.provider], "submit")
        killed_run(passes)
    assert passes.fake.batches == []
    finish(passes, 6)


def test_killed_between_submission_and_its_note(passes, monkeypatch):
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "submitted")
        killed_run(passes)
    assert len(passes.fake.batches) == 1
    finish(passes, 6)


def test_killed_after_the_first_of_three_submissions(passes, monkeypatch):
    passes.limits = {"requests": 2}
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "submitted", 2)
        killed_run(passes)
    assert len(passes.fake.batches) == 2
    # Of the two requests that were not submitted, the second run's trial takes one.
    finish(passes, 2, 2, 1)


@pytest.mark.parametrize("call", [1, 3, 6])
@pytest.mark.parametrize("after", [False, True])
def test_killed_while_taking_results(passes, monkeypatch, call, after):
    with monkeypatch.context() as patch:
        kill(patch, ResponseStore, "put", 1 + call, after=after)
        killed_run(passes)
    finish(passes, 6)
    assert passes.spent().requests == 7


def test_killed_before_a_chunk_is_closed(passes, monkeypatch):
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "dissolve")
        killed_run(passes)
    finish(passes, 6)
    assert passes.spent().requests == 7


def test_killed_between_two_rounds(passes, monkeypatch):
    passes.fake.fates = [Fate("expired", done=3)]
    with monkeypatch.context() as patch:
        kill(patch, taking.Taking, "end", after=True)
        killed_run(passes)
    assert [result.response.text for result in passes.run(REQUESTS)] == ["an answer"] * 7
    assert [len(batch.requests) for batch in passes.fake.batches] == [6, 2]
    assert passes.spent().requests == 7


def test_what_an_unusable_answer_taught_survives(passes, monkeypatch):
    requests = [ask(f"question {n}", response_model=Facts) for n in range(4)]
    passes.fake.answer = lambda body: '{"facts": []}' if len(body["messages"]) == 3 else "no JSON"
    with monkeypatch.context() as patch:
        kill(patch, taking.Taking, "end", after=True)
        with pytest.raises(Killed):
            passes.run(requests, max_content_retries=1)
    results = passes.run(requests, max_content_retries=1)
    assert [result.parsed for result in results] == [Facts(facts=[])] * 4


@pytest.mark.parametrize("status", [0, 500])
def test_a_creation_without_an_answer_is_looked_for(passes, status):
    path = "/v1/batches" if passes.provider == "openai" else "/v1/messages/batches"
    passes.fake.faults = {f"POST {path}": [status]}
    finish(passes, 6)


def test_an_orphan_may_show_late(passes, monkeypatch):
    find, looks = SERVICES[passes.provider].find, []

    async def find_late(self, chunk, known):
        looks.append(chunk.name)
        return None if len(looks) == 1 else await find(self, chunk, known)

    monkeypatch.setattr(SERVICES[passes.provider], "find", find_late)
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "submitted")
        killed_run(passes)
    finish(passes, 6)
    assert len(looks) == 2


def test_somebody_elses_batch_is_not_taken_for_an_orphan(passes, monkeypatch):
    """Of the same size, made at the same moment, and at Anthropic not to be told but by its ids."""
    strange = {f"strange-{n}": {"model": "m", "messages": []} for n in range(6)}

    def make_strange():
        passes.fake.batches.append(FakeBatch("strange", strange, Fate(), looks_left=2))

    with monkeypatch.context() as patch:
        kill(patch, SERVICES[passes.provider], "submit")
        killed_run(passes)
    make_strange()
    finish(passes, 6, 6)
    assert passes.spent().requests == 7


def test_an_older_batch_of_the_same_size_is_no_orphan(passes, monkeypatch):
    strange = {f"strange-{n}": {"model": "m", "messages": []} for n in range(6)}
    passes.fake.batches.append(FakeBatch("strange", strange, Fate(), looks_left=10**6))
    with monkeypatch.context() as patch:
        kill(patch, SERVICES[passes.provider], "submit")
        killed_run(passes)
    finish(passes, 6, 6)
    assert passes.now_s - NOW < 3600


def test_batches_of_another_model_are_left_alone(passes, monkeypatch):
    passes.fake.fates = [Fate(looks=10**6)]
    with monkeypatch.context() as patch:
        kill(patch, ledger.Ledger, "submitted", after=True)
        killed_run(passes)
    passes.model = passes.model.model_copy(update={"name": f"{passes.model.name}-2"})
    assert [result.response.text for result in passes.run(REQUESTS)] == ["an answer"] * 7
    assert len(passes.fake.batches) == 2
