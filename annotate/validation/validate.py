"""From proposals to checked facts: the words are found, the guide's rules are applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...notation import PlainText, Span, to_plain
from ...schemas.records import (
    AnnotationKind,
    Problem,
    RejectedAnnotation,
    RejectionReason,
    Trajectory,
)
from ..extraction.proposal import Proposal
from .answered import is_the_answer
from .checks import Reading
from .facts import Fact, read_fact
from .quotes import QuotedText


class Checked(NamedTuple):
    """A proposal that passed.

    Attributes:
        place: of the quote in the trajectory's own text.
    """

    statement: str
    kind: AnnotationKind
    fact: Fact
    trajectory_id: str
    quote: str
    place: Span
    in_question: bool
    equals_answer: bool
    extractor: str
    prompt_hash: str | None


class Stated(NamedTuple):
    """What one trajectory states, and what was proposed in vain."""

    accepted: list[Checked]
    rejected: list[RejectedAnnotation]


def validate(
    proposals: Iterable[Proposal], trajectory: Trajectory, text: PlainText, problem: Problem
) -> Stated:
    """The proposals that are visual annotations of the trajectory, and the others with reasons.

    Args:
        proposals: what extractors proposed.
        trajectory: what they read.
        text: its text in plain spelling.
        problem: what the trajectory is about.
    """
    reading = Reading(text.text, problem)
    quoted = QuotedText(text.text)
    stated = Stated([], [])
    for proposed in proposals:
        proposal = proposed._replace(statement=to_plain(proposed.statement).text.strip())
        span = quoted.find(proposal.quote, proposal.start)
        if span is None:
            stated.rejected.append(_rejected(proposal, trajectory, "quote_not_found"))
            continue
        reason = reading.reason_against(proposal.statement, *span)
        if proposal.start is None and not reading.is_stated(proposal.statement, *span):
            reason = reason or "not_stated"
        if reason is not None:
            stated.rejected.append(_rejected(proposal, trajectory, reason))
            continue
        place = text.source_span(*span)
        fact = read_fact(proposal.statement)
        stated.accepted.append(
            Checked(
                statement=proposal.statement,
                kind=proposal.kind,
                fact=fact,
                trajectory_id=trajectory.id,
                quote=trajectory.text[slice(*place)],
                place=place,
                in_question=reading.is_in_question(fact),
                equals_answer=is_the_answer(proposal.statement, fact, problem),
                extractor=proposal.extractor,
                prompt_hash=proposal.prompt_hash,
            )
        )
    return stated


def _rejected(
    proposal: Proposal, trajectory: Trajectory, reason: RejectionReason
) -> RejectedAnnotation:
    return RejectedAnnotation(
        statement=proposal.statement,
        quote=proposal.quote,
        trajectory_id=trajectory.id,
        reason=reason,
        extractor=proposal.extractor,
    )
