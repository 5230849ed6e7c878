"""What `pr1 judge --dry-run` prints: what would be sent, how much, and to whom.

All rows are read and every request is made, and none is sent. What the output folder's store has
answers to would not be sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..llm.chat import ModelIdentity
from ..llm.estimate import NO_PRICE, THIS_MACHINE, Spending, stored_answers
from ..llm.models import model_identity
from ..llm.prices import Price
from ..outputs.rows import STORE
from ..schemas.config import JudgeRunConfig
from ..schemas.manifest import Failure
from ..schemas.records import Record
from .decide import decide, reading_of
from .judge import JudgeTask
from .opening import asking_of, check_judge
from .rows import CompletionReader
from .run import judge_of

RULES = ModelIdentity("rules", "", "rules", "")


class JudgePlan(Record):
    """What a run would do.

    Attributes:
        failed_by_error: rows that cannot be used.
        annotations_decided_by_rules: with `rules` all of them, else those that hybrid saves.
        requests: that would be sent; equal ones are sent once.
        requests_answered: that would not be, for the output folder has their answers.
        tokens_in, tokens_out: of the requests to send.
        estimated: how the tokens were estimated.
        cost_usd: in US dollars; None when the price is unknown.
        prices: where the price is from, or that it is unknown.
        destination: the address that the completions go to, or `this machine`.
    """

    config: dict[str, Any]
    rows_read: int
    failed_by_error: dict[str, int]
    annotations: int
    annotations_decided_by_rules: int
    requests: int
    requests_answered: int
    tokens_in: int
    tokens_out: int
    estimated: str
    cost_usd: float | None
    prices: str
    destination: str


def plan_judge(config: JudgeRunConfig, out: Path) -> dict[str, Any]:
    """What `pr1 judge` would do: the fields of `JudgePlan`, as JSON values.

    Raises:
        UsageError: the file, the judge, the prices or the folder's store cannot be used.
    """
    judge_config = judge_of(config)
    check_judge(judge_config)
    is_rules = config.model.name == "rules"
    identity = RULES if is_rules else model_identity(config.model)
    reader = CompletionReader(Path(config.completions), config.limit)
    annotations = decided = 0
    failed: Counter[str] = Counter()
    with stored_answers(out / STORE) as store:
        spending = Spending(identity, "judge", store)
        for task in _tasks(reader, failed):
            rest = _unsure(task, is_rules) if is_rules or config.is_hybrid else task
            annotations += len(task.annotations)
            decided += len(task.annotations) - len(rest.annotations)
            for request in asking_of(judge_config).requests(rest) if rest.annotations else []:
                spending.add(request)
    price = Price.of(identity, config.execution.prices)
    return JudgePlan(
        config=config.model_dump(mode="json"),
        rows_read=reader.read,
        failed_by_error=dict(sorted(failed.items())),
        annotations=annotations,
        annotations_decided_by_rules=decided,
        requests=spending.to_send,
        requests_answered=spending.answered,
        tokens_in=spending.usage.tokens_in,
        tokens_out=spending.usage.tokens_out,
        estimated=spending.rule,
        cost_usd=None if price is None else round(price.cost_usd(spending.usage), 6),
        prices=price.source if price else NO_PRICE,
        destination=identity.endpoint or THIS_MACHINE,
    ).model_dump(mode="json")


def _tasks(reader: CompletionReader, failed: Counter[str]) -> Iterator[JudgeTask]:
    for item in reader:
        if isinstance(item, Failure):
            failed[item.error] += 1
        else:
            yield JudgeTask(item.row.id, item.annotations, item.row.completion)


def _unsure(task: JudgeTask, is_rules: bool) -> JudgeTask:
    """The task with the annotations that the rules leave to a model."""
    if is_rules:
        return task._replace(annotations=())
    reading = reading_of(task)
    rest = (one for one in task.annotations if not decide(one.statement, reading).is_safe)
    return task._replace(annotations=tuple(rest), beside=task.annotations)
