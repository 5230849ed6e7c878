"""What in each row of a set needs a person, counted over whole columns.

Counts are arrays over the rows of the set. Nothing is read row by row but the few statements that
may contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .claims import contradictions
from .rows import ReviewSet

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HURTING = "annotations-hurt"
DOUBTFUL = ("unclear", "low_support")
EACH = "list.element"
_ANNOTATION = ("kind", "statement", "support", "trajectory_id")
# What two statements may differ in that give one thing different numbers: markup, numbers with
# their units, wording.
_LEFT_OUT = (
    r"\bm\s*(?:∠|\\angle\b)|\\[a-z]+|[∠°^$\\{}]",
    r"-?\d[\d,.]*\s*(?:degrees?\b|%|percent\b|[mck]?m\b|units?\b|inch(?:es)?\b|feet\b|[€£])?",
    r"\b(?:is|are|there|the|measures|equals|costs|shows|reads|long|wide|high|tall|zero|one|two|three"
    r"|four|five|six|seven|eight|nine|ten|eleven|twelve)\b|[\s=.,;:()*]",
)


class Findings(NamedTuple):
    """What the columns say.

    Attributes:
        levels: sort of fault -> how many, the gravest first: a row with one of the first sort
            goes before all rows without, however many of the others they have.
        kinds, buckets, verdicts: value -> the rows in which it occurs.
        contradictory: row -> the groups of its statements that contradict each other.
    """

    levels: dict[str, Counts]
    kinds: dict[str, Mask]
    buckets: dict[str, Mask]
    verdicts: dict[str, Mask]
    contradictory: dict[int, list[tuple[str, ...]]]


def find(rows: ReviewSet) -> Findings:
    """What needs a person in each row of the set."""
    found = _Finder(rows)
    {"annotate": found.annotate, "filter": found.filter, "judge": found.judge}[rows.stage]()
    return Findings(
        levels=found.levels,
        kinds=dict(found.kinds),
        buckets=dict(found.buckets),
        verdicts=dict(found.verdicts),
        contradictory=found.contradictory,
    )


class Elements(NamedTuple):
    """The elements of a list column: the row of each, and its fields."""

    rows: Counts
    fields: dict[str, pa.Array]


class _Finder:
    """Findings while they are being made."""

    def __init__(self, rows: ReviewSet) -> None:
        self._rows = rows
        self.levels: dict[str, Counts] = {}
        self.kinds: dict[str, Mask] = defaultdict(self._nowhere)
        self.buckets: dict[str, Mask] = defaultdict(self._nowhere)
        self.verdicts: dict[str, Mask] = defaultdict(self._nowhere)
        self.contradictory: dict[int, list[tuple[str, ...]]] = {}

    def annotate(self) -> None:
        """Contradictions, then facts that one of several trajectories states, then doubts."""
        correct, low, doubtful, rejected = (self._none() for _ in range(4))
        asked = [f"annotations.{EACH}.{name}" for name in _ANNOTATION]
        asked += [f"trajectories.{EACH}.is_correct", f"rejected.{EACH}.reason"]
        for first, table in self._rows.pieces(asked):
            texts = elements(table["trajectories"], first)
            right = _mask(texts.fields["is_correct"])
            correct += self._counted(texts.rows[right])
            facts = elements(table["annotations"], first)
            lone = _mask(pc.equal(facts.fields["support"], 1))
            low += self._counted(facts.rows[lone & (correct[facts.rows] > 1)])
            proposals = elements(table["rejected"], first)
            rejected += self._counted(proposals.rows)
            is_doubtful = _mask(pc.is_in(proposals.fields["reason"], pa.array(DOUBTFUL)))
            doubtful += self._counted(proposals.rows[is_doubtful])
            self._note_kinds(facts)
            self._note_contradictions(facts)
        self.levels = {
            "contradicting": self._contradictions(),
            "low-support": low,
            "doubtful": doubtful,
            "rejected": rejected,
        }

    def filter(self) -> None:
        """Annotations that hurt, then contradictions."""
        asked = [f"annotations.{EACH}.{name}" for name in ("kind", "statement")]
        for first, table in self._rows.pieces([*asked, "bucket"]):
            facts = elements(table["annotations"], first)
            self._note_kinds(facts)
            self._note_contradictions(facts)
            buckets = table["bucket"].combine_chunks()
            self._note(self.buckets, buckets, np.arange(first, first + len(buckets)))
        hurting = self.buckets[HURTING] if HURTING in self.buckets else self._nowhere()
        self.levels = {
            HURTING: hurting.astype(np.int64),
            "contradicting": self._contradictions(),
        }

    def judge(self) -> None:
        """What was not judged and what was contradicted, then what is absent."""
        failed = self._none()
        words = {word: self._none() for word in ("contradicted", "absent")}
        asked = [f"annotations.{EACH}.kind", f"judgement.verdicts.{EACH}.verdict"]
        for first, table in self._rows.pieces(asked):
            self._note_kinds(elements(table["annotations"], first))
            verdicts = pc.struct_field(table["judgement"].combine_chunks(), "verdicts")
            failed += self._counted(np.flatnonzero(_mask(pc.is_null(verdicts))) + first)
            said = elements(verdicts, first)
            self._note(self.verdicts, said.fields["verdict"], said.rows)
            for word, counts in words.items():
                is_word = _mask(pc.equal(said.fields["verdict"], word))
                counts += self._counted(said.rows[is_word])
        self.levels = {"failed": failed, **words}

    def _note_kinds(self, facts: Elements) -> None:
        self._note(self.kinds, facts.fields["kind"], facts.rows)

    def _note(self, masks: dict[str, Mask], values: pa.Array, rows: Counts) -> None:
        for value in pc.unique(values).drop_null().to_pylist():
            masks[value][rows[_mask(pc.equal(values, value))]] = True

    def _note_contradictions(self, facts: Elements) -> None:
        for row, stated in _alike(facts):
            if groups := contradictions(stated):
                self.contradictory[row] = groups

    def _contradictions(self) -> Counts:
        counts = self._none()
        for row, groups in self.contradictory.items():
            counts[row] = len(groups)
        return counts

    def _counted(self, rows: Counts) -> Counts:
        return np.bincount(rows, minlength=self._rows.total)

    def _none(self) -> Counts:
        return np.zeros(self._rows.total, dtype=np.int64)

    def _nowhere(self) -> Mask:
        return np.zeros(self._rows.total, dtype=np.bool_)


def _alike(facts: Elements) -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    """The rows in which statements differ in a number and little else, with those statements."""
    statements = facts.fields["statement"]
    bare = pc.utf8_lower(statements)
    for form in _LEFT_OUT:
        bare = pc.replace_substring_regex(bare, form, " ")
    bare = bare.dictionary_encode()
    # Sorted letters, for a segment and an angle may be read from either end.
    letters = {
        name: "".join(sorted((name or "").replace(" ", ""))) for name in bare.dictionary.to_pylist()
    }
    places = {name: place for place, name in enumerate(dict.fromkeys(letters.values()))}
    names = np.array([places[name] for name in letters.values()], dtype=np.int64)
    if not len(names):
        return
    keys = facts.rows * len(places) + names[np.asarray(bare.indices.fill_null(0))]
    order = np.argsort(keys, kind="stable")
    is_like_next = keys[order][:-1] == keys[order][1:]
    is_alike = np.zeros(len(keys), dtype=np.bool_)
    is_alike[order[:-1][is_like_next]] = is_alike[order[1:][is_like_next]] = True
    chosen = np.flatnonzero(is_alike)
    picked = statements.take(pa.array(chosen)).to_pylist()
    trajectories: list[Any] = [None] * len(chosen)
    if "trajectory_id" in facts.fields:
        trajectories = facts.fields["trajectory_id"].take(pa.array(chosen)).to_pylist()
    stated: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    for row, statement, trajectory in zip(
        facts.rows[chosen].tolist(), picked, trajectories, strict=True
    ):
        stated[row].append((statement or "", trajectory))
    yield from stated.items()


def elements(column: pa.Array | pa.ChunkedArray, first: int) -> Elements:
    """The elements of a list of structs, with the rows counted from `first`."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    parents = np.asarray(pc.list_parent_indices(column), dtype=np.int64)
    elements = pc.list_flatten(column)
    fields = {field.name: pc.struct_field(elements, field.name) for field in elements.type}
    return Elements(parents + first, fields)


def _mask(values: pa.Array) -> Mask:
    return np.asarray(values.fill_null(False), dtype=np.bool_)
