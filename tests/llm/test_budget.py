"""The budget: what it lets through, what it makes wait, when it ends a run."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_client import ask

from pr1.llm import budget as budget_module
from pr1.llm.budget import FIRST_RATIO, MARGIN, Budget
from pr1.llm.prices import Price
from pr1.llm.tokens import estimated_tokens_in
from pr1.schemas.config import Execution
from pr1.schemas.errors import BudgetSpent, UsageError
from pr1.schemas.manifest import Usage

PRICE = Price(input=1, output=2)
ESTIMATE = estimated_tokens_in(ask())


def tokens_budget(limit: int, spent: int = 0) -> Budget:
    return Budget(Execution(max_tokens_total=limit), None, Usage(tokens_out=spent))


def took(tokens_in: int, tokens_out: int) -> Usage:
    return Usage(tokens_in=tokens_in, tokens_out=tokens_out, requests=1)


async def is_waiting(task: asyncio.Task[object]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_without_limits_nothing_is_estimated_or_refused(monkeypatch):
    monkeypatch.delattr(budget_module, "estimated_tokens_in")
    budget = Budget(Execution(), None, Usage(tokens_in=10**12))
    for _ in range(3):
        (await budget.reserve(ask(max_tokens=10**9))).settle(took(10**9, 10**9))


def test_a_limit_in_dollars_needs_a_price():
    with pytest.raises(UsageError, match="--prices FILE") as caught:
        Budget(Execution(max_cost_usd=1), None, Usage())
    assert "--max-tokens-total" in str(caught.value)
    Budget(Execution(max_tokens_total=1), None, Usage())


async def test_the_most_that_a_request_may_cost_is_set_aside():
    most = int(ESTIMATE * FIRST_RATIO * MARGIN) + 1 + 100
    (await tokens_budget(most).reserve(ask(max_tokens=100))).settle(Usage())
    with pytest.raises(BudgetSpent):
        await tokens_budget(most - 1).reserve(ask(max_tokens=100))


@pytest.mark.parametrize(
    ("execution", "spent", "goes_on"),
    [
        (Execution(max_tokens_total=1000), Usage(tokens_in=400, tokens_out=400), True),
        (Execution(max_tokens_total=1000), Usage(tokens_in=450, tokens_out=450), False),
        (Execution(max_tokens_total=0), Usage(), False),
        (Execution(max_cost_usd=0.001), Usage(tokens_out=300), True),
        (Execution(max_cost_usd=0.001), Usage(tokens_out=450), False),
        (Execution(max_cost_usd=0.001), Usage(tokens_out=450, cost_usd=0.0001), True),
        (Execution(max_cost_usd=0.001), Usage(tokens_out=1, cost_usd=0.0009), False),
        (Execution(max_cost_usd=0.001, batch=True), Usage(tokens_out=450), True),
        (Execution(max_cost_usd=1, max_tokens_total=1000), Usage(tokens_in=900), False),
        (Execution(max_cost_usd=0.0001, max_tokens_total=1000), Usage(), False),
    ],
)
async def test_what_earlier_runs_spent_counts(execution, spent, goes_on):
    budget = Budget(execution, PRICE, spent)
    if goes_on:
        (await budget.reserve(ask(max_tokens=100))).settle(Usage())
    else:
        with pytest.raises(BudgetSpent):
            await budget.reserve(ask(max_tokens=100))


async def test_a_request_waits_for_those_in_flight_and_goes_when_they_were_cheaper():
    budget = tokens_budget(200)
    first = await budget.reserve(ask(max_tokens=100))
    second = asyncio.create_task(budget.reserve(ask(max_tokens=100)))
    assert await is_waiting(second)
    first.settle(took(10, 20))
    (await second).settle(took(10, 20))


async def test_a_run_ends_when_nothing_in_flight_can_help_any_more():
    budget = tokens_budget(200)
    first = await budget.reserve(ask(max_tokens=100))
    second = asyncio.create_task(budget.reserve(ask(max_tokens=100)))
    assert await is_waiting(second)
    first.settle(took(10, 100))
    with pytest.raises(BudgetSpent) as caught:
        await second
    assert str(caught.value) == (
        "the budget is spent: 110 of 200 tokens, and the next request may take up to 112. "
        "What was answered is kept (1 answers paid for); the same command with a larger "
        "--max-tokens-total goes on."
    )


async def test_the_end_is_the_end_also_for_a_smaller_request():
    budget = tokens_budget(200)
    with pytest.raises(BudgetSpent):
        await budget.reserve(ask(max_tokens=1000))
    with pytest.raises(BudgetSpent, match="up to 1,0"):
        await budget.reserve(ask(max_tokens=1))


async def test_dollars_are_told_as_dollars():
    budget = Budget(Execution(max_cost_usd=5), PRICE, took(10**6, 10**6))
    with pytest.raises(BudgetSpent, match=r"\$3\.00 of \$5\.00, .* up to \$4\.00") as caught:
        await budget.reserve(ask(max_tokens=2 * 10**6))
    assert "--max-cost-usd" in str(caught.value)
    with pytest.raises(BudgetSpent, match=r"\$0\.00 of \$0\.000010, .* up to \$0\.0002"):
        await Budget(Execution(max_cost_usd=1e-5), PRICE, Usage()).reserve(ask(max_tokens=100))


async def test_requests_go_in_the_order_in_which_they_came():
    budget = tokens_budget(300)
    first = await budget.reserve(ask(max_tokens=200))
    large = asyncio.create_task(budget.reserve(ask(max_tokens=200)))
    small = asyncio.create_task(budget.reserve(ask(max_tokens=1)))
    assert await is_waiting(large)
    assert await is_waiting(small), "a small one that overtakes for ever starves the large one"
    first.settle(took(10, 10))
    (await large).settle(Usage())
    (await small).settle(Usage())


async def test_one_who_gives_up_waiting_leaves_nothing_behind():
    budget = tokens_budget(300)
    first = await budget.reserve(ask(max_tokens=200))
    large = asyncio.create_task(budget.reserve(ask(max_tokens=250)))
    behind = asyncio.create_task(budget.reserve(ask(max_tokens=50)))
    assert await is_waiting(behind)
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    (await behind).settle(Usage())
    first.settle(Usage())
    (await budget.reserve(ask(max_tokens=280))).settle(Usage())


async def test_a_failed_request_gives_back_what_was_set_aside_and_pays_what_it_took():
    budget = tokens_budget(1000, spent=500)
    for _ in range(20):
        (await budget.reserve(ask(max_tokens=400))).settle(Usage())
    (await budget.reserve(ask(max_tokens=400))).settle(took(10, 90))
    with pytest.raises(BudgetSpent, match="600 of 1,000"):
        await budget.reserve(ask(max_tokens=400))


async def test_a_service_that_reports_nothing_is_taken_to_have_used_all():
    budget = tokens_budget(250)
    (await budget.reserve(ask(max_tokens=200))).settle(took(0, 0))
    with pytest.raises(BudgetSpent):
        await budget.reserve(ask(max_tokens=200))


async def test_estimates_follow_what_the_service_counts():
    budget = tokens_budget(10_000)
    text = "a" * 3500
    (await budget.reserve(ask(text, max_tokens=1))).settle(took(4000, 1))
    with pytest.raises(BudgetSpent, match="may take up to 6,8"):
        await budget.reserve(ask(text, max_tokens=2000))


@given(
    limit=st.integers(0, 3000),
    ratio=st.floats(0.2, FIRST_RATIO),
    requests=st.lists(
        st.tuples(
            st.integers(0, 1500),  # characters of the text
            st.integers(1, 100),  # the most tokens of the answer
            st.sampled_from([0.0, 0.5, 1.0]),  # the share of them that it takes
            st.sampled_from([1.0, MARGIN]),  # how much denser than others the text is
            st.integers(0, 6),  # how long it takes
        ),
        max_size=25,
    ),
    concurrency=st.integers(1, 8),
    in_dollars=st.booleans(),
)
def test_the_limit_holds_and_is_used(limit, ratio, requests, concurrency, in_dollars):
    """For estimates that hold within the margin, in any order of ends."""
    price = Price(input=1e6, output=1e6)  # a token costs a dollar
    limits = {"max_cost_usd": float(limit)} if in_dollars else {"max_tokens_total": limit}
    budget = Budget(Execution(**limits), price, Usage())
    spent = done = 0
    waiting = iter(requests)

    async def work():
        nonlocal spent, done
        for length, max_tokens, share, density, pauses in waiting:
            request = ask("a" * length, max_tokens=max_tokens)
            reservation = await budget.reserve(request)
            for _ in range(pauses):
                await asyncio.sleep(0)
            tokens_in = math.ceil(estimated_tokens_in(request) * ratio * density)
            usage = took(tokens_in, int(max_tokens * share))
            spent += usage.tokens_in + usage.tokens_out
            done += 1
            reservation.settle(usage)
            assert spent <= limit

    async def run():
        return await asyncio.gather(*(work() for _ in range(concurrency)), return_exceptions=True)

    ends = asyncio.run(run())
    errors = [end for end in ends if end is not None]
    assert all(isinstance(error, BudgetSpent) for error in errors), errors
    if not errors:
        assert done == len(requests)
        return
    largest = max(
        estimated_tokens_in(ask("a" * length)) * FIRST_RATIO * MARGIN**2 + max_tokens
        for length, max_tokens, *_ in requests
    )
    assert spent + largest + 1 > limit
