"""A seeded, stratified choice of so many rows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

StratumT = TypeVar("StratumT", bound=Hashable)


class Candidate(NamedTuple):
    """One row that could be selected.

    Attributes:
        stratum: the group whose share of the selection is to be its share of the candidates.
        score: within its stratum, a candidate of a higher score is preferred.
    """

    id: str
    stratum: str
    score: float = 0.0


def select(candidates: Sequence[Candidate], size: int | None, seed: int) -> set[str]:
    """The ids of at most `size` candidates, each stratum with its share of them.

    Shares are rounded by largest remainder. Within a stratum the candidates come by their scores;
    those of equal scores in an order that depends on the seed and their ids alone, so that a set
    that grows keeps most of its selection.

    Args:
        candidates: in any order, with distinct ids.
        size: how many; None takes all.
        seed: of the order.
    """
    strata = defaultdict(list)
    for candidate in candidates:
        strata[candidate.stratum].append(candidate)
    quotas = allocate({stratum: len(members) for stratum, members in strata.items()}, size)
    return {
        chosen.id
        for stratum, members in strata.items()
        for chosen in sorted(members, key=lambda one: (-one.score, _order(one.id, seed)))[
            : quotas[stratum]
        ]
    }


def select_in_order(groups: Iterable[Sequence[Candidate]], size: int | None, seed: int) -> set[str]:
    """The ids of at most `size` candidates: of a group only what the groups before it leave.

    Args:
        groups: without a candidate in common, what is to be preferred first.
        size: how many in all; None takes all.
        seed: as in `select`, which chooses within a group.
    """
    chosen: set[str] = set()
    for group in groups:
        chosen |= select(group, None if size is None else size - len(chosen), seed)
    return chosen


def allocate(available: Mapping[StratumT, int], size: int | None) -> dict[StratumT, int]:
    """How many to take of each stratum: in proportion, `size` in all, never more than there are.

    Example:
        >>> allocate({"a": 70, "b": 20, "c": 10}, 11)
        {'a': 8, 'b': 2, 'c': 1}
    """
    total = sum(available.values())
    if size is None or size >= total:
        return dict(available)
    quotas = {stratum: count * size // total for stratum, count in available.items()}
    by_remainder = sorted(
        available, key=lambda stratum: (-(available[stratum] * size % total), str(stratum))
    )
    for stratum in by_remainder[: size - sum(quotas.values())]:
        quotas[stratum] += 1
    return quotas


def _order(id_: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{id_}".encode("utf-8", "surrogatepass")).digest()
