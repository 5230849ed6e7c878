"""Finding a quote in its trajectory, whatever became of white space, case and markup on the way."""

from __future__ import annotations

from ...notation import PlainText, Span, to_plain

_IGNORED = frozenset(" \t\n\r\u00a0.,;:，。；：\"'“”‘’`|()")


def find_quote(quote: str, text: PlainText, start: int | None = None) -> Span | None:
    """Where the quote stands in the plain text, or None when it does not.

    White space, case, punctuation and LaTeX spelling do not count; letters, digits and signs do.

    Args:
        quote: the words to find, LaTeX or plain.
        text: the trajectory.
        start: where the quote is known to start, for an extractor that knows it.
    """
    if start is not None:
        return Span(start, start + len(quote))
    wanted, _ = _essence(to_plain(quote).text)
    if not wanted:
        return None
    essence, positions = _essence(text.text)
    found = essence.find(wanted)
    if found < 0:
        return None
    return Span(positions[found], positions[found + len(wanted) - 1] + 1)


def _essence(text: str) -> tuple[str, list[int]]:
    """The characters that count, and where each of them stands."""
    kept = [(lower, i) for i, c in enumerate(text) if c not in _IGNORED for lower in c.lower()]
    return "".join(character for character, _ in kept), [position for _, position in kept]
