"""What the text server answers: completions, forms, log probabilities, seeds, samples."""

from __future__ import annotations

import json
import math
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path

from asking import KEY, Counted, Table, asked, client_of, outcomes, run_engine
from pydantic import BaseModel
from serve import VllmServer

from pr1.annotate.extraction.model import extraction_request
from pr1.llm.chat import ChatResponse
from pr1.notation import to_plain
from pr1.schemas.config import Execution
from pr1.schemas.errors import ModelError
from pr1.schemas.outcomes import Verdict

FORMS = 50
SAMPLES = 8
CHAT, MESSAGES = "chat completions", "`/v1/messages`"


class Verdicts(BaseModel):
    """A judge's answer: one verdict for each annotation."""

    verdicts: list[Verdict]


async def check_answers(table: Table, server: VllmServer, folder: Path) -> None:
    """Text, structured output, log probabilities, seeds and samples, by both APIs."""
    openai = client_of(server.openai_url, "vllm/text")
    anthropic = client_of(server.url, "anthropic/text")
    try:
        for api, client in ((CHAT, openai), (MESSAGES, anthropic)):
            await check_text(table, api, client)
            await check_forms(table, api, client, folder)
        check_old_parameter(table, server)
        await check_first_token(table, openai)
        await check_seeds(table, openai)
        await check_samples(table, openai, folder)
    finally:
        await openai.aclose()
        await anthropic.aclose()


async def check_text(table: Table, api: str, client: Counted) -> None:
    """Both ways in which a text ends, with its tokens counted."""
    long = asked("Say something.", max_tokens=400, temperature=1.0)
    answers = answered(await outcomes(client, [long] * 20, at_once=8))
    stopped = sum(a.finish == "stop" and a.tokens_out < 400 for a in answers)
    table.add(f"text, {api}", "ends by itself: `stop`", f"{stopped} of 20", stopped == 20)
    short = asked("Say something at length.", max_tokens=1, temperature=1.0)
    cut = answered(await outcomes(client, [short] * 20, at_once=8))
    at_limit = sum(a.finish == "length" and a.tokens_out == 1 for a in cut)
    ended = sum(a.finish == "stop" and not a.text for a in cut)
    measured = f"{at_limit} cut, {ended} ended at once, of 20"
    is_met = at_limit > 0 and at_limit + ended == 20
    table.add(f"text of 1 token, {api}", "`length`", measured, is_met)
    first = answers[0]
    facts = [first.tokens_in > 0, first.tokens_out > 0, first.model == "text", first.request_id]
    measured = f"{first.tokens_in} in, {first.tokens_out} out, id `{first.request_id}`"
    table.add(f"usage, model, id, {api}", "all there", measured, all(facts))


async def check_forms(table: Table, api: str, client: Counted, folder: Path) -> None:
    """Answers to pr1's own forms, each checked with pydantic by the engine."""
    facts = [
        replace(extraction_request(to_plain(f"AB = {n}."), seed=n), temperature=1.0)
        for n in range(FORMS)
    ]
    verdicts = [
        asked(f"Judge {n}.", max_tokens=500, temperature=1.0, seed=n, response_model=Verdicts)
        for n in range(FORMS)
    ]
    for form, requests in (("ProposedFacts", facts), ("verdict list", verdicts)):
        client.finishes.clear()
        store = folder / f"forms-{client.identity.provider}.sqlite"
        results = await run_engine(client, store, requests, Execution(concurrency=8))
        valid = sum(result.parsed is not None for result in results)
        at_first = sum(result.parsed is not None and result.attempts == 1 for result in results)
        errors = Counter(type(result.error).__name__ for result in results if result.error)
        measured = f"{valid} of {FORMS}; {at_first} at the first attempt"
        measured += f"; cut: {client.finishes['length']}"
        measured += f"; given up: {dict(errors)}" if errors else ""
        # Anthropic's schemas cannot say that a number is at least 1: there the engine asks again.
        is_met = valid == FORMS if api == CHAT or form == "ProposedFacts" else None
        table.add(f"{form}, {api}", f"valid by pydantic, {FORMS} of {FORMS}", measured, is_met)


