import asyncio
import json
import logging

import pytest
from batch_passes import Passes, stored
from fake_batches import KEY, Fate
from fake_server import asked_text, failed, in_turn, junk, refused, truncated
from scripted_client import Facts, ask

from pr1.llm.chat import ChatImage, ChatMessage, ChatRequest
from pr1.schemas.errors import BudgetSpent, RunStopped, ServiceDown, UsageError

PRICES = """
openai: {models: {gpt-fake: {input: 10.0, output: 100.0}}}
anthropic: {models: {claude-fake: {input: 10.0, output: 100.0}}}
"""


def asks(*texts, **changes):
    return [ask(text, **changes) for text in texts]


def texts(results):
    return [result.response.text if result.response else result.error.code for result in results]


def echo(body):
    return f"about {asked_text(body).strip()}"


def but_for(text, reply, instead=echo):
    """`instead`, except for requests that begin with this text."""
    return lambda body: (
        reply(body) if asked_text(body).strip().split()[0] == text else instead(body)
    )


def always(reply):
    return lambda body: reply


def token_limits(passes, key):
    name = "max_completion_tokens" if passes.provider == "openai" else "max_tokens"
    return [batch.requests[key][name] for batch in passes.fake.batches if key in batch.requests]


def test_answers_come_from_batches(passes):
    passes.fake.answer = echo
    results = passes.run(asks("a", "b", "c", "d"))
    assert texts(results) == ["about a", "about b", "about c", "about d"]
    assert all(result.from_store for result in results)
    assert [len(batch.requests) for batch in passes.fake.batches] == [3]
    assert [asked_text(body).strip() for body in passes.fake.online] == ["a"]  # the trial
    assert not list(passes.batch_folder.glob("*.jsonl"))


def test_a_second_run_sends_nothing(passes):
    passes.fake.answer = echo
    requests = asks(*"abcdefg")
    first = passes.run(requests)
    passes.fake.answer = always("another answer")
    assert texts(passes.run(requests)) == texts(first)
    assert len(passes.fake.batches) == 1
    assert len(passes.fake.online) == 1


def test_a_source_that_grew_sends_what_is_new(passes):
    passes.run(asks("a", "b"))
    passes.run(asks("x", "a", "b", "y"))
    assert [len(batch.requests) for batch in passes.fake.batches] == [1, 1]


@pytest.mark.parametrize("limit", ["requests", "bytes"])
def test_chunks_keep_to_the_limits(passes, limit):
    if limit == "requests":
        passes.limits = {"requests": 2}
        passes.fake.most_requests = 2
    else:
        two_lines = 500 if passes.provider == "openai" else 400
        passes.limits = {"bytes": two_lines}
        passes.fake.most_bytes = two_lines + len('{"requests":[,]}')
    passes.fake.answer = echo
    results = passes.run(asks(*"abcdefg"))
    assert texts(results) == [f"about {letter}" for letter in "abcdefg"]
    assert [len(batch.requests) for batch in passes.fake.batches] == [2, 2, 2]


def test_a_request_larger_than_a_batch_fails_alone(passes):
    passes.limits = {"bytes": 1_000}
    results = passes.run(asks("a", "b" * 2_000, "c"))
    assert texts(results) == ["an answer", "bad_request", "an answer"]
    assert "a batch 1,000" in str(results[1].error)


def test_samples_and_repetitions(passes):
    asked = [ask("same", sample_index=n, temperature=1.0) for n in range(4)]
    passes.fake.answer = in_turn("one", "two", "three", "four")
    results = passes.run([*asked, *asked])
    assert sorted(texts(results[:4])) == ["four", "one", "three", "two"]
    assert texts(results[4:]) == texts(results[:4])
    assert len(passes.fake.asked()) == len(set(passes.fake.asked())) == 3


def test_the_store_equals_that_of_an_ordinary_run(passes, tmp_path):
    def answer(body):
        if "refuse" in asked_text(body):
            return refused()
        return '{"facts": ["\u2028AB = 3\u0085"]}' if has_form(body) else f"free \u2028{echo(body)}"

    def has_form(body):
        return "response_format" in body or "output_config" in body

    passes.fake.answer = answer
    picture = ChatImage(b"\x89PNG not really", "image/png")
    requests = [
        *asks("a", "b", "refuse this", "\N{SNOWMAN} \u2028 \u0085"),
        *asks("c", "d", "refuse", response_model=Facts, seed=7),
        ChatRequest((ChatMessage("system", ("be brief",)), ChatMessage("user", (picture, "e"))),
                    purpose="collect", max_tokens=5, temperature=1.0),
    ]  # fmt: skip
    passes.run(requests)
    assert len(stored(passes.store_path)) == len(requests)
    assert stored(passes.store_path) == passes.online(requests, tmp_path)
    # The bodies of the batch are those of the ordinary run: every one was sent in both.
    in_batches = [body for batch in passes.fake.batches for body in batch.requests.values()]
    by_text = {json.dumps(body, sort_keys=True) for body in passes.fake.online}
    assert {json.dumps(body, sort_keys=True) for body in in_batches} <= by_text


