"""An example as the page shows it, whatever stage its row is of."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..schemas.outcomes import JudgedRow
from ..schemas.records import AnnotatedProblem, Row, TrainRow, Trajectory
from .examples import Shelf
from .thumbnail import Thumbnail, thumbnail

MOST_CHARACTERS = 900
MOST_FACTS = 12
MOST_TEXTS = 2

Tone = Literal["good", "bad", "plain"]
_TONES: dict[str, Tone] = {"reflected": "good", "contradicted": "bad"}


class Fact(NamedTuple):
    """An annotation with what became of it."""

    statement: str
    mark: str
    tone: Tone


class Text(NamedTuple):
    """A trajectory or a completion; `label` says whose and how it ended."""

    label: str
    text: str


class Example(NamedTuple):
    """A row.

    Attributes:
        pictures: how many it has; the first is shown.
        more_facts: how many are not among `facts`.
    """

    id: str
    question: str
    choices: list[str]
    answer: str
    picture: Thumbnail | None
    pictures: int
    facts: list[Fact]
    more_facts: int
    texts: list[Text]
    note: str


class Examples(NamedTuple):
    """The rows of one shelf."""

    title: str
    rule: str
    rows: list[Example]


def examples(shelf: Shelf) -> Examples:
    """The shelf's rows, ready for the page."""
    return Examples(shelf.title, shelf.rule, [_example(row, shelf.is_bad) for row in shelf.rows])


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, cut at `most` characters; a cut is marked."""
    return text if len(text) <= most else text[:most] + " …"


def _example(row: Row, is_bad: bool) -> Example:
    if isinstance(row, AnnotatedProblem):
        facts = [Fact(one.statement, one.kind, "plain") for one in row.annotations]
        if len(row.trajectories) > 1:
            count = len(row.trajectories)
            facts = [
                Fact(one.statement, f"{one.kind}, {one.support} of {count}", "good")
                for one in row.annotations
            ]
        rejected = [
            Fact(one.statement or one.quote, f"rejected: {one.reason}", "bad")
            for one in row.rejected
        ]
        texts = [_trajectory(one) for one in row.trajectories[:MOST_TEXTS]]
        hidden = len(row.trajectories) - len(texts)
        note = f"{hidden:,} more trajectories are in the row." if hidden else ""
        shown = rejected + facts if is_bad else facts + rejected
        return _of_problem(row, shown, texts, note)
    if isinstance(row, TrainRow):
        facts = [Fact(one.statement, one.kind, "plain") for one in row.annotations]
        return _of_problem(row, facts, [], _found(row))
    assert isinstance(row, JudgedRow)
    words = {one.annotation_id: one.verdict for one in row.judgement.verdicts or []}
    facts = [
        Fact(one.statement, word, _TONES.get(word, "plain"))
        for one in row.annotations
        for word in (words.get(one.id, "no verdict"),)
    ]
    return Example(
        id=row.id,
        question=shortened(row.question),
        choices=row.choices or [],
        answer=row.answer,
        picture=None,
        pictures=0,
        facts=_first(facts),
        more_facts=len(facts) - len(_first(facts)),
        texts=[Text("Completion", shortened(row.completion))],
        note=_scores(row),
    )


def _of_problem(
    row: AnnotatedProblem | TrainRow, facts: list[Fact], texts: list[Text], note: str
) -> Example:
    return Example(
        id=row.id,
        question=shortened(row.question),
        choices=row.choices or [],
        answer=row.answer,
        picture=thumbnail(row.images[0]) if row.images else None,
        pictures=len(row.images),
        facts=_first(facts),
        more_facts=len(facts) - len(_first(facts)),
        texts=texts,
        note=note,
    )


def _first(facts: list[Fact]) -> list[Fact]:
    return [fact._replace(statement=shortened(fact.statement, 300)) for fact in facts[:MOST_FACTS]]


def _trajectory(one: Trajectory) -> Text:
    ended = {True: "right", False: "wrong", None: "not compared"}[one.is_correct]
    by = f" ({one.model})" if one.model else ""
    return Text(f"Trajectory{by}: answer {ended}", shortened(one.text))


def _found(row: TrainRow) -> str:
    """What the paired pass found for the row; empty where it has not run."""
    if row.paired is None:
        return ""
    rates = ", ".join(
        f"{condition} {solved} of {row.paired.tried[condition]}"
        for condition, solved in row.paired.solved.items()
    )
    found = f"{row.bucket}: solved under {rates}"
    if row.paired.effect is not None:
        found += f"; on fresh rollouts b over a {row.paired.effect:+.2f}"
        if row.paired.effect_ci is not None:
            low, high = row.paired.effect_ci
            found += f" [{low:+.2f}, {high:+.2f}]"
    return found if row.paired.q_value is None else f"{found}; q = {row.paired.q_value:.2g}"


def _scores(row: JudgedRow) -> str:
    parts = {"format": row.reward.format, "accuracy": row.reward.accuracy}
    parts["visual"] = row.reward.visual
    shown = ", ".join(
        f"{name} {'not scored' if score is None else f'{score:.2g}'}"
        for name, score in parts.items()
    )
    failure = row.judgement.failure
    return shown if failure is None else f"{shown}; the judge failed: {failure.reason}"
