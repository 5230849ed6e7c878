"""Many requests: bounded, each sent once, stored before it is used, stopped when nobody answers."""

import asyncio
from contextlib import aclosing

import pytest
from pydantic import BaseModel, field_validator
from scripted_client import Facts, ScriptedClient, ask, says
from virtual_time import in_virtual_time

from pr1.llm.engine import Engine
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution
from pr1.schemas.errors import (
    BadRequest,
    BudgetSpent,
    ConnectionLost,
    Malformed,
    Refused,
    RunStopped,
    ServiceDown,
    Unauthorised,
)

NO_RETRIES = Execution(concurrency=4, max_retries=0, max_content_retries=0)


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as store:
        yield store


def text_of(request):
    return request.messages[0].parts[0]


def echo(request):
    return f"echo {text_of(request)}"


def requests(count):
    return [ask(str(number)) for number in range(count)]


async def run(engine, asked):
    async with aclosing(engine.run(asked)) as results:
        return [result async for result in results]


def counts(engine):
    """Requests that ended, of these the failed ones, and those that the store answered."""
    traffic = engine.traffic()
    assert traffic.in_flight == 0
    return traffic.done, traffic.failed, traffic.from_store


async def test_no_requests_no_results(store):
    engine = Engine(ScriptedClient(echo), store, Execution())
    assert await run(engine, []) == []
    assert counts(engine) == (0, 0, 0)


async def test_each_request_has_its_result(store):
    engine = Engine(ScriptedClient(echo), store, NO_RETRIES)
    results = await run(engine, requests(50))
    assert sorted(result.index for result in results) == list(range(50))
    for result in results:
        assert text_of(result.request) == str(result.index)
        assert result.response.text == f"echo {result.index}"
        assert (result.error, result.attempts, result.from_store) == (None, 1, False)
    assert engine.usage.requests == 50
    assert engine.usage.tokens_in == 500


async def test_requests_are_drawn_as_they_are_needed_and_bounded(store):
    client = ScriptedClient(echo)
    drawn = handed_back = most_ahead = 0

    def endless():
        nonlocal drawn
        while True:
            drawn += 1
            yield ask(str(drawn))

    async with aclosing(Engine(client, store, NO_RETRIES).run(endless())) as results:
        async for _ in results:
            handed_back += 1
            most_ahead = max(most_ahead, drawn - handed_back)
            if handed_back == 200:
                break
    assert most_ahead <= 4
    assert client.most_at_once == 4


async def test_what_is_drawn_is_sent_while_others_are_drawn(store):
    client = ScriptedClient(echo)
    sent_before = []

    def slowly():
        for request in requests(4):
            sent_before.append(len(client.requests))
            yield request

    await run(Engine(client, store, NO_RETRIES), slowly())
    assert sent_before == [0, 1, 2, 3]


async def test_a_useless_answer_is_paid_for_though_the_budget_allows_no_other(store):
    execution = Execution(concurrency=1, max_content_retries=3, max_tokens_total=150)
    engine = Engine(ScriptedClient(lambda request: "junk"), store, execution)
    with pytest.raises(BudgetSpent, match="13 of 150"):
        await run(engine, [ask(response_model=Facts)])
    assert (store.spent().requests, store.spent().tokens_in) == (1, 10)
    assert engine.usage.requests == 1


async def test_a_useless_answer_is_paid_for_though_the_next_attempt_is_cancelled(store):
    class Silent(ScriptedClient):
        async def complete(self, request):
            if self.requests:
                is_asked_again.set()
                await asyncio.Event().wait()
            return await super().complete(request)

    is_asked_again = asyncio.Event()
    engine = Engine(Silent(lambda request: "junk"), store, Execution(concurrency=1))
    running = asyncio.create_task(run(engine, [ask(response_model=Facts)]))
    await is_asked_again.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert store.spent().requests == 1


async def test_a_slow_request_does_not_hold_up_the_others(store):
    class Slow(ScriptedClient):
        async def complete(self, request):
            if text_of(request) == "0":
                await others_are_done.wait()
            return await super().complete(request)

    others_are_done = asyncio.Event()
    order = []
    async with aclosing(Engine(Slow(echo), store, NO_RETRIES).run(requests(20))) as results:
        async for result in results:
            order.append(result.index)
            if len(order) == 19:
                others_are_done.set()
    assert order[-1] == 0


