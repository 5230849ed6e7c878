"""A text with its annotations' quotes marked, and its formulas rendered, as safe HTML.

Quotes may overlap and may begin inside a formula. The text is cut at every border; a formula is
one piece, and is marked as a whole by every quote that touches it. Each piece says where it begins
(`data-start`), so that the page can tell which words a person selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from ..pages.maths import formula, pieces

COLOURS = 8
# What an HTML parser would drop or change, so that offsets on the page stay those of the text.
_SHOWN = {code: "\ufffd" for code in range(32) if chr(code) not in "\t\n\r"}
_CARRIAGE_RETURN = Markup("&#13;")


class Quote(NamedTuple):
    """Words that an annotation rests on.

    Attributes:
        key: of the annotation.
        label: its number on the page; the colour goes by it, too.
        start: offset of the first character.
        end: offset behind the last one.
        is_in: whether the corrected set holds the annotation.
    """

    key: str
    label: int
    start: int
    end: int
    is_in: bool


def highlighted(text: str, quotes: Sequence[Quote]) -> Markup:
    """The text as a sequence of `<span>`s and `<mark>`s, formulas as MathML."""
    borders = sorted({border for quote in quotes for border in (quote.start, quote.end)})
    opened: set[str] = set()
    made = []
    for piece in pieces(text):
        cuts = [piece.start, piece.end]
        if piece.formula is None:
            inner = [border for border in borders if piece.start < border < piece.end]
            cuts = [piece.start, *inner, piece.end]
        for start, end in pairwise(cuts):
            body = (
                escape(text[start:end].translate(_SHOWN)).replace("\r", _CARRIAGE_RETURN)
                if piece.formula is None
                else formula(piece.formula, is_display=piece.is_display)
            )
            over = [quote for quote in quotes if quote.start < end and start < quote.end]
            made.append(_marked(body, start, end, over, opened))
    return Markup().join(made)


def _marked(body: Markup, start: int, end: int, over: Sequence[Quote], opened: set[str]) -> Markup:
    """A piece under its quotes; a quote's number stands before its first piece."""
    place = Markup('data-start="{}" data-end="{}"').format(start, end)
    if not over or not body.strip():
        return Markup("<span {}>{}</span>").format(place, body)
    labels = Markup().join(
        Markup('<sup aria-hidden="true">{}</sup>').format(quote.label)
        for quote in over
        if quote.key not in opened
    )
    opened.update(quote.key for quote in over)
    shown = next((quote for quote in over if quote.is_in), over[0])
    return Markup('<mark class="c{} {}" data-keys="{}" {}>{}{}</mark>').format(
        (shown.label - 1) % COLOURS + 1,
        "in" if shown.is_in else "out",
        " ".join(quote.key for quote in over),
        place,
        labels,
        body,
    )
