"""What `--dry-run` prints for `collect` and `annotate`: what would be sent, how much, and to whom.

The source is read in full and every request is made, pictures included, so that records and
requests are counted as the run would count them. No request is sent and no key is needed. What the
output folder's store has answers to would not be sent again.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ..llm.chat import ModelIdentity
from ..llm.estimate import NO_PRICE, THIS_MACHINE, Spending, stored_answers
from ..llm.models import check_can_see, model_identity
from ..llm.prices import Price
from ..outputs.rows import STORE
from ..schemas.config import AnnotateConfig, CollectConfig, Execution
from ..schemas.manifest import Dropped, Usage
from ..schemas.records import Record
from .extraction.extractor import Extractor
from .ordered import Asked, OpenProblem
from .reading import ReadingTally, open_reading
from .sampling import SampleTally, open_sampling
from .source.problems import ProblemGroup, ProblemReader

RULES = ModelIdentity("rules", "", "rules", "")


class Plan(Record):
    """What a run would do; all tokens and costs are of the requests that it would send.

    Attributes:
        config: the resolved configuration.
        records_read: input records.
        problems: that would be worked on.
        dropped_by_reason, failed_by_error: input records that would not be, told apart.
        requests: that would be sent to the model; equal ones are sent once.
        requests_answered: that would not be, for the output folder has their answers.
        tokens_in: of the prompts, pictures included.
        tokens_out: of the answers, as long as they usually are.
        tokens_out_at_most: of the answers, were each as long as it may be.
        estimated: how the tokens were estimated.
        cost_usd: in US dollars; None when the price is unknown.
        cost_usd_at_most: the same with `tokens_out_at_most`, and nothing in the service's cache.
        prices: where the price is from, or that it is unknown.
        destination: the address that the requests go to, or `this machine`.
        pictures_sent_to: who gets how many pictures.
    """

    command: str
    config: dict[str, Any]
    records_read: int
    problems: int
    dropped_by_reason: dict[str, int]
    failed_by_error: dict[str, int]
    requests: int
    requests_answered: int
    tokens_in: int
    tokens_out: int
    tokens_out_at_most: int
    estimated: str
    cost_usd: float | None
    cost_usd_at_most: float | None
    prices: str
    destination: str
    pictures_sent_to: str


def plan_collect(config: CollectConfig, out: Path) -> dict[str, Any]:
    """What `collect` would do: the fields of `Plan`, as JSON values.

    Args:
        config: of the run.
        out: the run's output folder, which need not exist.

    Raises:
        UsageError: the source, the model, the prices or the folder's store cannot be used.
    """
    check_can_see(config.model)
    identity = model_identity(config.model)
    reader = ProblemReader(config.source, needs_trajectory=False, limit=config.limit)
    tally = SampleTally()
    with stored_answers(out / STORE) as store:
        spending = Spending(identity, "collect", store)
        survey = _Survey(reader, lambda group: open_sampling(group, config, tally), spending)
    return _plan("collect", config, identity, survey, spending)


def plan_annotate(config: AnnotateConfig, out: Path) -> dict[str, Any]:
    """What `annotate` would do: the fields of `Plan`, as JSON values.

    The answers of the trajectories are checked, since only the correct ones are sent.

    Args:
        config: of the run.
        out: the run's output folder, which need not exist.

    Raises:
        UsageError: the source, the model, the prices or the folder's store cannot be used.
    """
    extractor = Extractor(config.model)
    identity = model_identity(config.model) if extractor.uses_model else RULES
    reader = ProblemReader(config.source, needs_trajectory=True, limit=config.limit)
    tally = ReadingTally()
    with stored_answers(out / STORE) as store:
        spending = Spending(identity, "extract", store)
        survey = _Survey(
            reader, lambda group: open_reading(group, config, extractor, tally), spending
        )
    return _plan("annotate", config, identity, survey, spending)


class _Survey:
    """A pass over the problems of a source that counts what they ask, and what is left out."""

    def __init__(
        self, reader: ProblemReader, open_problem: OpenProblem, spending: Spending
    ) -> None:
        self.problems = 0
        self.dropped: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        for item in reader:
            opened = open_problem(item) if isinstance(item, ProblemGroup) else item
            if isinstance(opened, Asked):
                self.problems += 1
                for request in opened.requests:
                    spending.add(request)
            elif isinstance(opened, Dropped):
                self.dropped[opened.reason] += opened.records
            else:
                self.failed[opened.error] += opened.records
        self.records_read = reader.read


def _plan(
    command: str,
    config: CollectConfig | AnnotateConfig,
    identity: ModelIdentity,
    survey: _Survey,
    spending: Spending,
) -> dict[str, Any]:
    price = Price.of(identity, config.execution.prices)
    destination = identity.endpoint or THIS_MACHINE
    pictures = f"{destination}: {spending.pictures} pictures, in {spending.to_send} requests"
    usage = spending.usage
    return Plan(
        command=command,
        config=config.model_dump(mode="json"),
        records_read=survey.records_read,
        problems=survey.problems,
        dropped_by_reason=dict(sorted(survey.dropped.items())),
        failed_by_error=dict(sorted(survey.failed.items())),
        requests=spending.to_send,
        requests_answered=spending.answered,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        tokens_out_at_most=spending.tokens_out_at_most,
        estimated=spending.rule,
        cost_usd=_cost_usd(price, usage, config.execution),
        cost_usd_at_most=_cost_usd(price, spending.usage_at_most, config.execution),
        prices=price.source if price else NO_PRICE,
        destination=destination,
        pictures_sent_to=pictures if spending.pictures else "nobody: no request holds one",
    ).model_dump(mode="json")


def _cost_usd(price: Price | None, usage: Usage, execution: Execution) -> float | None:
    return None if price is None else round(price.cost_usd(usage, execution.batch), 6)
