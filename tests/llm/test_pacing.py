"""When requests are sent: slots, quotas and pauses one by one, then whole services simulated."""

import asyncio
from functools import wraps
from itertools import pairwise
from math import exp

import pytest
import virtual_time
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_service import (
    Service,
    at_random,
    batched,
    down,
    fixed,
    lognormal,
    max_in_flight,
    queue,
    run_rows,
    token_bucket,
)

from pr1.llm.pacing import Pacing
from pr1.schemas.config import Execution
from pr1.schemas.errors import (
    BadRequest,
    ConnectionLost,
    Malformed,
    Overloaded,
    RateLimited,
    TimedOut,
)


def in_virtual_time(test):
    """The asynchronous test on a loop whose clock jumps; no task may be left when it ends."""

    @wraps(test)
    def run(**arguments):
        virtual_time.run(test(**arguments))

    return run


def pacing_of(**execution):
    return Pacing(Execution(**execution))


async def let_others_run():
    for _ in range(5):
        await asyncio.sleep(0)


def wait_for_turns(pacing, names, given):
    """Tasks that each append their name to `given` with their turn."""

    async def wait(name):
        turn = await pacing.turn(1)
        given.append(name)
        return turn

    return {name: asyncio.create_task(wait(name)) for name in names}


# Slots


@in_virtual_time
async def test_turns_are_given_in_the_order_in_which_they_were_asked_for():
    pacing, given = pacing_of(concurrency=2), []
    first, second = await pacing.turn(1), await pacing.turn(1)
    tasks = wait_for_turns(pacing, "abc", given)
    await let_others_run()
    assert (given, pacing.in_flight, pacing.limit) == ([], 2, 2)
    second.answered(1)
    late = wait_for_turns(pacing, "d", given)
    await let_others_run()
    assert given == ["a"]
    first.withdrawn()
    (await tasks["a"]).failed(BadRequest("no"))
    (await tasks["b"]).answered(1)
    await let_others_run()
    assert given == ["a", "b", "c", "d"]
    for task in (tasks["c"], late["d"]):
        (await task).answered(1)
    assert pacing.in_flight == 0


@in_virtual_time
async def test_a_waiter_that_is_cancelled_takes_no_slot():
    pacing, given = pacing_of(concurrency=1), []
    turn = await pacing.turn(1)
    tasks = wait_for_turns(pacing, "abc", given)
    await let_others_run()
    tasks["a"].cancel()
    turn.answered(1)
    await let_others_run()
    assert (given, pacing.in_flight) == (["b"], 1)
    (await tasks["b"]).answered(1)
    (await tasks["c"]).answered(1)
    assert tasks["a"].cancelled()
    assert pacing.in_flight == 0


@in_virtual_time
async def test_a_waiter_that_is_cancelled_as_its_turn_comes_hands_it_on():
    pacing, given = pacing_of(concurrency=1), []
    turn = await pacing.turn(1)
    tasks = wait_for_turns(pacing, "ab", given)
    await let_others_run()
    turn.answered(1)  # the turn is a's now, which has not run yet
    tasks["a"].cancel()
    (await tasks["b"]).answered(1)
    assert (given, pacing.in_flight) == (["b"], 0)


@in_virtual_time
async def test_cancelling_all_who_wait_for_a_time_leaves_nothing_behind():
    pacing, given = pacing_of(rpm=1), []
    (await pacing.turn(1)).answered(1)
    tasks = wait_for_turns(pacing, range(20), given)
    await let_others_run()
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    await let_others_run()
    assert (given, pacing.in_flight) == ([], 0)  # and no task is left: virtual_time.run asserts it


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("afrwxc")), max_size=60))
@settings(deadline=None, max_examples=60)
def test_whatever_becomes_of_requests_no_slot_is_lost(plan):
    """Answers, failures, refusals, withdrawals and cancellations at any time, then a free way."""
    errors = {"f": TimedOut("slow"), "r": RateLimited("429", 2.0), "x": Malformed("junk")}

    async def request(pacing, seconds, end):
        turn = await pacing.turn(50)
        assert 0 < pacing.in_flight <= 4
        try:
            await asyncio.sleep(seconds / 10)
        except asyncio.CancelledError:
            turn.withdrawn()
            raise
        if end in errors:
            turn.failed(errors[end])
        elif end == "w":
            turn.withdrawn()
        else:
            turn.answered(40)

    async def run():
        pacing = pacing_of(concurrency=4, rpm=600, tpm=60_000)
        tasks = []
        for seconds, end in plan:
            tasks.append(asyncio.create_task(request(pacing, seconds, end)))
            await asyncio.sleep(seconds / 100)
            if end == "c":
                tasks[len(tasks) // 2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert pacing.in_flight == 0
        await asyncio.wait_for(request(pacing, 1, "a"), timeout=100)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]

    virtual_time.run(run())


