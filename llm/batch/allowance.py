"""How much of the run's budget is left for batches, which cannot be stopped once they are made.

A batch is submitted only when the most that it can cost fits beside what was spent and the most
that the batches under way can cost.
"""

from __future__ import annotations

import math

from ...schemas.config import Execution
from ...schemas.errors import BudgetSpent
from ...schemas.manifest import Usage
from ..budget import FIRST_RATIO, MARGIN, Amount, limit_of
from ..chat import ChatRequest, ChatResponse
from ..prices import Price
from ..tokens import estimated_tokens_in


class Allowance:
    """The limits `--max-cost-usd` and `--max-tokens-total`, as batches keep to them.

    Raises:
        UsageError: dollars are limited and the price is unknown.
    """

    def __init__(self, execution: Execution, price: Price | None) -> None:
        self._limit = limit_of(execution, price)
        self._price = price
        self._ratio = FIRST_RATIO

    def learn(self, request: ChatRequest, response: ChatResponse) -> None:
        """See by an answer how the service counts a prompt's tokens."""
        if response.tokens_in:
            self._ratio = response.tokens_in / estimated_tokens_in(request)

    def most(self, request: ChatRequest) -> Usage:
        """The most that the request can consume, if its estimate holds."""
        tokens_in = math.ceil(estimated_tokens_in(request) * self._ratio * MARGIN)
        return Usage(tokens_in=tokens_in, tokens_out=request.max_tokens, requests=1)

    def room(self, spent: Usage, under_way: Usage) -> Amount:
        """What may still be submitted; negative when too much was."""
        so_far = self.amount(spent)
        if spent.cost_usd is not None:
            so_far = so_far._replace(cost_usd=spent.cost_usd)
        return self._limit.minus(so_far).minus(self.amount(under_way))

    def amount(self, usage: Usage, *, is_batch: bool = True) -> Amount:
        """What the usage takes of the budget."""
        cost_usd = self._price.cost_usd(usage, is_batch) if self._price else 0.0
        return Amount(cost_usd, usage.tokens_in + usage.tokens_out)

    def fits(self, usage: Usage, room: Amount, *, is_batch: bool = True) -> bool:
        """Whether the usage is within the room."""
        amount = self.amount(usage, is_batch=is_batch)
        return amount.cost_usd <= room.cost_usd and amount.tokens <= room.tokens

    def spent_error(self, room: Amount) -> BudgetSpent:
        """What to raise when not even one request fits."""
        if room.cost_usd < math.inf:
            left, option = f"${max(0.0, room.cost_usd):.4f}", "--max-cost-usd"
        else:
            left, option = f"{max(0, room.tokens):,} tokens", "--max-tokens-total"
        return BudgetSpent(
            f"the budget is spent: {left} are left, and the next request may take more. The same "
            f"command with a larger {option} goes on; what was answered is kept."
        )