async def test_what_is_stored_is_not_sent_again(store):
    first = ScriptedClient(echo)
    await run(Engine(first, store, NO_RETRIES), requests(10))
    second = ScriptedClient(echo)
    engine = Engine(second, store, NO_RETRIES)
    results = await run(engine, requests(12))
    assert sorted(text_of(request) for request in second.requests) == ["10", "11"]
    assert sum(result.from_store for result in results) == 10
    assert all(result.response.text == f"echo {result.index}" for result in results)
    assert all(result.attempts == (0 if result.from_store else 1) for result in results)
    assert counts(engine) == (12, 0, 10)
    assert engine.usage.requests == 2


async def test_an_answer_is_in_the_store_before_it_is_handed_out(store):
    async with aclosing(
        Engine(ScriptedClient(echo), store, NO_RETRIES).run(requests(9))
    ) as results:
        seen = 0
        async for _ in results:
            seen += 1
            assert store.count() >= seen


async def test_equal_requests_are_sent_once(store):
    client = ScriptedClient(echo)
    results = await run(Engine(client, store, NO_RETRIES), [ask("same")] * 20)
    assert len(client.requests) == 1
    assert sum(not result.from_store for result in results) == 1
    assert {result.response.text for result in results} == {"echo same"}


async def test_an_equal_request_is_sent_when_the_first_one_failed(store):
    replies = iter([BadRequest("once"), "fine"])
    client = ScriptedClient(lambda request: next(replies))
    results = await run(Engine(client, store, NO_RETRIES), [ask("same")] * 3)
    assert [result.error is None for result in results] == [False, True, True]
    assert len(client.requests) == 2


async def test_samples_are_answers_of_their_own(store):
    client = ScriptedClient(echo)
    await run(Engine(client, store, NO_RETRIES), [ask(sample_index=n) for n in range(5)])
    assert len(client.requests) == 5


async def test_a_refusal_is_an_outcome_and_is_not_sent_again(store):
    client = ScriptedClient(lambda request: says("", refusal="I will not"))
    asked = [ask(response_model=Facts)]
    for from_store in (False, True):
        [result] = await run(Engine(client, store, NO_RETRIES), asked)
        assert isinstance(result.error, Refused)
        assert "I will not" in str(result.error)
        assert (result.response.refusal, result.parsed) == ("I will not", None)
        assert result.from_store is from_store
    assert len(client.requests) == 1


async def test_a_failure_is_not_stored_and_costs_one_row(store):
    def answer(request):
        return "junk" if text_of(request) == "3" else '{"facts": []}'

    engine = Engine(ScriptedClient(answer), store, NO_RETRIES)
    results = await run(engine, [ask(str(n), response_model=Facts) for n in range(8)])
    [failed] = [result for result in results if result.error]
    assert isinstance(failed.error, Malformed)
    assert (failed.index, failed.response, failed.parsed) == (3, None, None)
    assert store.count() == 7
    assert counts(engine) == (8, 1, 0)
    assert engine.usage.requests == 8


async def test_a_text_that_is_no_utf_8_costs_one_row(store):
    results = await run(Engine(ScriptedClient(echo), store, NO_RETRIES), [ask("\ud800"), ask("a")])
    assert [isinstance(result.error, BadRequest) for result in results] == [True, False]


async def test_an_answer_that_fails_stricter_checks_is_asked_for_again(store):
    is_strict = False

    class Form(BaseModel):
        facts: list[str]

        @field_validator("facts")
        @classmethod
        def has_some(cls, facts):
            if is_strict and not facts:
                raise ValueError("no facts")
            return facts

    client = ScriptedClient(lambda r: '{"facts": ["a"]}' if is_strict else '{"facts": []}')
    asked = [ask(response_model=Form)]
    await run(Engine(client, store, NO_RETRIES), asked)
    is_strict = True
    for _ in range(2):
        [result] = await run(Engine(client, store, NO_RETRIES), asked)
        assert result.parsed.facts == ["a"]
    assert len(client.requests) == 2


async def test_a_rejected_key_stops_the_run_at_once(store):
    def answer(request):
        return Unauthorised("401: no such key.") if text_of(request) == "5" else "fine"

    client = ScriptedClient(answer)
    engine = Engine(client, store, Execution(concurrency=1))
    with pytest.raises(ServiceDown, match=r"no such key\. Stopped; 5 answers are kept"):
        await run(engine, requests(100))
    assert len(client.requests) == 6


@in_virtual_time
async def test_a_service_that_goes_down_stops_the_run_which_goes_on_later(store):
    def answer(request):
        return ConnectionLost("it is gone.") if int(text_of(request)) >= 20 else "fine"

    client = ScriptedClient(answer)
    with pytest.raises(ServiceDown, match=r"it is gone\. Stopped; 20 answers are kept, and"):
        await run(Engine(client, store, NO_RETRIES), requests(1000))
    assert len(client.requests) <= 20 + 10 + 4
    again = ScriptedClient(echo)
    assert len(await run(Engine(again, store, NO_RETRIES), requests(1000))) == 1000
    assert len(again.requests) == 980