@in_virtual_time
async def test_what_is_no_fault_of_the_service_costs_it_nothing():
    pacing = pacing_of(concurrency=32)
    for error in [BadRequest("400"), Malformed("junk")] * 50:
        (await pacing.turn(1)).failed(error)
    assert (pacing.limit, pacing.refusals, pacing.pause_s) == (32, 0, 0)


@in_virtual_time
async def test_what_was_sent_before_a_cut_is_not_counted_after_it():
    pacing = pacing_of(concurrency=32)
    turns = [await pacing.turn(1) for _ in range(32)]
    for turn in turns[:16]:
        turn.answered(1)
    for turn in turns[16:24]:
        turn.failed(Overloaded("529"))
    later = [await pacing.turn(1) for _ in range(8)]
    for turn in later:
        turn.answered(1)
    after_the_cut = pacing.limit
    assert after_the_cut < 32
    for turn in turns[24:]:
        turn.failed(Overloaded("529"))
    assert pacing.limit == after_the_cut
    assert pacing.refusals == 16


# Quotas


@pytest.mark.parametrize("rpm", [1, 7, 60, 90, 600, 3001])
def test_no_minute_has_more_requests_than_rpm_and_none_is_wasted(rpm):
    service = Service(fixed(0.05))
    rows = 3 * rpm + 1
    figures = run_rows(service, rows, 64, rpm=rpm)
    sent_at = service.sent_at
    for n in range(rows - rpm):
        assert sent_at[n + rpm] - sent_at[n] >= 60 - 1e-3
    assert figures.seconds <= 180 * 1.03 + 0.1
    in_first_second = sum(at < 1 for at in sent_at)
    assert in_first_second <= max(1, rpm / 60 * 2)


def test_a_quota_left_unused_does_not_pile_up():
    async def run():
        pacing, sent = pacing_of(rpm=600), []
        await asyncio.sleep(3600)
        tasks = wait_for_turns(pacing, range(30), sent)
        await asyncio.sleep(0.05)
        assert len(sent) == 10
        await asyncio.gather(*tasks.values())

    virtual_time.run(run())


async def minutes_for(pacing, requests, estimated, real, error=None):
    began_at = virtual_time.now()
    for _ in range(requests):
        turn = await pacing.turn(estimated)
        turn.answered(real) if error is None else turn.failed(error)
    return (virtual_time.now() - began_at) / 60


@in_virtual_time
async def test_tokens_are_counted_as_the_answers_really_took_them():
    assert await minutes_for(pacing_of(tpm=60_000), 600, 1000, 1000) == pytest.approx(10, rel=0.03)
    assert await minutes_for(pacing_of(tpm=60_000), 600, 1000, 100) == pytest.approx(1, rel=0.03)
    assert await minutes_for(pacing_of(tpm=60_000), 600, 100, 1000) == pytest.approx(10, rel=0.03)


@in_virtual_time
async def test_a_refused_request_took_no_tokens():
    pacing = pacing_of(tpm=600, concurrency=32)
    keep_alive = await pacing.turn(0)
    refused_for = await minutes_for(pacing, 5, 600, 600, RateLimited("429", 0.0))
    keep_alive.answered(0)
    assert refused_for == pytest.approx(0)


@in_virtual_time
async def test_a_request_larger_than_the_minute_goes_out_and_is_paid_off():
    pacing = pacing_of(tpm=1000)
    await asyncio.sleep(100)
    assert await minutes_for(pacing, 1, 5000, 5000) == 0
    assert await minutes_for(pacing, 1, 1, 1) == pytest.approx(5, rel=0.03)


