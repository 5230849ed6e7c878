"""Sentences at the end of a text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

TAIL_CHARS = 20_000
"""So much of a text's end is read for its last sentences."""

SENTENCE_END = re.compile(r"((?<=[^\s.])[.!?](?=\s|$|[A-Z][a-z])|[。！？\n]+)")
_PLEASANTRY = re.compile(
    r"hope this helps|let me know|feel free|any (?:other|further) questions", re.IGNORECASE
)


class Sentence(NamedTuple):
    """A sentence without its stop, and what ends it: a stop, a line break, or nothing."""

    text: str
    end: str

    @property
    def is_question(self) -> bool:
        """Whether it asks."""
        return "?" in self.end or "？" in self.end

    @property
    def is_finished(self) -> bool:
        """Whether it states and a stop ends it: a text that was cut seldom ends in one."""
        has_stop = bool(self.end.strip()) or self.text.rstrip(' *_")$').endswith((".", "!", "。"))
        return has_stop and not self.is_question


@lru_cache(maxsize=8)  # several readers ask for those of one text
def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences at the end of a text, without closing pleasantries."""
    pieces = [*SENTENCE_END.split(text[-TAIL_CHARS:]), ""]
    pairs = [Sentence(s.strip(), end) for s, end in zip(pieces[::2], pieces[1::2], strict=True)]
    return tuple(
        pair
        for pair in pairs
        if pair.text.strip(" *_#$`-\\[]()") and not _PLEASANTRY.search(pair.text)
    )
