"""Finding a quote in its trajectory, whatever became of white space, case and markup on the way."""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

from ...notation import Span, to_plain

_RUN = re.compile(r"[^ \t\n\r\u00a0.,;:，。；：\"'“”‘’`|()İ]+|İ")
"""Characters that count; `İ` by itself, because it is two characters in lower case."""


class QuotedText:
    """A plain text in which quotes are looked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def find(self, quote: str, start: int | None = None) -> Span | None:
        """Where the quote stands in the text, or None when it does not.

        White space, case, punctuation and LaTeX spelling do not count; letters, digits and signs
        do, and so does where a word or a number starts and ends.

        Args:
            quote: the words to find, LaTeX or plain.
            start: where the quote is known to start, for an extractor that knows it.
        """
        if start is not None:
            return Span(start, start + len(quote))
        wanted = _essence(to_plain(quote).text).text
        if not any(map(str.isalnum, wanted)):
            return None
        essence, places = self._essence
        found = essence.find(wanted)
        while found >= 0:
            span = Span(places[found], places[found + len(wanted) - 1] + 1)
            if _is_whole(self.text, span):
                return span
            found = essence.find(wanted, found + 1)
        return None

    @cached_property
    def _essence(self) -> _Essence:
        return _essence(self.text)


class _Essence(NamedTuple):
    """The characters of a text that count, in lower case, and where each of them stands."""

    text: str
    places: list[int]


def _essence(text: str) -> _Essence:
    """What counts of a text; one blank parts two numbers."""
    kept: list[str] = []
    places: list[int] = []
    for run in _RUN.finditer(text):
        if kept and kept[-1][-1].isdigit() and run[0][0].isdigit():
            kept.append(" ")
            places.append(run.start() - 1)
        # A sigma on its own, because its lower case depends on where its word ends.
        kept.append(run[0].replace("Σ", "σ").lower())
        places += [run.start()] * 2 if run[0] == "İ" else range(*run.span())
    return _Essence("".join(kept), places)


def _is_inside_number(text: str, place: int) -> bool:
    before, behind = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    return text[place] in ".,:" and before.isdigit() and behind.isdigit()


def _is_whole(text: str, span: Span) -> bool:
    """Whether no word or number goes on beyond the span."""
    return not (_goes_on(text, span.start) or _goes_on(text, span.end))


def _goes_on(text: str, place: int) -> bool:
    """Whether a word or number stands across this place."""
    around = text[max(0, place - 1) : place + 1]
    if len(around) == 2 and around.isascii() and around.isalnum():
        return True
    return _is_inside_number(text, place) if place < len(text) else False
