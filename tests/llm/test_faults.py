"""Whatever a service does wrong, every row is answered or fails with a name, once, in its place."""

import asyncio
from collections import Counter
from contextlib import aclosing

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_server import compiled, row_request, serving
from scripted_client import Facts, ScriptedClient, ask, says
from slow_drip import dripping

from pr1.llm.engine import Engine
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.errors import ConnectionLost, Overloaded, RateLimited, ServiceDown, TimedOut

ROWS = 120
PATIENT = Execution(concurrency=16, max_retries=30, max_content_retries=10, timeout_s=30)
HASTY = Execution(concurrency=16, max_retries=0, max_content_retries=0, timeout_s=30)
SOON_GIVEN_UP = {"timeout_s": 0.5}
CODES = {
    "e429": "rate_limited",
    "e500": "overloaded",
    "e529": "overloaded",
    "edrop": "connection_lost",
    "ebadjson": "malformed",
    "etrunc": "truncated",
    "ebody": "connection_lost",
    "drip": "timed_out",
}
SERVICE_KINDS = [kind for kind in CODES if kind != "drip"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("mockllm"))


async def soon(seconds):
    await asyncio.sleep(min(seconds, 0.01))


async def ask_all(port, store, execution):
    """Each row's result, in the order of the rows; fails when one is missing or there twice."""
    model = ModelConfig(name="vllm/mock", base_url=f"http://127.0.0.1:{port}/v1")
    client = open_client(model, execution)
    engine = Engine(client, store, execution, sleep=soon)
    requests = (row_request(number) for number in range(ROWS))
    try:
        async with aclosing(engine.run(requests)) as results:
            found = [result async for result in results]
    finally:
        await client.aclose()
    found.sort(key=lambda result: result.index)
    assert [result.index for result in found] == list(range(ROWS))
    for result in found:
        assert (result.error is None) == (result.parsed is not None)
        if result.parsed is not None:
            assert f"number {result.index} " in result.parsed.visual_annotations[0]
    return found


@pytest.fixture
def faulty(program):
    """Opens a mock server with a share of each of the kinds of faults."""

    def open_mock(kinds, share):
        faults = [word for kind in kinds for word in (f"--{kind}", str(share))]
        return serving(program, "--latency", "fixed:1", "--retry-after", "0.01", *faults)

    return open_mock


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("kind", SERVICE_KINDS)
async def test_every_row_is_answered_through_faults_of_a_kind(faulty, tmp_path, kind, share):
    with faulty([kind], share) as mock, ResponseStore(tmp_path / "s.sqlite") as store:
        results = await ask_all(mock.port, store, PATIENT)
        stats = mock.stats()
    assert all(result.error is None for result in results)
    assert (stats["rows_ok"], stats["repeat_ok"], store_size(tmp_path)) == (ROWS, 0, ROWS)
    assert stats["req"] == sum(result.attempts for result in results)


async def test_every_row_is_answered_through_faults_of_all_kinds(faulty, tmp_path):
    with faulty(SERVICE_KINDS, 0.05) as mock, ResponseStore(tmp_path / "s.sqlite") as store:
        async with dripping(mock.port, 0.05) as port:
            results = await ask_all(port, store, PATIENT.model_copy(update=SOON_GIVEN_UP))
        stats = mock.stats()
    assert all(result.error is None for result in results)
    assert (stats["rows_ok"], store_size(tmp_path)) == (ROWS, ROWS)
    assert stats["req"] > ROWS


async def test_answers_that_drip_are_given_up_and_asked_for_again(faulty, tmp_path):
    with faulty([], 0) as mock, ResponseStore(tmp_path / "s.sqlite") as store:
        async with dripping(mock.port, 0.1) as port:
            results = await ask_all(port, store, PATIENT.model_copy(update=SOON_GIVEN_UP))
    assert all(result.error is None for result in results)
    assert sum(result.attempts for result in results) > ROWS