@in_virtual_time
async def test_a_service_that_fails_now_and_then_does_not_stop_the_run(store):
    def answer(request):
        return ConnectionLost("gone") if int(text_of(request)) % 9 else "fine"

    execution = Execution(concurrency=1, max_retries=0)
    results = await run(Engine(ScriptedClient(answer), store, execution), requests(200))
    assert sum(result.error is None for result in results) == 23


@in_virtual_time
async def test_few_requests_and_no_answer_stop_the_run_at_its_end(store):
    client = ScriptedClient(lambda request: ConnectionLost("nobody there."))
    with pytest.raises(ServiceDown, match=r"nobody there\. Stopped; 0 answers"):
        await run(Engine(client, store, NO_RETRIES), requests(3))


@in_virtual_time
async def test_a_service_that_rejects_everything_stops_the_run(store):
    client = ScriptedClient(lambda request: BadRequest("404: no such model."))
    with pytest.raises(ServiceDown, match="no such model"):
        await run(Engine(client, store, NO_RETRIES), requests(1000))
    assert len(client.requests) <= 14


async def test_rejected_requests_after_an_answer_cost_their_rows_only(store):
    def answer(request):
        return "fine" if text_of(request) == "0" else BadRequest("too long")

    execution = Execution(concurrency=1)
    results = await run(Engine(ScriptedClient(answer), store, execution), requests(50))
    assert sum(result.error is None for result in results) == 1


@in_virtual_time
async def test_leaving_early_cancels_what_is_in_flight_and_keeps_what_came(store):
    cancelled = 0

    class Hanging(ScriptedClient):
        async def complete(self, request):
            nonlocal cancelled
            if text_of(request) == "0":
                return says("fine")
            try:
                return await asyncio.Future()
            except asyncio.CancelledError:
                cancelled += 1
                raise

    engine = Engine(Hanging(echo), store, NO_RETRIES)
    async with aclosing(engine.run(requests(9))) as results:
        async for _ in results:
            assert engine.traffic().in_flight == 3
            break
    assert cancelled == 3
    assert engine.traffic().in_flight == 0
    assert store.count() == 1


@in_virtual_time
async def test_an_interrupt_leaves_a_store_that_the_next_run_uses(store):
    client = ScriptedClient(echo)

    async def interrupted():
        async with aclosing(Engine(client, store, NO_RETRIES).run(requests(100))) as results:
            async for result in results:
                if result.index == 30:
                    asyncio.current_task().cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(interrupted())
    kept = store.count()
    assert 30 <= kept < 100
    again = ScriptedClient(echo)
    await run(Engine(again, store, NO_RETRIES), requests(100))
    assert len(again.requests) == 100 - kept


async def test_a_bug_in_the_source_of_requests_surfaces(store):
    def broken():
        yield ask("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(Engine(ScriptedClient(echo), store, NO_RETRIES), broken())


@in_virtual_time
async def test_a_bug_in_a_client_surfaces(store):
    client = ScriptedClient(lambda request: ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await run(Engine(client, store, NO_RETRIES), requests(9))


async def test_a_store_that_cannot_keep_an_answer_stops_the_run(store, monkeypatch):
    def full(*args):
        raise RunStopped("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "save", full)
        with pytest.raises(RunStopped, match="the disk is full"):
            await run(Engine(ScriptedClient(echo), store, NO_RETRIES), requests(9))


async def test_a_full_disk_loses_no_answer_once_there_is_room(store, monkeypatch):
    has_room = False
    save = store.save

    def save_if_there_is_room():
        if not has_room:
            raise RunStopped("the disk is full")
        save()

    monkeypatch.setattr(store, "save", save_if_there_is_room)
    client = ScriptedClient(echo)
    with pytest.raises(RunStopped, match="the disk is full"):
        await run(Engine(client, store, NO_RETRIES), requests(9))
    has_room = True
    store.save()
    assert store.count() == len(client.requests)


async def test_two_runs_of_one_engine_share_its_store_and_counters(store):
    client = ScriptedClient(echo)
    engine = Engine(client, store, NO_RETRIES)
    await asyncio.gather(run(engine, requests(10)), run(engine, requests(10)))
    assert len(client.requests) == 10
    assert counts(engine) == (20, 0, 10)
