"""One request: what is sent again, how often, after which pause, and what comes of it."""

import pytest
import virtual_time
from pydantic import BaseModel, Field
from scripted_client import Facts, ScriptedClient, ask, one_by_one, says

from pr1.llm.budget import Budget
from pr1.llm.health import ServiceHealth
from pr1.llm.pacing import LONGEST_RETRY_AFTER_S, Pacing
from pr1.llm.sending import Sender, read_answer
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution
from pr1.schemas.errors import (
    BadRequest,
    ConnectionLost,
    Malformed,
    Overloaded,
    RateLimited,
    Refused,
    ServiceDown,
    TimedOut,
    Truncated,
    Unauthorised,
)
from pr1.schemas.manifest import Usage

GOOD = '{"facts": ["AB = 3"]}'
EXECUTION = Execution(max_retries=3, max_content_retries=2)


@pytest.fixture
def send(tmp_path):
    """A function that sends a request and gives what became of it, in virtual time.

    It returns the outcome, the client with what it was asked, and the pauses in seconds. What
    useless answers took is in its `wasted`.
    """
    wasted = []

    def send_request(request, *replies):
        client = ScriptedClient(one_by_one(*replies))
        pauses_s = []

        async def sleep(seconds):
            pauses_s.append(seconds)

        async def sent():
            with ResponseStore(tmp_path / "s.sqlite") as store:
                pacing = Pacing(EXECUTION)
                health = ServiceHealth(EXECUTION, pacing, store)
                budget = Budget(EXECUTION, None, Usage())
                sender = Sender(client, EXECUTION, pacing, budget, health, wasted.append, sleep)
                return await sender.send(request)

        return virtual_time.run(sent()), client, pauses_s

    send_request.wasted = wasted
    return send_request


def test_a_good_answer_is_parsed(send):
    outcome, _, pauses_s = send(ask(response_model=Facts), GOOD)
    assert outcome.parsed == Facts(facts=["AB = 3"])
    assert (outcome.error, outcome.attempts, pauses_s) == (None, 1, [])
    assert send.wasted == []


@pytest.mark.parametrize(
    "error", [RateLimited("429"), Overloaded("529"), TimedOut("slow"), ConnectionLost("gone")]
)
def test_a_transport_fault_is_sent_again(send, error):
    outcome, client, pauses_s = send(ask(), error, error, "fine")
    assert (outcome.response.text, outcome.attempts) == ("fine", 3)
    assert client.requests[0] == client.requests[2]
    assert len(pauses_s) == 2
    assert all(0 <= pause_s <= 0.5 * 2**n for n, pause_s in enumerate(pauses_s))


def test_transport_faults_are_given_up_after_their_retries(send):
    faults = [ConnectionLost(str(n)) for n in range(4)]
    outcome, _, _ = send(ask(), *faults)
    assert outcome.error is faults[-1]
    assert (outcome.attempts, outcome.response, send.wasted) == (4, None, [])


@pytest.mark.parametrize("kind", [RateLimited, Overloaded])
def test_the_pause_that_the_service_asks_for_is_kept(send, kind):
    _, _, pauses_s = send(ask(), kind("429", 7.0), kind("429", 0.0), "fine")
    assert 7.0 <= pauses_s[0] <= 8.0
    assert 0.0 <= pauses_s[1] <= 1.0


def test_a_pause_without_end_is_not_waited_for(send):
    error = RateLimited("tomorrow", LONGEST_RETRY_AFTER_S * 100)
    outcome, _, pauses_s = send(ask(), error)
    assert (outcome.error, outcome.attempts, pauses_s) == (error, 1, [])


def test_a_fault_that_stays_is_not_sent_again(send):
    error = BadRequest("400")
    outcome, _, _ = send(ask(), error)
    assert (outcome.error, outcome.attempts) == (error, 1)


def test_a_rejected_key_ends_the_run(send):
    with pytest.raises(ServiceDown, match="401"):
        send(ask(), Unauthorised("401"))


def test_a_refusal_is_kept_and_not_sent_again(send):
    refusal = says("", refusal="I cannot")
    outcome, _, _ = send(ask(response_model=Facts), refusal)
    assert isinstance(outcome.error, Refused)
    assert (outcome.response, outcome.attempts, send.wasted) == (refusal, 1, [])


def test_malformed_answers_are_counted_apart_and_paid_for(send):
    replies = ["junk", ConnectionLost("1"), "{}", ConnectionLost("2"), ConnectionLost("3"), GOOD]
    outcome, _, pauses_s = send(ask(response_model=Facts), *replies)
    assert outcome.parsed == Facts(facts=["AB = 3"])
    assert (outcome.attempts, send.wasted, len(pauses_s)) == (6, [says("").usage] * 2, 3)


def test_malformed_answers_are_given_up_after_their_retries(send):
    outcome, _, _ = send(ask(response_model=Facts), "1", "2", '"3"')
    assert isinstance(outcome.error, Malformed)
    assert '"3"' in str(outcome.error)
    assert (outcome.attempts, outcome.response, len(send.wasted)) == (3, None, 3)


def test_a_cut_answer_is_asked_for_with_a_larger_limit(send):
    request = ask(response_model=Facts, seed=5)
    outcome, client, _ = send(request, says(GOOD[:9], "length"), says("{", "length"), GOOD)
    assert outcome.parsed is not None
    assert [r.max_tokens for r in client.requests] == [100, 200, 400]
    assert [r.seed for r in client.requests] == [5, 6, 7]


def test_a_limit_larger_than_the_model_takes_leaves_the_cut_as_the_reason(send):
    outcome, _, _ = send(ask(response_model=Facts), says("{", "length"), BadRequest("too big"))
    assert isinstance(outcome.error, Truncated)


def test_a_cut_free_text_is_an_answer(send):
    outcome, _, _ = send(ask(), says("and so on", "length"))
    assert (outcome.error, outcome.response.finish) == (None, "length")


class Strict(BaseModel):
    facts: list[str] = Field(max_length=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"facts": 3}',
        '{"facts": ["a", "b"]}',
        '{"facts": ["a"',
        "Sure! Here it is: " + GOOD,
        "[" * 100_000,
        '{"facts": ["\\ud800"]}',
        "```json\n```",
        "```",
        "\x00",
    ],
)
def test_what_does_not_have_the_form_is_malformed(text):
    with pytest.raises(Malformed, match="is no Strict") as caught:
        read_answer(says(text), Strict)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [GOOD, f" {GOOD}\n", f"```json\n{GOOD}\n```", f"```\n{GOOD}```"])
def test_what_has_the_form_is_read(text):
    assert read_answer(says(text), Strict) == Strict(facts=["AB = 3"])


def test_a_cut_is_noticed_before_the_form():
    with pytest.raises(Truncated, match="cut at 3 tokens"):
        read_answer(says(GOOD, "length"), Strict)
