"""What `pr1 filter --dry-run` prints: what would be left, what would be sent, and to whom.

The cheap filters run as they would, and the first round of rollouts is made, pictures included, so
that problems and requests are counted as the run would count them. How many more rollouts it takes
depends on the answers; the most that it can take is given. No request is sent and no key is needed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ..llm.estimate import NO_PRICE, THIS_MACHINE, Spending, stored_answers
from ..llm.models import model_identity
from ..llm.prices import Price
from ..llm.store import ResponseStore
from ..outputs.rows import STORE
from ..schemas.config import FilterConfig, PolicyConfig
from ..schemas.errors import InputError
from ..schemas.manifest import Usage
from ..schemas.progress import ignore_progress
from ..schemas.records import Record
from .cheap import Decisions, decide
from .evaluation_sets import read_evaluation_sets
from .paired.conditions import rollouts
from .paired.run import first_round
from .paired.testing import FRESH
from .run import check_input, surviving_problems


class Rollouts(Record):
    """What the paired difficulty pass would send; tokens and costs are of what is not answered yet.

    Attributes:
        problems: that would be rolled out.
        requests: of the first round, without an answer in the output folder.
        requests_answered: of the first round, with one.
        requests_at_most: of the whole pass: every problem topped up and a candidate.
        tokens_in, tokens_out: of the first round, answers as long as they usually are.
        estimated: how the tokens were estimated.
        cost_usd: of the first round, in US dollars; None when the price is unknown.
        cost_usd_at_most: of the whole pass, every answer as long as it may be.
        prices: where the price is from, or that it is unknown.
        destination: the address that the requests go to, or `this machine`.
        pictures_sent_to: who gets how many pictures in the first round.
    """

    problems: int
    requests: int
    requests_answered: int
    requests_at_most: int
    tokens_in: int
    tokens_out: int
    estimated: str
    cost_usd: float | None
    cost_usd_at_most: float | None
    prices: str
    destination: str
    pictures_sent_to: str


class FilterPlan(Record):
    """What `filter` would do.

    Attributes:
        config: the resolved configuration.
        records_read: rows of the annotated set.
        left: rows that the cheap filters leave.
        dropped_by_reason: rows that they do not, told apart.
        failed_by_error: rows whose pictures cannot be sent.
        policy: what the paired difficulty pass would send; None without --policy.
    """

    command: str = "filter"
    config: dict[str, Any]
    records_read: int
    left: int
    dropped_by_reason: dict[str, int]
    failed_by_error: dict[str, int] = {}
    policy: Rollouts | None = None


async def plan_filter(config: FilterConfig, out: Path) -> dict[str, Any]:
    """What `filter_problems` would do: the fields of `FilterPlan`, as JSON values.

    Args:
        config: of the run.
        out: the run's output folder, which need not exist.

    Raises:
        UsageError: an input, the policy, the prices or the folder's store cannot be used.
    """
    rows = check_input(config, out)
    evaluation = await read_evaluation_sets([Path(path) for path in config.decontaminate])
    decisions = await decide(config, evaluation, rows, ignore_progress)
    dropped = Counter(drop.reason for drop in decisions.drops if drop is not None)
    failed: Counter[str] = Counter()
    planned = None
    if config.policy is not None:
        with stored_answers(out / STORE) as store:
            planned = _rollouts(config, config.policy, decisions, store, failed)
    return FilterPlan(
        config=config.model_dump(mode="json"),
        records_read=len(decisions.drops),
        left=len(decisions.candidates),
        dropped_by_reason=dict(sorted(dropped.items())),
        failed_by_error=dict(sorted(failed.items())),
        policy=planned,
    ).model_dump(mode="json")


def _rollouts(
    config: FilterConfig,
    policy: PolicyConfig,
    decisions: Decisions,
    store: ResponseStore | None,
    failed: Counter[str],
) -> Rollouts:
    identity = model_identity(policy.model)
    spending = Spending(identity, "select", store)
    for problem in surviving_problems(config, decisions):
        try:
            for rollout in rollouts(problem, first_round(problem, policy), policy, config.seed):
                spending.add(rollout.request)
        except InputError as error:
            failed[error.code] += 1
    problems = len(decisions.candidates)
    in_first_round = spending.to_send + spending.answered
    most_of_one = 2 * max(policy.rollouts, policy.max_rollouts) + 3 * FRESH
    at_most = problems * (most_of_one + policy.blind * policy.rollouts)
    price = Price.of(identity, config.execution.prices)
    destination = identity.endpoint or THIS_MACHINE
    usage = spending.usage
    tokens_in_of_one = usage.tokens_in / spending.to_send if spending.to_send else 0
    all_at_most = Usage(
        tokens_in=round(at_most * tokens_in_of_one), tokens_out=at_most * policy.max_tokens
    )
    return Rollouts(
        problems=problems,
        requests=spending.to_send,
        requests_answered=spending.answered,
        requests_at_most=max(at_most, in_first_round),
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        estimated=spending.rule,
        cost_usd=None if price is None else round(price.cost_usd(usage), 6),
        cost_usd_at_most=None if price is None else round(price.cost_usd(all_at_most), 6),
        prices=price.source if price else NO_PRICE,
        destination=destination,
        pictures_sent_to=f"{destination}: {spending.pictures} pictures, in {spending.to_send} "
        "requests of the first round",
    )