def test_usage_and_cost(passes, tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    passes.run(asks(*"abcde"), prices=str(prices))
    spent = passes.spent()
    assert (spent.tokens_in, spent.tokens_out, spent.requests) == (500, 100, 5)
    one = 100 * 10e-6 + 20 * 100e-6
    assert spent.cost_usd == pytest.approx(one + 4 * one / 2)  # the trial at the full price


def test_what_expired_is_sent_again(passes):
    passes.fake.answer = echo
    passes.fake.fates = [Fate("expired", done=2)]
    assert texts(passes.run(asks(*"abcdef"))) == [f"about {letter}" for letter in "abcdef"]
    assert [len(batch.requests) for batch in passes.fake.batches] == [5, 3]
    assert passes.spent().requests == 6


def test_what_expires_again_and_again_fails(passes):
    passes.fake.fates = [Fate("expired", done=1), Fate("expired"), Fate("expired")]
    results = passes.run(asks(*"abc"), max_retries=2)
    assert texts(results) == ["an answer", "an answer", "timed_out"]
    assert "after 3 batches" in str(results[2].error)
    assert not results[2].error.is_transient
    assert len(passes.fake.batches) == 3


def test_many_failures_in_a_row_are_told_one_by_one(passes):
    passes.fake.fates = [Fate("expired")]
    results = passes.run(asks(*(f"question {n}" for n in range(40))), max_retries=0)
    assert texts(results) == ["an answer"] + ["timed_out"] * 39


def test_a_new_run_gives_what_failed_a_new_chance(passes):
    passes.fake.fates = [Fate("expired")]
    requests = asks("a", "b", "c")
    assert texts(passes.run(requests, max_retries=0)) == ["an answer", "timed_out", "timed_out"]
    assert texts(passes.run(requests, max_retries=0)) == ["an answer"] * 3
    assert [len(batch.requests) for batch in passes.fake.batches] == [2, 1]  # and another trial


def test_a_cancelled_batch_stops_the_run_and_keeps_what_it_answered(passes):
    passes.fake.fates = [Fate("cancelled", done=2)]
    with pytest.raises(RunStopped, match=r"batch \S+ was cancelled"):
        passes.run(asks(*"abcdef"))
    assert passes.spent().requests == 3
    assert texts(passes.run(asks(*"abcdef"))) == ["an answer"] * 6
    assert [len(batch.requests) for batch in passes.fake.batches] == [5, 2]  # and another trial


def test_faults_of_single_requests(passes):
    replies = {"bad": failed(400), "full": failed(429), "down": failed(500)}
    tries = []

    def answer(body):
        text = asked_text(body).strip()
        tries.append(text)
        is_failed = text == "bad" or (text in replies and tries.count(text) < 3)
        return replies[text] if is_failed else text

    passes.fake.answer = answer
    results = passes.run(asks("a", "bad", "full", "down", "b"))
    assert texts(results) == ["a", "bad_request", "full", "down", "b"]
    assert tries.count("bad") == 1
    assert [len(batch.requests) for batch in passes.fake.batches] == [4, 2, 2]


def test_a_lack_of_credit_stops_the_run(passes):
    passes.fake.answer = but_for(
        "c", always(failed(402 if passes.provider == "anthropic" else 401))
    )
    with pytest.raises(ServiceDown, match="Check the key, its rights and its credit"):
        passes.run(asks(*"abcd"))
    passes.fake.answer = echo
    assert texts(passes.run(asks(*"abcd"))) == [f"about {letter}" for letter in "abcd"]
    assert [len(batch.requests) for batch in passes.fake.batches] == [3]
    assert len(passes.fake.online) == 2  # the trial of each run


def test_a_cut_answer_is_asked_again_with_a_larger_limit(passes):
    cut = in_turn(truncated('{"facts": ['), truncated('{"facts": ["A'), '{"facts": ["AB"]}')
    passes.fake.answer = but_for("b", cut, always('{"facts": []}'))
    results = passes.run(asks("a", "b", response_model=Facts))
    assert [result.parsed.facts for result in results] == [[], ["AB"]]
    (key,) = set(passes.fake.asked())
    assert token_limits(passes, key) == [100, 200, 400]
    assert passes.spent().requests == 4


def test_a_malformed_answer_is_asked_again_with_another_seed(passes):
    malformed = in_turn("no JSON", junk(), '{"facts": ["AB"]}')
    passes.fake.answer = but_for("b", malformed, always('{"facts": []}'))
    results = passes.run(asks("a", "b", response_model=Facts, seed=7))
    assert [result.parsed.facts for result in results] == [[], ["AB"]]
    bodies = [body for batch in passes.fake.batches for body in batch.requests.values()]
    assert [len(body["messages"]) for body in bodies] == [1, 3, 3]
    assert bodies[1]["messages"][1] == {"role": "assistant", "content": "no JSON"}
    if passes.provider == "openai":
        assert [body["seed"] for body in bodies] == [7, 8, 9]


def test_an_answer_that_stays_malformed_fails_and_is_paid_for(passes):
    passes.fake.answer = but_for("b", always("no JSON"), always('{"facts": []}'))
    results = passes.run(asks("a", "b", response_model=Facts), max_content_retries=1)
    assert texts(results) == ['{"facts": []}', "malformed"]
    assert len(passes.fake.batches) == 2
    assert passes.spent().requests == 3


def test_a_larger_limit_that_the_model_rejects_leaves_the_cut_as_the_cause(passes):
    replies = in_turn(truncated("{"), failed(400))
    passes.fake.answer = but_for("b", replies, always('{"facts": []}'))
    assert texts(passes.run(asks("a", "b", response_model=Facts)))[1] == "truncated"


def test_a_refusal_is_stored_and_not_asked_again(passes):
    passes.fake.answer = but_for("b", always(refused("I would rather not.")))
    for _ in range(2):
        results = passes.run(asks("a", "b", response_model=None))
        assert results[1].response.refusal == "I would rather not."
        assert results[1].error.code == "refused"
    assert len(passes.fake.batches) == 1


def test_three_batches_at_once_are_waited_for_with_growing_pauses(passes):
    passes.limits = {"requests": 2}
    passes.fake.fates = [Fate(looks=30), Fate(looks=3), Fate(looks=60)]
    passes.run(asks(*"abcdefg"))
    assert passes.slept[0] == 10
    assert max(passes.slept) == 300
    assert all(10 <= pause <= 300 for pause in passes.slept)
    most = max(passes.told, key=lambda progress: len(progress.batches))
    assert [batch.requests for batch in most.batches] == [2, 2, 2]
    assert passes.told[-1].answered == 7
    assert passes.told[-1].batches == ()
    ages = [told.batches[-1].age_s for told in passes.told if told.batches]
    assert ages == sorted(ages)
    assert ages[-1] > 3600


def test_progress_counts_what_waits_and_fails(passes):
    passes.fake.answer = but_for("b", always(failed(400)))
    passes.fake.fates = [Fate(looks=2)]
    passes.run(asks(*"abc"))
    assert [(told.waiting, told.answered, told.failed) for told in passes.told][-1] == (0, 2, 1)


def test_passing_faults_of_the_service_are_borne(passes):
    path = "/v1/batches" if passes.provider == "openai" else "/v1/messages/batches"
    passes.fake.fates = [Fate(looks=8)]
    passes.after_sleep = lambda: passes.fake.faults.setdefault(
        f"GET {path}/{passes.fake.batches[0].id}", [500] * 9 + [0] * 9
    )
    assert texts(passes.run(asks("a", "b"))) == ["an answer", "an answer"]


@pytest.mark.parametrize("status", [404, 401])
def test_a_batch_that_the_service_does_not_know_stops_the_run(passes, status):
    path = "/v1/batches" if passes.provider == "openai" else "/v1/messages/batches"
    passes.fake.fates = [Fate(looks=8)]
    passes.after_sleep = lambda: passes.fake.faults.setdefault(
        f"GET {path}/{passes.fake.batches[0].id}", [status]
    )
    with pytest.raises(ServiceDown, match="the same command takes their results"):
        passes.run(asks("a", "b"))
    assert texts(passes.run(asks("a", "b"))) == ["an answer", "an answer"]
    assert len(passes.fake.batches) == 1


def test_an_interrupted_run_leaves_its_batches_and_says_so(passes, caplog):
    passes.fake.fates = [Fate(looks=10)]

    def interrupt():
        if len(passes.slept) == 2:
            asyncio.current_task().cancel()

    passes.after_sleep = interrupt
    with pytest.raises(asyncio.CancelledError):
        passes.run(asks("a", "b", "c"))
    assert "1 batches go on at the service; the same command takes them" in caplog.text
    passes.after_sleep = lambda: None
    assert texts(passes.run(asks("a", "b", "c"))) == ["an answer"] * 3
    assert len(passes.fake.batches) == 1


def test_batches_of_a_changed_prompt_are_not_waited_for(passes):
    passes.fake.fates = [Fate(looks=10**6)]

    def interrupt():
        asyncio.current_task().cancel()

    passes.after_sleep = interrupt
    with pytest.raises(asyncio.CancelledError):
        passes.run(asks("old a", "old b"))
    passes.after_sleep = lambda: None
    assert texts(passes.run(asks("new a", "new b"))) == ["an answer", "an answer"]
    assert len(passes.fake.batches) == 2


def test_the_trial_shows_a_wrong_key_before_any_batch(passes, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong")
    with pytest.raises(ServiceDown, match="Check the key") as raised:
        passes.run(asks("a", "b"))
    assert "sk-wrong" not in str(raised.value)
    assert passes.fake.batches == []


def test_the_trial_shows_a_request_that_the_model_does_not_take(passes):
    passes.fake.answer = always(failed(400, "no such thing"))
    with pytest.raises(ServiceDown, match=r"no such thing\. So the first 3 requests ended"):
        passes.run(asks(*"abcdef"))
    assert passes.fake.batches == []
    assert len(passes.fake.online) == 3


def test_one_bad_request_at_the_start_is_one_failure(passes):
    passes.fake.answer = but_for("a", always(failed(400)))
    assert texts(passes.run(asks("a", "b", "c"))) == ["bad_request", "about b", "about c"]


def test_a_trial_without_an_answer_stops_nothing(passes):
    passes.fake.answer = in_turn(failed(529), "an answer")
    assert texts(passes.run(asks("a", "b"))) == ["an answer", "an answer"]
    assert [len(batch.requests) for batch in passes.fake.batches] == [2]


def test_the_trial_teaches_which_parameters_the_model_takes(openai_passes: Passes):
    passes = openai_passes

    def answer(body):
        rejected = failed(400, "Unsupported value: 'temperature' does not support 0.0")
        return rejected if "temperature" in body else "an answer"

    passes.fake.answer = answer
    assert texts(passes.run(asks("a", "b", "c"))) == ["an answer"] * 3
    assert all("temperature" not in b for b in passes.fake.batches[0].requests.values())


def test_a_limited_budget_is_kept_to_by_smaller_batches(passes, tmp_path):
    # A request may take 100 answer tokens and its prompt; it takes 120 in all.
    requests = asks(*(f"question {n}" for n in range(40)))
    with pytest.raises(BudgetSpent, match="--max-tokens-total"):
        passes.run(requests, max_tokens_total=2_000)
    spent = passes.spent()
    assert 1_500 < spent.tokens_in + spent.tokens_out <= 2_000
    results = passes.run(requests, max_tokens_total=10_000)
    assert texts(results) == ["an answer"] * 40
    assert len(set(passes.fake.asked())) == len(passes.fake.asked()) == 38  # and two trials


def test_dollars_without_a_price_are_refused_before_anything_is_sent(passes):
    with pytest.raises(UsageError, match="needs a price"):
        passes.run(asks("a"), max_cost_usd=1.0)
    assert passes.fake.online == []


def test_dollars_are_limited_at_the_price_of_batches(passes, tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    requests = asks(*(f"question {n}" for n in range(40)))
    with pytest.raises(BudgetSpent, match="--max-cost-usd"):
        passes.run(requests, prices=str(prices), max_cost_usd=0.03)
    assert 0.02 < passes.spent().cost_usd <= 0.03


def test_the_key_reaches_no_file_and_no_message(passes, caplog):
    caplog.set_level(logging.DEBUG)
    passes.fake.answer = but_for("b", always(f"the key is {KEY}"), but_for(
        "c", always(failed(400, f"wrong key {KEY}"))))  # fmt: skip
    passes.fake.fates = [Fate(looks=3)]
    written = []

    def look_at_files():
        written.extend(path.read_bytes() for path in passes.folder.rglob("*") if path.is_file())

    passes.after_sleep = look_at_files
    results = passes.run(asks("a", "b", "c"))
    assert texts(results)[1] == "the key is [key]"
    look_at_files()
    assert len(written) > 5
    assert not any(KEY.encode() in content for content in written)
    assert KEY not in caplog.text
    assert KEY not in "".join(str(result.error) for result in results)
