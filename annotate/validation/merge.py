"""One annotation for each fact, however often and wherever it is stated."""

from __future__ import annotations

from collections.abc import Iterable

from ...schemas.records import RejectedAnnotation, VisualAnnotation
from .facts import Fact, is_same
from .validate import Checked, Stated


def merge_facts(
    stated: Iterable[Stated], min_support: int
) -> tuple[list[VisualAnnotation], list[RejectedAnnotation]]:
    """The problem's annotations, numbered from 1, and everything that was rejected.

    Where the rules found it, the trajectory's own words speak for all, and of several the statement
    that says most; the fact's support counts the trajectories that state it.
    """
    groups: list[list[Checked]] = []
    rejected: list[RejectedAnnotation] = []
    for part in stated:
        rejected += part.rejected
        for checked in part.accepted:
            group = next((g for g in groups if all(is_one(m, checked) for m in g)), None)
            if group is None:
                groups.append([checked])
            else:
                group.append(checked)
    annotations: list[VisualAnnotation] = []
    for group in groups:
        support = len({checked.trajectory_id for checked in group})
        spokesman = max(group, key=_says)
        if support < min_support:
            rejected.append(_unsupported(spokesman))
        else:
            annotations.append(_annotation(spokesman, len(annotations) + 1, support))
    return annotations, rejected


def is_one(a: Checked, b: Checked) -> bool:
    """Whether two checked proposals are one fact: by what they say, or by where they say it.

    Two extractors that quote the same words mean the same fact when one says no more than the
    other: "the lines cross" and "the two of them cross between 2010 and 2015".
    """
    if is_same(a.fact, b.fact):
        return True
    if a.trajectory_id != b.trajectory_id or a.extractor == b.extractor:
        return False
    shared = min(a.place.end, b.place.end) - max(a.place.start, b.place.start)
    if 2 * shared < min(len(a.quote), len(b.quote)):
        return False
    return _says_no_more(a.fact, b.fact) or _says_no_more(b.fact, a.fact)


def _says_no_more(a: Fact, b: Fact) -> bool:
    # A 1 may be written `one`, which is no number: "a green one" is "1 green triangle".
    return a.numbers - {1.0} <= b.numbers and a.names <= b.names


def _says(checked: Checked) -> tuple[bool, int]:
    return checked.extractor == "rules", len(checked.fact.names) + len(checked.fact.words)


def _annotation(checked: Checked, number: int, support: int) -> VisualAnnotation:
    return VisualAnnotation(
        id=number,
        statement=checked.statement,
        kind=checked.kind,
        quote=checked.quote,
        trajectory_id=checked.trajectory_id,
        start=checked.place.start,
        end=checked.place.end,
        support=support,
        in_question=checked.in_question,
        equals_answer=checked.equals_answer,
        extractor=checked.extractor,
        prompt_hash=checked.prompt_hash,
    )


def _unsupported(checked: Checked) -> RejectedAnnotation:
    return RejectedAnnotation(
        statement=checked.statement,
        quote=checked.quote,
        trajectory_id=checked.trajectory_id,
        reason="low_support",
        extractor=checked.extractor,
    )
