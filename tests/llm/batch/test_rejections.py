"""Batches that a service takes only in part, later, or not at all."""

import pytest
from fake_batches import Fate
from fake_server import failed
from scripted_client import ask

from pr1.llm.batch import patience, sdk, submitting
from pr1.schemas.errors import ServiceDown


def asks(number):
    return [ask(f"question {n}") for n in range(number)]


def test_a_rejected_file_stops_the_run_with_the_services_words(openai_passes):
    problem = (None, "model_not_found", "The provided model\ncannot be used with the Batch API.")
    openai_passes.fake.fates = [Fate("failed", problems=[problem])]
    words = "model_not_found: The provided model cannot be used with the Batch API"
    with pytest.raises(ServiceDown, match=words):
        openai_passes.run(asks(3))
    assert len(openai_passes.run(asks(3))) == 3


def test_a_rejection_without_a_reason_stops_the_run(openai_passes):
    openai_passes.fake.fates = [Fate("failed")]
    with pytest.raises(ServiceDown, match="the service says nothing more"):
        openai_passes.run(asks(3))


def test_rejected_lines_fail_and_the_others_are_sent_again(openai_passes):
    problems = [(2, "invalid_request", "too strange"), (4, "invalid_request", "too strange")]
    openai_passes.fake.fates = [Fate("failed", problems=problems)]
    results = openai_passes.run(asks(6))
    codes = [result.error and result.error.code for result in results]
    assert codes == [None, None, "bad_request", None, "bad_request", None]
    assert "too strange" in str(results[2].error)
    assert [len(batch.requests) for batch in openai_passes.fake.batches] == [5, 3]


def test_a_line_that_does_not_exist_is_no_harm(openai_passes):
    openai_passes.fake.fates = [Fate("failed", problems=[(99, "invalid_request", "strange")])]
    assert all(result.error is None for result in openai_passes.run(asks(3)))


def test_a_creation_that_is_rejected_stops_the_run(passes):
    passes.fake.most_bytes = 100
    with pytest.raises(ServiceDown, match="No batch was made"):
        passes.run(asks(3))
    passes.fake.most_bytes = 10**6
    assert all(result.error is None for result in passes.run(asks(3)))


def test_a_full_queue_is_waited_for_while_own_batches_run(openai_passes):
    openai_passes.limits = {"requests": 2}
    openai_passes.fake.queue_tokens = 150  # one batch of two requests takes about 110
    openai_passes.fake.fates = [Fate(looks=6)]
    assert all(result.error is None for result in openai_passes.run(asks(7)))
    done = [batch for batch in openai_passes.fake.batches if batch.fate.end == "completed"]
    assert [len(batch.requests) for batch in done] == [2, 2, 2]


def test_batches_become_smaller_to_fit_the_queue(openai_passes, monkeypatch):
    monkeypatch.setattr(submitting, "FEWEST_REQUESTS", 2)
    openai_passes.fake.queue_tokens = 400  # four requests take about 300
    assert all(result.error is None for result in openai_passes.run(asks(17)))
    done = [batch for batch in openai_passes.fake.batches if batch.fate.end == "completed"]
    assert [len(batch.requests) for batch in done] == [4, 4, 4, 4]


def test_a_queue_that_others_fill_is_waited_for(openai_passes):
    openai_passes.fake.queue_tokens = 0
    openai_passes.after_sleep = lambda: setattr(
        openai_passes.fake, "queue_tokens", 10**9 if len(openai_passes.slept) > 20 else 0
    )
    assert all(result.error is None for result in openai_passes.run(asks(3)))
    assert max(openai_passes.slept) == 300


def test_a_queue_that_stays_full_stops_the_run(openai_passes, monkeypatch):
    monkeypatch.setattr(submitting, "LONGEST_WAIT_FOR_ROOM_S", 3_600.0)
    openai_passes.fake.queue_tokens = 0
    with pytest.raises(ServiceDown, match=r"Enqueued token limit reached .* No room for a day"):
        openai_passes.run(asks(3))
    assert sum(openai_passes.slept) >= 3_600


def test_results_that_are_no_longer_kept_stop_the_run(anthropic_passes):
    anthropic_passes.fake.has_results = False
    with pytest.raises(ServiceDown, match="No `results_url`"):
        anthropic_passes.run(asks(3))


def test_too_many_creations_are_waited_for(passes):
    path = "/v1/batches" if passes.provider == "openai" else "/v1/messages/batches"
    passes.fake.faults = {f"POST {path}": [429, 429, 429]}
    assert all(result.error is None for result in passes.run(asks(3)))
    assert len(passes.fake.batches) == 1
    assert len(passes.slept) >= 3


def test_a_batch_of_nothing_but_errors(passes):
    passes.fake.answer = lambda body: "ok" if "question 0" in str(body) else failed(400)
    results = passes.run(asks(3))
    assert [result.error and result.error.code for result in results] == [None] + [
        "bad_request"
    ] * 2


def test_results_that_are_no_json_are_asked_for_again(passes, monkeypatch):
    lines_of, lines = sdk.lines_of, []

    async def torn(pieces, endpoint):
        async for line in lines_of(pieces, endpoint):
            lines.append(line)
            yield line[: len(line) // 2] if len(lines) == 1 else line

    monkeypatch.setattr(sdk, "lines_of", torn)
    assert all(result.error is None for result in passes.run(asks(4)))
    assert [len(batch.requests) for batch in passes.fake.batches] == [3, 1]


@pytest.mark.parametrize("rest", ["9" * 40, "[" * 190 + "]" * 190])
def test_a_strange_value_beside_an_answer_does_no_harm(passes, monkeypatch, rest):
    lines_of = sdk.lines_of

    async def strange(pieces, endpoint):
        async for line in lines_of(pieces, endpoint):
            yield line.replace(b'"model":', f'"strange": {rest}, "model":'.encode())

    monkeypatch.setattr(sdk, "lines_of", strange)
    assert all(result.error is None for result in passes.run(asks(4)))


def test_a_batch_that_can_never_be_made_stops_the_run(passes, monkeypatch):
    monkeypatch.setattr(patience, "TROUBLES_UNTIL_DOWN", 5)
    path = "/v1/batches" if passes.provider == "openai" else "/v1/messages/batches"
    passes.fake.faults = {f"POST {path}": [500] * 100}
    with pytest.raises(ServiceDown, match="planned fault"):
        passes.run(asks(3))
    assert len(passes.fake.faults[f"POST {path}"]) == 95
