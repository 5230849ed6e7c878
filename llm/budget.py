"""What all runs over one folder may spend together, in dollars and in tokens.

    budget = Budget(execution, price, store.spent())
    reservation = await budget.reserve(request)      # waits, or raises BudgetSpent
    try:
        response = await client.complete(request)
        usage = response.usage
    finally:
        reservation.settle(usage)                    # nothing, where nothing was answered

Before a request is sent, the most that it could cost is set aside: its prompt as estimated, made
safe, and as many answer tokens as it allows. What it really took replaces that. So the limit holds
with any number of requests in flight, and is used up to less than the next request might cost.
"""

from __future__ import annotations

import asyncio
import math
import sys
from typing import NamedTuple

from ..schemas.config import Execution
from ..schemas.errors import BudgetSpent, UsageError
from ..schemas.manifest import Usage
from .chat import ChatRequest
from .prices import Price
from .tokens import estimated_tokens_in

FIRST_RATIO = 1.5
"""Prompt tokens counted by the service for each one estimated, until it has counted some."""

MARGIN = 1.2
"""On top of the largest such ratio so far: the next text may be denser than all before it."""


class Amount(NamedTuple):
    """What requests take of the two things that a budget limits."""

    cost_usd: float
    tokens: int

    def plus(self, other: Amount) -> Amount:
        """The sum."""
        return Amount(self.cost_usd + other.cost_usd, self.tokens + other.tokens)

    def minus(self, other: Amount) -> Amount:
        """The difference."""
        return Amount(self.cost_usd - other.cost_usd, self.tokens - other.tokens)


NOTHING = Amount(0.0, 0)


def limit_of(execution: Execution, price: Price | None) -> Amount:
    """What all runs over the folder may take together; endless where no limit is set.

    Raises:
        UsageError: dollars are limited and the price is unknown.
    """
    if execution.max_cost_usd is not None and price is None:
        raise UsageError(
            "--max-cost-usd needs a price, and this model's is not known. Give it with "
            "--prices FILE.yaml (US dollars for a million tokens, e.g. "
            "vllm: {models: {MODEL: {input: 0.10, output: 0.40}}}), or limit the tokens "
            "with --max-tokens-total."
        )
    return Amount(
        math.inf if execution.max_cost_usd is None else execution.max_cost_usd,
        sys.maxsize if execution.max_tokens_total is None else execution.max_tokens_total,
    )


class Reservation:
    """What is set aside for one request; settle it exactly once, however the request ends."""

    def __init__(self, budget: Budget, amount: Amount, estimated_tokens_in: int) -> None:
        self.amount = amount
        self.estimated_tokens_in = estimated_tokens_in
        self._budget = budget

    def settle(self, usage: Usage) -> None:
        """Give back what is set aside, and count what the request has consumed."""
        self._budget._settle(self, usage)


class Budget:
    """Lets requests through, in the order in which they came, while the limits allow them.

    One budget serves one event loop. Settle a reservation before the same task reserves again,
    e.g. to send its request once more: a task that waits for itself waits for ever.

    Args:
        execution: its `max_cost_usd`, `max_tokens_total` and `batch`.
        price: of the model; None when it is unknown.
        spent: what all runs over the folder have consumed so far.

    Raises:
        UsageError: dollars are limited and the price is unknown.
    """

    def __init__(self, execution: Execution, price: Price | None, spent: Usage) -> None:
        self._limit = limit_of(execution, price)
        self._is_limited = (execution.max_cost_usd, execution.max_tokens_total) != (None, None)
        self._price = price
        self._is_batch = execution.batch
        self._spent = self._amount_of(spent)
        if spent.cost_usd is not None:
            self._spent = self._spent._replace(cost_usd=spent.cost_usd)
        self._answers = spent.requests
        self._reserved = NOTHING
        self._in_flight = 0
        self._ratio: float | None = None
        self._first_in_line = asyncio.Lock()
        self._has_settled = asyncio.Event()
        self._end: str | None = None

    async def reserve(self, request: ChatRequest) -> Reservation:
        """Set aside what the request may cost; waits while what is in flight may leave room.

        Raises:
            BudgetSpent: nothing is in flight and the request might break the limit. From then on
                every request is refused, for the run is ending.
        """
        if not self._is_limited:
            return Reservation(self, NOTHING, 0)
        estimate = estimated_tokens_in(request)
        async with self._first_in_line:
            while self._end is None:
                amount = self._most(estimate, request.max_tokens)
                if self._fits(amount):
                    break
                if self._in_flight == 0:
                    self._end = self._message(amount)
                else:
                    self._has_settled.clear()
                    await self._has_settled.wait()
            if self._end is not None:
                raise BudgetSpent(self._end)
            self._reserved = self._reserved.plus(amount)
            self._in_flight += 1
        return Reservation(self, amount, estimate)

    def _settle(self, reservation: Reservation, usage: Usage) -> None:
        if not self._is_limited:
            return
        self._in_flight -= 1
        # Exactly nothing is set aside when nothing is in flight: rounding must not add up.
        self._reserved = self._reserved.minus(reservation.amount) if self._in_flight else NOTHING
        is_reported = usage.requests == 0 or usage.tokens_in > 0
        taken = self._amount_of(usage) if is_reported else reservation.amount
        self._spent = self._spent.plus(taken)
        self._answers += usage.requests
        if usage.requests and usage.tokens_in:
            ratio = usage.tokens_in / usage.requests / reservation.estimated_tokens_in
            self._ratio = max(self._ratio or 0.0, ratio)
        self._has_settled.set()

    def _most(self, estimated_tokens_in: int, max_tokens: int) -> Amount:
        """What a request takes at most, if its estimate holds."""
        ratio = FIRST_RATIO if self._ratio is None else self._ratio
        tokens_in = math.ceil(estimated_tokens_in * ratio * MARGIN)
        return self._amount_of(Usage(tokens_in=tokens_in, tokens_out=max_tokens))

    def _amount_of(self, usage: Usage) -> Amount:
        cost_usd = 0.0 if self._price is None else self._price.cost_usd(usage, self._is_batch)
        return Amount(cost_usd, usage.tokens_in + usage.tokens_out)

    def _fits(self, amount: Amount) -> bool:
        total = self._spent.plus(self._reserved).plus(amount)
        return total.cost_usd <= self._limit.cost_usd and total.tokens <= self._limit.tokens

    def _message(self, amount: Amount) -> str:
        if self._spent.plus(amount).cost_usd > self._limit.cost_usd:
            option, limit = "--max-cost-usd", _dollars(self._limit.cost_usd)
            spent, most = _dollars(self._spent.cost_usd), _dollars(amount.cost_usd)
        else:
            option, limit = "--max-tokens-total", f"{self._limit.tokens:,} tokens"
            spent, most = f"{self._spent.tokens:,}", f"{amount.tokens:,}"
        return (
            f"the budget is spent: {spent} of {limit}, and the next request may take up to {most}. "
            f"What was answered is kept ({self._answers:,} answers paid for); the same command "
            f"with a larger {option} goes on."
        )


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.6f}"
