"""Finding a quote in its trajectory, whatever became of white space, case and markup on the way."""

from __future__ import annotations

from ...notation import PlainText, Span, to_plain

_IGNORED = frozenset(" \t\n\r\u00a0.,;:，。；：\"'“”‘’`|()")


def find_quote(quote: str, text: PlainText, start: int | None = None) -> Span | None:
    """Where the quote stands in the plain text, or None when it does not.

    White space, case, punctuation and LaTeX spelling do not count; letters, digits and signs do,
    and so does where a word or a number starts and ends.

    Args:
        quote: the words to find, LaTeX or plain.
        text: the trajectory.
        start: where the quote is known to start, for an extractor that knows it.
    """
    if start is not None:
        return Span(start, start + len(quote))
    wanted, _ = _essence(to_plain(quote).text)
    if not any(map(str.isalnum, wanted)):
        return None
    essence, positions = _essence(text.text)
    found = essence.find(wanted)
    while found >= 0:
        span = Span(positions[found], positions[found + len(wanted) - 1] + 1)
        if _is_whole(text.text, span):
            return span
        found = essence.find(wanted, found + 1)
    return None


def _essence(text: str) -> tuple[str, list[int]]:
    """The characters that count, and where each of them stands; one blank parts two numbers."""
    kept: list[tuple[str, int]] = []
    is_parted = False
    for place, character in enumerate(text):
        if character in _IGNORED:
            is_parted = True
            continue
        if is_parted and character.isdigit() and kept and kept[-1][0].isdigit():
            kept.append((" ", place - 1))
        is_parted = False
        kept += [(lower, place) for lower in character.lower()]
    return "".join(character for character, _ in kept), [place for _, place in kept]


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
