"""When a run gives up on its service."""

import asyncio

import pytest
import virtual_time

from pr1.llm.health import ServiceHealth
from pr1.llm.pacing import Pacing
from pr1.schemas.config import Execution
from pr1.schemas.errors import (
    BadRequest,
    ConnectionLost,
    Malformed,
    ModelError,
    Overloaded,
    RateLimited,
    Refused,
    ServiceDown,
    TimedOut,
    Truncated,
    Unauthorised,
)

GONE = ConnectionLost("http://a/v1: nobody there.")


class Store:
    def count(self):
        return 42


def health_of(silence_s, concurrency=32):
    class Silent:
        pass

    Silent.silence_s = silence_s
    return ServiceHealth(Execution(concurrency=concurrency), Silent(), Store())


def seconds_until_down(error, *, takes_s=0.0, concurrency=32, good_s=0.0, rows=10**6):
    """Seconds from the service's last answer until the run stops; None when it ends by itself."""

    async def run():
        pacing = Pacing(Execution(concurrency=concurrency))
        health = ServiceHealth(Execution(concurrency=concurrency), pacing, Store())
        fails_from = virtual_time.now() + good_s
        left = iter(range(rows))

        async def send():
            for _ in left:
                for _ in range(7):
                    turn = await pacing.turn(1)
                    if virtual_time.now() < fails_from:
                        await asyncio.sleep(0.2)
                        turn.answered(1)
                        health.note(None)
                        break
                    await asyncio.sleep(takes_s)
                    turn.failed(error)
                    health.note(error)
                    pause_s = getattr(error, "retry_after_s", None) or 0.3
                    if pause_s > 600:
                        break
                    await asyncio.sleep(pause_s)

        senders = [asyncio.create_task(send()) for _ in range(concurrency)]
        try:
            await asyncio.gather(*senders)
        except ServiceDown:
            return virtual_time.now() - fails_from
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
            await asyncio.sleep(0)
        return None

    return virtual_time.run(run())


@pytest.mark.parametrize("concurrency", [1, 2, 4, 32, 256])
@pytest.mark.parametrize("takes_s", [0.0, 0.5])
def test_a_wrong_address_is_said_within_twenty_seconds(concurrency, takes_s):
    assert 15 <= seconds_until_down(GONE, concurrency=concurrency, takes_s=takes_s) <= 20


@pytest.mark.parametrize(("concurrency", "timeouts"), [(256, 1), (32, 1), (4, 1), (1, 2)])
def test_a_service_that_hangs_from_the_start_is_given_up_after_a_timeout(concurrency, timeouts):
    seconds = seconds_until_down(TimedOut("slow"), takes_s=300, concurrency=concurrency)
    assert 300 * timeouts <= seconds <= 300 * timeouts + 5


def test_a_service_that_hangs_later_is_given_up_after_a_timeout():
    assert 299 <= seconds_until_down(TimedOut("slow"), takes_s=300, good_s=10) <= 301


@pytest.mark.parametrize("error", [GONE, Overloaded("503"), Overloaded("503", 5.0)])
def test_a_service_that_answered_is_waited_for_two_minutes(error):
    assert 119 <= seconds_until_down(error, good_s=10) <= 155


def test_a_service_that_asks_to_wait_is_left_alone_for_an_hour():
    assert 3600 <= seconds_until_down(RateLimited("429", 20.0), good_s=10) <= 3700
    assert seconds_until_down(RateLimited("429"), good_s=10) <= 155
    assert seconds_until_down(RateLimited("tomorrow", 86_400.0), good_s=10) <= 700


@pytest.mark.parametrize("concurrency", [1, 32])
def test_rows_that_fail_while_others_are_answered_stop_nothing(concurrency):
    health = health_of(1e6, concurrency)
    for error in [None, *[GONE] * 9] * 20:
        health.note(error)


@pytest.mark.parametrize("error", [None, Refused("no"), Malformed("junk"), Truncated("cut")])
def test_any_word_of_the_service_is_an_answer(error):
    health = health_of(119.0)
    health.note(error)
    for _ in range(100):
        health.note(GONE)
    health.check_at_end()


def test_a_failure_in_a_crowd_does_not_count_before_its_time():
    health = health_of(14.9)
    for _ in range(1000):
        health.note(GONE)


def test_a_rejected_key_stops_at_once():
    health = health_of(0.0)
    health.note(None)
    message = r"401: no such key\. Stopped; 42 answers are kept, and the same command goes on from"
    with pytest.raises(ServiceDown, match=message):
        health.note(Unauthorised("401: no such key."))


def test_ten_rejections_before_any_answer_stop_the_run():
    health = health_of(0.0)
    for _ in range(9):
        health.note(BadRequest("404: no such model."))
        health.note(RateLimited("429", 1.0))
    with pytest.raises(ServiceDown, match=r"no such model\. Stopped; 42 answers"):
        health.note(BadRequest("404: no such model."))


def test_rejections_after_an_answer_cost_their_rows_only():
    health = health_of(0.0)
    for error in [*[BadRequest("too long")] * 9, None, *[BadRequest("too long")] * 50]:
        health.note(error)
    health.check_at_end()


@pytest.mark.parametrize(
    ("errors", "stops"),
    [
        ([], False),
        ([GONE], True),
        ([RateLimited("429", 1.0)], True),
        ([BadRequest("400")], False),
        ([None, GONE], False),
        ([GONE, None], False),
    ],
)
def test_few_requests_and_no_answer_stop_the_run_at_its_end(
    errors: list[ModelError | None], stops: bool
):
    health = health_of(0.0)
    for error in errors:
        health.note(error)
    if stops:
        with pytest.raises(ServiceDown, match="42 answers are kept"):
            health.check_at_end()
    else:
        health.check_at_end()