def check_old_parameter(table: Table, server: VllmServer) -> None:
    """The parameter that older guides name constrains nothing, and the server does not say so."""
    body = {
        "model": "text",
        "messages": [{"role": "user", "content": "Judge."}],
        "max_tokens": 50,
        "seed": 1,
        "guided_json": Verdicts.model_json_schema(),
    }
    request = urllib.request.Request(
        f"{server.openai_url}/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = json.load(answer)["choices"][0]["message"]["content"]
    is_json = text.startswith('{"verdicts":')
    measured = f"status {answer.status}, {'the form' if is_json else 'free text'}"
    table.add("the old `guided_json`", "ignored: free text", measured, not is_json)


async def check_first_token(table: Table, client: Counted) -> None:
    """The first token's likeliest alternatives."""
    request = asked("Yes or no?", max_tokens=1, top_logprobs=20)
    (greedy,) = answered([await client.complete(request)])
    chances = greedy.first_token or {}
    likeliest = max(chances, key=chances.__getitem__, default="")
    total = sum(math.exp(chance) for chance in chances.values())
    measured = (
        f"{len(chances)} different texts, probabilities sum to {total:.3f}, likeliest {likeliest!r}"
    )
    is_met = 10 < len(chances) <= 20 and 0 < total <= 1.001
    table.add("first token, `top_logprobs=20`", "at most 20, sum at most 1", measured, is_met)
    few = await client.complete(replace(request, top_logprobs=3))
    agree = all(chances.get(token) == chance for token, chance in (few.first_token or {}).items())
    table.add("first token, `top_logprobs=3`", "the same values", shown(few), agree)
    hot = replace(request, top_logprobs=2, temperature=2.0, seed=5)
    sampled = await client.complete(hot)
    first = next(iter(sampled.first_token or {}), None)
    measured = f"{shown(sampled)} for {sampled.text!r}"
    table.add("sampled, `top_logprobs=2`", "the sampled one first", measured, first == sampled.text)
    formed = await client.complete(replace(request, response_model=Verdicts))
    is_masked = max(formed.first_token or {}, key=(formed.first_token or {}).get) == "{"
    measured = f"{'after' if is_masked else 'before'} the grammar's choice"
    table.add("first token of an answer with a form", "its probabilities are", measured)


async def check_seeds(table: Table, client: Counted) -> None:
    """Equal seeds give equal texts, other seeds others; alone and in a full batch."""
    request = asked("Say something.", max_tokens=200, temperature=1.0, seed=7)
    alone = [(await client.complete(request)).text for _ in range(SAMPLES)]
    table.add(
        "seed, one at a time", "equal", f"{count_equal(alone)} of {SAMPLES}", len(set(alone)) == 1
    )
    others = [replace(request, seed=seed) for seed in range(100, 100 + 3 * SAMPLES)]
    mixed = answered(await outcomes(client, [request] * SAMPLES + others, at_once=32))
    busy = [answer.text for answer in mixed[:SAMPLES]]
    measured = f"{sum(text == alone[0] for text in busy)} of {SAMPLES} as when alone"
    table.add("seed, among other requests", "equal", measured)
    distinct = len({answer.text for answer in mixed[SAMPLES:]})
    measured = f"{distinct} texts of {len(others)}"
    table.add("other seeds", "other texts", measured, distinct > len(others) // 2)


async def check_samples(table: Table, client: Counted, folder: Path) -> None:
    """Samples of one prompt are as many answers, and a second run reads them from the store."""
    request = asked("Say something else.", max_tokens=200, temperature=1.0)
    samples = [replace(request, sample_index=index) for index in range(SAMPLES)]
    store = folder / "samples.sqlite"
    first = await run_engine(client, store, samples, Execution(concurrency=8))
    texts = {result.index: result.response.text for result in first if result.response}
    distinct = len(set(texts.values()))
    measured = f"{len(texts)} answers, {distinct} texts"
    table.add(
        f"{SAMPLES} samples of one prompt", "as many answers", measured, distinct > SAMPLES // 2
    )
    sent = client.sent
    second = await run_engine(client, store, samples, Execution(concurrency=8))
    same = all(texts[r.index] == r.response.text for r in second if r.response)
    measured = f"{client.sent - sent} sent"
    is_met = client.sent == sent and same and len(second) == SAMPLES
    table.add("the same again", "0 sent, the same answers", measured, is_met)


def answered(outcomes: list[ChatResponse | ModelError]) -> list[ChatResponse]:
    """The outcomes, all of which are answers; the first error is raised."""
    for outcome in outcomes:
        if isinstance(outcome, ModelError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, ChatResponse)]


def shown(response: ChatResponse) -> str:
    """The first token's alternatives."""
    return ", ".join(f"{t!r} {chance:.2f}" for t, chance in (response.first_token or {}).items())


def count_equal(texts: list[str]) -> int:
    """How many texts are the most frequent one."""
    return Counter(texts).most_common(1)[0][1]