@in_virtual_time
async def test_many_in_one_loop_share_nothing():
    slow, fast = pacing_of(rpm=1), pacing_of(concurrency=1)
    (await slow.turn(1)).answered(1)
    waiting = wait_for_turns(slow, "a", [])["a"]
    assert await minutes_for(fast, 1000, 10, 10) == 0
    assert await minutes_for(pacing_of(), 1, 10, 10) == 0
    assert not waiting.done()
    (await waiting).answered(1)


# Pauses


def test_when_all_are_told_to_wait_nobody_sends_until_then_and_no_crowd_follows():
    told = [RateLimited("429", 300.0 - n % 7) for n in range(300)]
    service = Service(fixed(0.2), lambda s: told.pop() if 2 <= s.clock_s < 3 and told else None)
    figures = run_rows(service, 4000, 256, tasks=512)
    last_before = max(at for at in service.sent_at if at < 100)
    after = [at for at in service.sent_at if at > 100]
    assert 300 <= after[0] - last_before <= 301
    assert sum(at - after[0] < 0.1 for at in after) == 1
    assert sum(at - after[0] < 0.3 for at in after) <= 4
    assert (figures.lost, figures.most_attempts) == (0, 2)
    assert figures.seconds < 310
    assert figures.pacing.limit == 256


@pytest.mark.parametrize("asked_for_s", [None, 0.0, 0.5])
@in_virtual_time
async def test_pauses_of_its_own_grow_until_an_answer(asked_for_s):
    pacing, pauses = pacing_of(concurrency=1), []
    for _ in range(1100):
        (await pacing.turn(1)).failed(RateLimited("429", asked_for_s))
        pauses.append(round(pacing.pause_s))
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert set(pauses[7:]) == {30}
    (await pacing.turn(1)).answered(1)
    assert pacing.pause_s == 0
    (await pacing.turn(1)).failed(ConnectionLost("gone"))
    assert round(pacing.pause_s) == 1


@in_virtual_time
async def test_a_pause_without_end_is_looked_into_now_and_then():
    pacing = pacing_of(concurrency=1)
    (await pacing.turn(1)).failed(RateLimited("tomorrow", 86_400.0))
    assert pacing.pause_s == pytest.approx(600)


@in_virtual_time
async def test_some_failures_among_others_under_way_make_no_pause():
    pacing = pacing_of(concurrency=32)
    turns = [await pacing.turn(1) for _ in range(32)]
    for turn in turns[:31]:
        turn.failed(RateLimited("429", 60.0))
    assert pacing.pause_s == 0
    turns[31].answered(1)
    assert pacing.pause_s == 0
    assert pacing.limit == 1


@pytest.mark.parametrize("concurrency", [1, 4, 32, 256])
def test_a_restart_of_the_service_loses_no_row_and_is_asked_for_seldom(concurrency):
    service = Service(fixed(0.2), down(3, 63))
    figures = run_rows(service, 25 * concurrency, concurrency, tasks=2 * concurrency)
    probes = [at for at in service.sent_at if 4 < at < 63]
    assert figures.lost == 0
    assert figures.most_attempts <= 7
    assert len(probes) <= 7
    assert all(later - sooner > 0.9 for sooner, later in pairwise(probes))
    assert len(service.sent_at) - figures.answered <= concurrency + 7
    assert figures.seconds <= 63 + 30 + 8


@in_virtual_time
async def test_silence_counts_while_something_is_asked_for():
    pacing = pacing_of()
    await asyncio.sleep(50)
    assert pacing.silence_s == 0
    turn = await pacing.turn(1)
    await asyncio.sleep(7)
    assert pacing.silence_s == pytest.approx(7)
    turn.failed(TimedOut("slow"))
    await asyncio.sleep(2)
    turn = await pacing.turn(1)
    assert pacing.silence_s == pytest.approx(9)
    turn.answered(1)
    await asyncio.sleep(1000)  # nobody wants anything
    turn = await pacing.turn(1)
    assert pacing.silence_s == pytest.approx(0)
    turn.withdrawn()


# Whole services


def test_the_slow_start_costs_little():
    figures = run_rows(Service(fixed(0.2)), 10_000, 256)
    assert figures.seconds < 1.05 * 10_000 * 0.2 / 256