@pytest.mark.parametrize("kind", CODES)
async def test_without_retries_each_failure_has_its_name(faulty, tmp_path, kind):
    is_drip = kind == "drip"
    kinds = [] if is_drip else [kind]
    limit = SOON_GIVEN_UP if is_drip else {}
    with faulty(kinds, 0.1) as mock, ResponseStore(tmp_path / "s.sqlite") as store:
        async with dripping(mock.port, 0.1 if is_drip else 0.0) as port:
            results = await ask_all(port, store, HASTY.model_copy(update=limit))
            codes = Counter(result.error.code for result in results if result.error)
            sent = mock.stats()["req"]
            again = await ask_all(port, store, PATIENT.model_copy(update=limit))
            assert mock.stats()["req"] - sent >= codes.total()
    assert set(codes) == {CODES[kind]}
    assert all(result.attempts == 1 for result in results)
    assert sum(result.from_store for result in again) == ROWS - codes.total()
    assert all(result.error is None for result in again)


LIMITS = {"in flight": ["--maxinflight", "8"], "a second": ["--rps", "100", "--burst", "10"]}


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_server_with_a_limit_is_not_stormed(program, tmp_path, limit):
    options = ["--latency", "fixed:20", "--retry-after", "0.1", *LIMITS[limit]]
    eager = PATIENT.model_copy(update={"concurrency": 64})
    with serving(program, *options) as mock, ResponseStore(tmp_path / "s.sqlite") as store:
        results = await ask_all(mock.port, store, eager)
        stats = mock.stats()
    assert all(result.error is None for result in results)
    assert (stats["rows_ok"], stats["repeat_ok"]) == (ROWS, 0)
    assert 0 < stats["limit429"] < stats["ok"]


def store_size(folder):
    with ResponseStore(folder / "s.sqlite") as store:
        return store.count()


ANSWER = '{"facts": ["AB = 12"]}'
FAULTS = {
    "429": RateLimited("slow down", 1.0),
    "429 without a pause": RateLimited("slow down"),
    "529": Overloaded("busy"),
    "timeout": TimedOut("no answer"),
    "dropped": ConnectionLost("gone"),
    "malformed": says(ANSWER[:9]),
    "another form": says('{"facts": 1}'),
    "cut": says(ANSWER[:9], finish="length"),
}


class FaultyClient(ScriptedClient):
    """Answers each row after the faults that its schedule names, each after so many seconds."""

    def __init__(self, schedule):
        super().__init__(self.reply)
        self.left = [list(faults) for faults in schedule]
        self.answered = Counter()

    async def complete(self, request):
        row = int(request.messages[0].parts[0])
        await asyncio.sleep(self.left[row][0][1] if self.left[row] else row % 3)
        return await super().complete(request)

    def reply(self, request):
        row = int(request.messages[0].parts[0])
        if self.left[row]:
            return FAULTS[self.left[row].pop(0)[0]]
        self.answered[row] += 1
        return f'{{"facts": ["fact of row {row}"]}}'


async def outcomes(client, store, rows, concurrency):
    """What each row ended in, in the order of the rows."""
    execution = Execution(concurrency=concurrency, max_retries=20, max_content_retries=10)
    engine = Engine(client, store, execution)
    requests = (ask(str(row), response_model=Facts) for row in range(rows))
    async with aclosing(engine.run(requests)) as results:
        found = [result async for result in results]
    found.sort(key=lambda result: result.index)
    assert [result.index for result in found] == list(range(rows))
    return [(result.parsed, result.error) for result in found]


async def resumed_outcomes(client, store, rows, concurrency):
    """The same, from as many runs as it takes: a service that is silent for long stops a run."""
    while True:
        try:
            return await outcomes(client, store, rows, concurrency)
        except ServiceDown:
            continue


faults = st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 5))
schedules = st.lists(st.lists(faults, max_size=5), min_size=1, max_size=25)


@settings(deadline=None, max_examples=40)
@given(schedule=schedules, concurrency=st.integers(1, 8))
def test_any_schedule_of_faults_ends_in_the_answers_of_a_faultless_run(
    tmp_path_factory, schedule, concurrency
):
    rows = len(schedule)
    ends = []
    for number, faults_of_rows in enumerate([schedule, [[]] * rows]):
        client = FaultyClient(faults_of_rows)
        with ResponseStore(tmp_path_factory.mktemp("run") / f"{number}.sqlite") as store:
            ends.append(virtual_time.run(resumed_outcomes(client, store, rows, concurrency)))
            assert store.count() == rows
        assert client.answered == Counter(range(rows))
    assert ends[0] == ends[1]
