"""The review page's HTML: the whole page, and one row of it for the script to put in place."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from ..pages.environment import environment
from ..schemas.records import AnnotationKind
from .check import check_choice
from .decisions import Choice, Decision
from .highlight import COLOURS, Quote, highlighted
from .log import ReviewLog
from .queue import Filters, Queue
from .rows import ReviewSet
from .state import ReviewAnnotation, ReviewRow

KINDS: tuple[str, ...] = AnnotationKind.__args__  # type: ignore[attr-defined]
SORTS = {
    "all": "all rows",
    "open": "not yet reviewed",
    "done": "reviewed",
    "contradicting": "contradicting",
    "low-support": "low support",
    "rejected": "with rejected ones",
    "failed": "not judged",
    "commented": "with a comment",
}
VERDICTS = ("reflected", "absent", "contradicted")


class Shown(NamedTuple):
    """A row as the script gets it.

    Attributes:
        html: what to show in place of the last row.
        number: its place in the folder; None where the filters let no row through.
        next, previous: places of its neighbours under the filters.
    """

    html: Markup
    number: int | None
    position: int
    total: int
    next: int | None
    previous: int | None
    done: int
    of: int


class Labelled(NamedTuple):
    """An annotation with its number on the page, by which its colour goes, too."""

    label: int
    colour: int
    it: ReviewAnnotation


class ReviewPages:
    """Renders one review; holds no state but the review's own."""

    def __init__(self, rows: ReviewSet, log: ReviewLog) -> None:
        self.rows, self.log = rows, log
        self.queue = Queue(rows, log)
        self._templates = environment(__package__)

    def page(self, filters: Filters, number: int | None) -> str:
        """The whole page with the row asked for, or the first that the filters let through."""
        if number is None:
            numbers = self.queue.numbers(filters)
            number = numbers[0] if numbers else None
        return self._templates.get_template("page.html.j2").render(
            name=self.rows.name,
            stage=self.rows.stage,
            who=self.log.who,
            filters=filters,
            kinds=self.queue.kinds,
            buckets=self.queue.buckets,
            sorts={sort: words for sort, words in SORTS.items() if self._occurs(sort)},
            verdicts=VERDICTS if self.rows.stage == "judge" else (),
            shown=self.shown(filters, number),
            all_kinds=KINDS,
        )

    def shown(self, filters: Filters, number: int | None) -> Shown:
        """One row as it stands now.

        Raises:
            IndexError: there is no such row.
        """
        done, total = len(self.log.rows_with("done")), self.rows.total
        if number is None:
            html = Markup(self._templates.get_template("empty.html.j2").render())
            return Shown(html, None, 0, 0, None, None, done, total)
        row = self.rows.row(number, self.log)
        place = self.queue.neighbours(number, filters)
        return Shown(
            Markup(self._row(row)),
            number,
            place.position,
            place.total,
            place.next,
            place.previous,
            done,
            total,
        )

    def decide(self, number: int, choice: Choice) -> Decision:
        """The decision, saved.

        Raises:
            IndexError: there is no such row.
            UsageError: it cannot be applied to the row, or not be saved.
        """
        row = self.rows.row(number, self.log)
        check_choice(choice, row, self.log)
        return self.log.append(choice)

    def _row(self, row: ReviewRow) -> str:
        labelled = [
            Labelled(label, (label - 1) % COLOURS + 1, one)
            for label, one in enumerate(row.annotations, 1)
        ]
        counting = self.log.counting(row.id)
        return self._templates.get_template("row.html.j2").render(
            row=row,
            is_judged=self.rows.stage == "judge",
            texts=[
                (text, highlighted(text.text, _quotes(text.id, labelled))) for text in row.texts
            ],
            present=[one for one in labelled if one.it.origin != "rejected"],
            rejected=[one for one in labelled if one.it.origin == "rejected"],
            why=self.queue.why(row.number),
            version=self.log.version(row.id),
            last=counting[-1] if counting else None,
            verdicts=VERDICTS,
            facts=_facts(row),
        )

    def _occurs(self, sort: str) -> bool:
        return sort in ("all", "open", "done", "commented") or self.queue.has(sort)


def _quotes(text_id: str, labelled: list[Labelled]) -> list[Quote]:
    return [
        Quote(one.it.key, one.label, one.it.start, one.it.end, one.it.is_in)
        for one in labelled
        if one.it.text_id == text_id and one.it.start is not None and one.it.end is not None
    ]


def _facts(row: ReviewRow) -> list[tuple[str, Any]]:
    """What else is known of the row, in words."""
    facts: list[tuple[str, Any]] = []
    if row.bucket:
        facts.append(("bucket", row.bucket))
    if row.paired is not None:
        solved = ", ".join(
            f"{condition} {row.paired.solved[condition]} of {tried}"
            for condition, tried in row.paired.tried.items()
            if tried
        )
        facts.append(("solved", solved))
    if row.reward is not None:
        parts = row.reward.model_dump(exclude_none=True)
        facts.append(("reward", ", ".join(f"{name} {value}" for name, value in parts.items())))
    facts += [("source", row.source)] if row.source else []
    facts += [("license", row.license)] if row.license else []
    return facts
