"""What `--dry-run` prints for `collect` and `annotate`: what would be sent, how much, and to whom.

The source is read in full, so that its bad records are counted as the run would count them. No
request is sent and no key is needed. What a response store already holds is not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..llm.models import model_identity
from ..schemas.config import AnnotateConfig, CollectConfig, ModelConfig
from ..schemas.manifest import Dropped, Failure
from ..schemas.records import Record
from .collect import check_can_see
from .estimate import RULE, picture_tokens, request_text_tokens, text_tokens
from .extraction.extractor import Extractor
from .reading import ReadingTally, open_reading
from .sample_requests import instructions, problem_text
from .source.problems import ProblemGroup, ProblemReader

THIS_MACHINE = "this machine"


class TokenEstimate(Record):
    """How many tokens a run would take, roughly.

    Attributes:
        tokens_in: of all prompts, pictures included.
        tokens_in_pictures: of those, what the pictures take.
        tokens_out_at_most: of all answers, were each as long as it may be; most are far shorter.
        rule: how this was estimated.
    """

    tokens_in: int
    tokens_in_pictures: int = 0
    tokens_out_at_most: int
    rule: str = RULE


class Plan(Record):
    """What a run would do.

    Attributes:
        config: the resolved configuration.
        records_read: input records.
        problems: that would be worked on.
        dropped_by_reason, failed_by_error: input records that would not be, told apart.
        requests: to the model, were none answered yet.
        cost: in US dollars; always `unknown` so far, for there is no table of prices.
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
    estimate: TokenEstimate
    cost: str
    destination: str
    pictures_sent_to: str


def plan_collect(config: CollectConfig) -> dict[str, Any]:
    """What `collect` would do: the fields of `Plan`, as JSON values.

    Raises:
        UsageError: the source or the model cannot be used as given.
    """
    check_can_see(config.model)
    destination = _destination(config.model)
    reading = _Reading(ProblemReader(config.source, needs_trajectory=False, limit=config.limit))
    pictures = in_texts = in_pictures = 0
    for group in reading:
        problem = group.problem
        pictures += len(problem.images)
        in_texts += text_tokens(instructions()) + text_tokens(problem_text(problem))
        in_pictures += sum(picture_tokens(image, config.max_pixels) for image in problem.images)
    problems, samples = reading.problems, config.samples
    return Plan(
        command="collect",
        config=config.model_dump(mode="json"),
        **reading.counts(),
        requests=problems * samples,
        estimate=TokenEstimate(
            tokens_in=(in_texts + in_pictures) * samples,
            tokens_in_pictures=in_pictures * samples,
            tokens_out_at_most=problems * samples * config.max_tokens,
        ),
        cost="unknown",
        destination=destination,
        pictures_sent_to=f"{destination}: {pictures} pictures of {problems} problems, each "
        f"{samples} times",
    ).model_dump(mode="json")


def plan_annotate(config: AnnotateConfig) -> dict[str, Any]:
    """What `annotate` would do: the fields of `Plan`, as JSON values.

    The answers of the trajectories are checked, since only the correct ones are sent.

    Raises:
        UsageError: the source or the model cannot be used as given.
    """
    extractor = Extractor(config.model)
    destination = _destination(config.model) if extractor.uses_model else THIS_MACHINE
    reading = _Reading(ProblemReader(config.source, needs_trajectory=True, limit=config.limit))
    requests = tokens_in = tokens_out = 0
    for group in reading:
        opened = open_reading(group, config, extractor, ReadingTally())
        if isinstance(opened, Dropped):
            reading.leave_out(opened)
            continue
        requests += len(opened.requests)
        tokens_in += sum(map(request_text_tokens, opened.requests))
        tokens_out += sum(request.max_tokens for request in opened.requests)
    return Plan(
        command="annotate",
        config=config.model_dump(mode="json"),
        **reading.counts(),
        requests=requests,
        estimate=TokenEstimate(tokens_in=tokens_in, tokens_out_at_most=tokens_out),
        cost="unknown",
        destination=destination,
        pictures_sent_to="nobody: annotate sends text only",
    ).model_dump(mode="json")


class _Reading:
    """A pass over the problems of a source that counts what is left out."""

    def __init__(self, reader: ProblemReader) -> None:
        self.problems = 0
        self._reader = reader
        self._dropped: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def __iter__(self) -> Iterator[ProblemGroup]:
        for item in self._reader:
            if isinstance(item, ProblemGroup):
                self.problems += 1
                yield item
            else:
                self._count(item)

    def leave_out(self, dropped: Dropped | Failure) -> None:
        """Take back the problem that was yielded last."""
        self.problems -= 1
        self._count(dropped)

    def counts(self) -> dict[str, Any]:
        """The fields of a plan that tell of the source."""
        return {
            "records_read": self._reader.read,
            "problems": self.problems,
            "dropped_by_reason": dict(sorted(self._dropped.items())),
            "failed_by_error": dict(sorted(self._failed.items())),
        }

    def _count(self, item: Dropped | Failure) -> None:
        if isinstance(item, Dropped):
            self._dropped[item.reason] += item.records
        else:
            self._failed[item.error] += item.records


def _destination(model: ModelConfig) -> str:
    return model_identity(model).endpoint or THIS_MACHINE
