"""Whose fault is it that a completion has no verdicts: the judging service's, or its own?

A completion that breaks the judge must not profit from it, and one that a broken judge could not
read must not suffer. The service is at fault when it was down, overloaded or slow, and when it
gives nobody a usable answer. The completion is at fault when the judge serves others and only this
one is too long for it, refused, or answered out of form however often it is asked.
"""

from __future__ import annotations

from ..schemas.errors import ModelError
from ..schemas.outcomes import JudgeFailure

MOST_IN_A_ROW = 64
"""So many completions in a row without one usable answer are the service's fault, not theirs."""


class Standing:
    """Whether the judge serves others.

    Attributes:
        has_served: whether any completion was judged so far.
    """

    def __init__(self) -> None:
        self.has_served = False
        self._failures = 0  # in a row, that look like the completion's

    def note_served(self) -> None:
        """A completion was judged."""
        self.has_served = True
        self._failures = 0

    def failure(self, error: ModelError, attempts: int) -> JudgeFailure:
        """Why a completion was not judged; call it once for each."""
        is_its_own = not error.is_transient
        self._failures += is_its_own
        is_its_own &= self.has_served and self._failures <= MOST_IN_A_ROW
        return JudgeFailure(
            reason=f"{error.code}: {error}",
            attempts=max(1, attempts),
            cause="completion" if is_its_own else "service",
        )
