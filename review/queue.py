"""Which rows to look at, and in which order: what needs a person most comes first.

Only light columns are read, whole and vectorised; texts are read when somebody searches. The order
is made once, so that it does not move under a person's hands.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, cast

import numpy as np
import pyarrow.compute as pc

from ..schemas.outcomes import VerdictWord
from ..schemas.records import AnnotationKind, Record
from .log import ReviewLog
from .need import EACH, HURTING, Mask, elements, find
from .rows import ReviewSet

Only = Literal[
    "all", "open", "done", "rejected", "low-support", "contradicting", "commented", "failed"
]
_WORDS = {
    HURTING: "the policy answers worse with the annotations",
    "contradicting": "contradictory: {said}",
    "low-support": "{count} stated by one trajectory alone",
    "doubtful": "{count} rejected as unclear or for lack of support",
    "failed": "not judged",
    "contradicted": "{count} contradicted",
    "absent": "{count} absent",
}
_SEARCHED = (
    *("id", "question", "answer", "completion"),
    *(f"annotations.{EACH}.statement", f"rejected.{EACH}.statement", f"trajectories.{EACH}.text"),
)


class Filters(Record):
    """What the page asks for.

    Attributes:
        only: rows of one sort.
        search: words in id, question, statements or texts; case does not matter.
        verdict: judged rows with at least one of these.
        order: what needs a person most first, or as in the folder.
    """

    only: Only = "all"
    kind: AnnotationKind | None = None
    bucket: str | None = None
    verdict: VerdictWord | None = None
    search: str = ""
    order: Literal["need", "file"] = "need"


class Neighbours(NamedTuple):
    """Where a row stands among those that the filters let through.

    Attributes:
        position: from 1; 0 where the row itself is not among them (any more).
        total: how many there are.
        previous, next: places of the rows before and after it in the order, or None.
    """

    position: int
    total: int
    previous: int | None
    next: int | None


class Queue:
    """The rows of a set in the order of need, and their filters.

    Attributes:
        kinds, buckets: those that occur, most frequent first.
        places: id -> the row's number.
    """

    def __init__(self, rows: ReviewSet, log: ReviewLog) -> None:
        self._rows, self._log = rows, log
        self._found = find(rows)
        self.places = {id_: number for number, id_ in enumerate(rows.ids)}
        # What a wrong row costs decides the order, and no number of small doubts outweighs a grave
        # one. Annotations that hurt were seen to mislead the policy; of two trajectories that
        # contradict each other one misreads the picture; a fact that one of several trajectories
        # states may be its invention; a rejected one is at worst a fact too few. Of verdicts, a
        # missing one costs the whole reward, and a contradiction more than an absence.
        levels = [-counts for counts in self._found.levels.values()]
        self._order = np.lexsort(levels[::-1]) if levels else np.arange(rows.total)
        self._rank = np.argsort(self._order)
        self.kinds = _most_frequent(self._found.kinds)
        self.buckets = _most_frequent(self._found.buckets)
        self._searched = lru_cache(maxsize=16)(self._search)

    def numbers(self, filters: Filters) -> Sequence[int]:
        """The numbers of the rows that the filters let through, in order."""
        order = self._order if filters.order == "need" else np.arange(self._rows.total)
        kept = self._kept(filters)
        return cast(list[int], order[kept[order]].tolist())

    def has(self, only: str) -> bool:
        """Whether any row is of this sort, one that the stage's output decides."""
        return only in self._found.levels and bool(self._found.levels[only].any())

    def neighbours(self, number: int, filters: Filters) -> Neighbours:
        """Where the row stands: by its rank, since it may have left the filter just now."""
        numbers = self.numbers(filters)
        rank = self._rank.item if filters.order == "need" else int
        at = bisect_left(numbers, rank(number), key=rank)
        is_there = at < len(numbers) and numbers[at] == number
        after = at + 1 if is_there else at
        return Neighbours(
            position=at + 1 if is_there else 0,
            total=len(numbers),
            previous=numbers[at - 1] if at else None,
            next=numbers[after] if after < len(numbers) else None,
        )

    def why(self, number: int) -> list[str]:
        """Why the row needs a person, in words, the gravest first."""
        found = self._found
        counts = {sort: int(level[number]) for sort, level in found.levels.items()}
        return [
            _WORDS[sort].format(
                count=count,
                said="; ".join(
                    " against ".join(group) for group in found.contradictory.get(number, ())
                ),
            )
            for sort, count in counts.items()
            if count and sort in _WORDS
        ]

    def _kept(self, filters: Filters) -> Mask:
        found, nowhere = self._found, np.zeros(self._rows.total, dtype=np.bool_)
        kept = ~nowhere
        if filters.kind is not None:
            kept &= found.kinds.get(filters.kind, nowhere)
        if filters.bucket is not None:
            kept &= found.buckets.get(filters.bucket, nowhere)
        if filters.verdict is not None:
            kept &= found.verdicts.get(filters.verdict, nowhere)
        if filters.only != "all":
            kept &= self._of_sort(filters.only)
        if words := filters.search.strip():
            kept &= self._searched(words) | self._decided_with(words)
        return kept

    def _of_sort(self, only: Only) -> Mask:
        if only in ("open", "done"):
            done = self._mask_of(self._log.rows_with("done"))
            return done if only == "done" else ~done
        if only == "commented":
            return self._mask_of(self._log.rows_with("comment"))
        return self._found.levels.get(only, np.zeros(self._rows.total)) > 0

    def _mask_of(self, ids: Iterable[str]) -> Mask:
        mask = np.zeros(self._rows.total, dtype=np.bool_)
        mask[[self.places[id_] for id_ in ids if id_ in self.places]] = True
        return mask

    def _decided_with(self, words: str) -> Mask:
        """The rows in whose decisions somebody wrote the words."""
        folded = words.casefold()
        return self._mask_of(
            id_
            for action in ("edit", "add", "comment")
            for id_ in self._log.rows_with(action)
            if any(
                folded in f"{one.statement or ''}\n{one.text or ''}".casefold()
                for one in self._log.counting(id_)
            )
        )

    def _search(self, words: str) -> Mask:
        mask = np.zeros(self._rows.total, dtype=np.bool_)
        for path in (path for path in _SEARCHED if path.partition(".")[0] in self._rows.columns):
            name, _, field = path.partition(f".{EACH}.")
            for first, table in self._rows.pieces([path]):
                column = table[name].combine_chunks()
                rows = np.arange(first, first + len(column))
                if field:
                    rows, fields = elements(column, first)
                    column = fields[field]
                hits = pc.match_substring(column, words, ignore_case=True)
                mask[rows[np.asarray(hits.fill_null(False), dtype=np.bool_)]] = True
        return mask


def _most_frequent(masks: dict[str, Mask]) -> list[str]:
    return sorted(masks, key=lambda name: (-int(masks[name].sum()), name))
