"""What an extractor proposes, before anything is checked."""

from __future__ import annotations

from typing import NamedTuple

from ...schemas.records import AnnotationKind


class Proposal(NamedTuple):
    """A fact that an extractor believes the trajectory states.

    Attributes:
        quote: words of the trajectory in plain spelling (`notation.to_plain`).
        start: where the quote starts in the plain text, or None when only its words are known.
    """

    statement: str
    kind: AnnotationKind
    quote: str
    extractor: str
    prompt_hash: str | None = None
    start: int | None = None
