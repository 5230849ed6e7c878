"""The review file, as it is written: each decision is on the disk before the page shows it.

Nothing is overwritten: an undo is a decision, too. What a kill left of a line is cut off when the
file is opened, and what a full disk took of one at once.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

from filelock import FileLock, Timeout
from pydantic_core import PydanticSerializationError

from ..schemas.errors import NotSaved, UsageError
from .decisions import Action, Choice, Decision
from .file import header_of, line_of, parsed_review, review_path

LONGEST_NAME = 100


class ReviewLog:
    """The decisions on one folder, open for more; use it in a `with` block.

    One process has it, with as many threads as it likes.

    Attributes:
        path: of the file.
        who: decides from now on.
        cut_off: bytes of half a line that were found at its end.
    """

    def __init__(self, folder: Path, who: str) -> None:
        """Lock and read the file, or begin it.

        Args:
            folder: the finished folder that is reviewed.
            who: the reviewer's name, written beside each decision.

        Raises:
            UsageError: `who` is no name; another process has the file open; it is another folder's;
                a line is damaged; it cannot be written.
        """
        self.path = review_path(folder)
        self.who = _reviewer(who)
        self._by_row: dict[str, list[Decision]] = defaultdict(list)
        self._rows_with: dict[Action, set[str]] = {action: set() for action in get_args(Action)}
        self._last_number = 0
        self._undone: set[int] = set()
        self._versions: dict[str, int] = {}
        self._mutex = threading.RLock()
        header = header_of(folder)
        with ExitStack() as held:
            try:
                lock = self.path.with_name(f".{self.path.name}.lock")
                held.enter_context(FileLock(lock, timeout=0))
                review = parsed_review(self.path, header)
                self._file = held.enter_context(self.path.open("ab", buffering=0))
                self._length, self.cut_off = len(review.content), review.cut_off
                if self.cut_off:
                    os.ftruncate(self._file.fileno(), self._length)
                if not self._length:
                    self._write(line_of(header))
                    _keep_name(self.path)
            except Timeout as error:
                raise UsageError(
                    f"{self.path} is open in another `pr1 review`. Use that one: "
                    "several browser windows may share it."
                ) from error
            except OSError as error:
                raise UsageError(
                    f"{self.path} cannot be written ({error.strerror}). The review lies beside its "
                    "folder: copy the folder to where you may write, or make room."
                ) from error
            for decision in review.decisions:
                self._note(decision)
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._held.close()

    def __len__(self) -> int:
        """How many decisions there are, undone ones and undos included."""
        return self._last_number

    def append(self, choice: Choice) -> Decision:
        """The decision, after it reached the disk. `check_choice` says beforehand what is possible.

        Raises:
            UsageError: a text holds half a character, which no file can hold.
            NotSaved: the disk took it not.
        """
        with self._mutex:
            decision = Decision(
                **choice.model_dump(),
                number=len(self) + 1,
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                who=self.who,
            )
            try:
                line = line_of(decision)
            except PydanticSerializationError as error:
                raise UsageError(
                    "a text holds half a character (an unpaired surrogate). Type it anew."
                ) from error
            self._write(line)
            self._note(decision)
            return decision

    def counting(self, row: str) -> list[Decision]:
        """A row's decisions that were not undone, in order."""
        with self._mutex:
            return [one for one in self._by_row.get(row, ()) if one.number not in self._undone]

    def version(self, row: str) -> int:
        """The number of the row's last decision, undos included; 0 where there is none."""
        return self._versions.get(row, 0)

    def rows_with(self, action: Action) -> set[str]:
        """Ids of the rows on which such a decision counts; an emptied comment does not."""
        with self._mutex:
            return set(self._rows_with[action])

    def _write(self, line: bytes) -> None:
        """Bring a line to the disk, whole or not at all."""
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            self._forget_half_a_line()
            reason = getattr(error, "strerror", None) or error
            raise NotSaved(
                f"{self.path} took no more ({reason}): this decision is not saved. "
                "Make room and repeat it."
            ) from error
        self._length += len(line)

    def _forget_half_a_line(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self._length)
        except (OSError, ValueError):
            self._file.close()  # half a line may stand there, and nothing may follow it

    def _note(self, decision: Decision) -> None:
        self._last_number = decision.number
        self._versions[decision.row] = decision.number
        if decision.action != "undo":
            self._by_row[decision.row].append(decision)
        elif decision.undoes is not None:
            self._undone.add(decision.undoes)
        said = {one.action: one for one in self.counting(decision.row)}
        for action, rows in self._rows_with.items():
            last = said.get(action)
            if last is None or (action == "comment" and not last.text):
                rows.discard(decision.row)
            else:
                rows.add(decision.row)


def _reviewer(who: str) -> str:
    name = " ".join(who.split())
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(
            f"{name[:40]!a} is no reviewer's name, as it is written beside each decision. "
            f"Give one of 1 to {LONGEST_NAME} characters with --who."
        )
    return name


def _keep_name(path: Path) -> None:
    """Bring a new file's name to the disk, too, where the system can."""
    if os.name == "posix":
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
