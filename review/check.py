"""Is this decision possible for this row? Asked before anything is written."""

from __future__ import annotations

from ..schemas.errors import UsageError
from .decisions import Choice
from .log import ReviewLog
from .state import ReviewAnnotation, ReviewRow

VERDICT_NEEDS = "Give one of reflected, absent, contradicted."
ON_JUDGED = frozenset({"accept", "verdict", "comment", "done", "undo"})
ON_BROKEN = frozenset({"comment", "done", "undo"})
_TAKES = {
    "accept": {"target"},
    "reject": {"target"},
    "edit": {"target", "statement", "kind"},
    "add": {"statement", "kind", "trajectory_id", "start", "end"},
    "verdict": {"target", "verdict"},
    "comment": {"text"},
    "done": set(),
    "undo": {"undoes"},
}
"""What each action says beside the row."""


def check_choice(choice: Choice, row: ReviewRow, log: ReviewLog) -> None:
    """Refuse what cannot be applied to the row as it stands.

    Raises:
        UsageError: no such annotation, no words, words outside the text, nothing to undo, or an
            action that this row, or this sort of row, does not take.
    """
    if choice.row != row.id:
        raise UsageError(f"row {row.number} is {row.id!r}, not {choice.row!r}. Load the page anew.")
    _check_action(choice, row)
    match choice.action:
        case "accept" | "reject" | "edit" | "verdict":
            _check_target(choice, row)
        case "add":
            _check_words(choice.statement)
            _check_place(choice, row)
        case "undo" if choice.undoes not in {one.number for one in log.counting(row.id)}:
            raise UsageError(f"decision {choice.undoes} of {row.id!r} does not count any more.")


def _check_action(choice: Choice, row: ReviewRow) -> None:
    if row.broken is not None and choice.action not in ON_BROKEN:
        raise UsageError(f"{row.id!r} cannot be read, so nothing in it can be decided on.")
    if row.reward is not None and choice.action not in ON_JUDGED:
        raise UsageError("a judged completion takes verdicts; its annotations stay as they are.")
    if row.reward is None and choice.action == "verdict":
        raise UsageError("verdicts are for what `pr1 judge` made. Accept or reject instead.")
    given = {name for name in choice.model_fields_set if getattr(choice, name) is not None}
    if more := given - {"row", "action"} - _TAKES[choice.action]:
        raise UsageError(f"{choice.action!r} takes no {sorted(more)[0]!r}. Load the page anew.")


def _check_target(choice: Choice, row: ReviewRow) -> None:
    target = next((one for one in row.annotations if one.key == choice.target), None)
    if target is None:
        raise UsageError(f"{row.id!r} has no annotation {choice.target!r}. Load the row anew.")
    if choice.action == "edit":
        _check_edit(choice)
    elif choice.action == "accept":
        _check_accepted(target, row)
    elif choice.action == "verdict" and choice.verdict is None:
        raise UsageError(f"the verdict is missing. {VERDICT_NEEDS}")


def _check_edit(choice: Choice) -> None:
    if choice.kind is None or choice.statement is not None:
        _check_words(choice.statement)


def _check_accepted(target: ReviewAnnotation, row: ReviewRow) -> None:
    if row.reward is not None and target.verdict is None:
        raise UsageError(f"there is no verdict to accept. {VERDICT_NEEDS}")
    if target.reason == "not_extracted" and target.was is None:
        raise UsageError("this says why a trajectory was not read, and is no annotation. Edit it.")
    _check_words(target.statement)


def _check_words(statement: str | None) -> None:
    if not (statement or "").strip():
        raise UsageError("an annotation needs words. Write the fact, or press Escape.")


def _check_place(choice: Choice, row: ReviewRow) -> None:
    place = (choice.trajectory_id, choice.start, choice.end)
    if place == (None, None, None):
        return
    text = next((text.text for text in row.texts if text.id == choice.trajectory_id), None)
    if text is None or choice.start is None or choice.end is None:
        raise UsageError(f"{row.id!r} has no text {choice.trajectory_id!r}. Load the row anew.")
    if not choice.start < choice.end <= len(text):
        raise UsageError("the selected words lie outside the text. Select them again.")