def test_latencies_of_every_kind_do_not_slow_it_down():
    figures = run_rows(Service(lognormal(0.8, 0.6)), 6000, 256)
    assert figures.limits[-1] == 256
    assert min(figures.limits[600:]) == 256


@pytest.mark.parametrize(
    ("service", "rows", "capacity_per_s"),
    [
        (Service(fixed(0.2), max_in_flight(lambda s: 32)), 6000, 160),
        (Service(fixed(5), max_in_flight(lambda s: 32)), 3000, 6.4),
        (Service(lognormal(0.8, 0.6), max_in_flight(lambda s: 32)), 3000, 33.4),
        (Service(fixed(0.2), token_bucket(50, 50)), 4000, 50),
        (Service(fixed(0.2), token_bucket(50, 5)), 4000, 50),
        (Service(lognormal(0.2, 0.03), token_bucket(50, 50)), 5000, 50),
        (Service(lognormal(0.8, 0.6), token_bucket(50, 50)), 4000, 50),
        (Service(fixed(0.2), max_in_flight(lambda s: 1)), 800, 5),
    ],
)
def test_a_service_that_refuses_is_used_fully_without_a_storm(service, rows, capacity_per_s):
    figures = run_rows(service, rows, 256, tasks=300)
    assert figures.per_s > 0.9 * capacity_per_s
    assert figures.refused_share < 0.10
    assert (figures.lost, figures.pacing.in_flight) == (0, 0)


@pytest.mark.parametrize("per_s", [0.5, 2])
def test_a_service_slower_than_one_request_at_a_time_loses_no_row(per_s):
    figures = run_rows(Service(fixed(0.2), token_bucket(per_s, 1)), 200, 32)
    assert figures.per_s > 0.55 * per_s
    assert figures.refused_share < 0.4
    assert figures.lost == 0


def test_a_limit_that_moves_is_followed():
    capacity = max_in_flight(lambda s: 32 if s < 30 else 128 if s < 60 else 16)
    service = Service(fixed(0.2), capacity)
    figures = run_rows(service, 4800 + 19_200 + 2400, 256, tasks=300)
    answered_at = service.answered_at
    assert sum(10 < at < 30 for at in answered_at) > 0.9 * 20 * 160
    assert sum(45 < at < 60 for at in answered_at) > 0.9 * 15 * 640
    assert sum(65 < at < 85 for at in answered_at) > 0.9 * 20 * 80
    assert figures.refused_share < 0.10


@pytest.mark.parametrize(
    ("share", "error", "least"),
    [(0.05, None, 0.8), (0.2, None, 0.5), (0.2, Overloaded("500"), 0.5), (0.05, TimedOut(""), 0.8)],
)
def test_random_faults_do_not_collapse_it(share, error, least):
    service = Service(fixed(0.2), at_random(share, error))
    figures = run_rows(service, 16_000, 256, tasks=1024, retries=12)
    after_the_start, before_the_last = service.answered_at[8000], service.answered_at[14_000]
    per_s = 6000 / (before_the_last - after_the_start)
    assert per_s > least * 1280 * (1 - share)
    assert figures.lost == 0


@pytest.mark.parametrize("workers", [8, 32, 64])
@pytest.mark.parametrize("sigma", [0, 0.6])
def test_a_service_that_only_queues_is_kept_busy_and_not_drowned(workers, sigma):
    service = Service(queue(workers, lognormal(0.2, sigma)))
    figures = run_rows(service, 6000, 256)
    later = sorted(figures.limits[2000:])
    assert later[len(later) // 2] <= 160
    per_s = 4000 / (service.answered_at[5200] - service.answered_at[1200])
    assert per_s > 0.93 * workers / (0.2 * exp(sigma**2 / 2))


def test_a_service_that_batches_gets_all_it_can_use():
    figures = run_rows(Service(batched(fixed(0.2), 0.01)), 6000, 256)
    assert figures.limits[-1] == 256


def test_rows_that_become_harder_do_not_throttle_for_ever():
    figures = run_rows(Service(lambda s: 0.2 if s.clock_s < 3 else 2.0), 12_000, 256)
    assert figures.limits[-1] == 256
