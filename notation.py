r"""Mathematical notation in one plain spelling, with the way back to the source.

`$\overline{AB} = 5$`, `**AB** = 5` and `AB = 5` read alike after `to_plain`. Small models read
plain text better than LaTeX, rules need one spelling instead of ten, and a quote from the plain
text must still be found in the source: each piece of the plain text knows what it stands for.

Linear in the text's length; nothing is evaluated and nothing raises.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

SYMBOLS = {
    "angle": "∠",
    "measuredangle": "∠",
    "triangle": "△",
    "Delta": "△",
    "bigtriangleup": "△",
    "odot": "⊙",
    "bigodot": "⊙",
    "parallel": "∥",
    "perp": "⊥",
    "bot": "⊥",
    "cong": "≅",
    "sim": "∼",
    "circ": "°",
    "degree": "°",
    "times": "×",
    "cdot": "·",
    "div": "÷",
    "pm": "±",
    "leq": "≤",
    "le": "≤",
    "geq": "≥",
    "ge": "≥",
    "neq": "≠",
    "ne": "≠",
    "approx": "≈",
    "therefore": "∴",
    "because": "∵",
    "implies": "⇒",
    "Rightarrow": "⇒",
    "rightarrow": "→",
    "to": "→",
    "pi": "π",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "theta": "θ",
    "infty": "∞",
    "sqrt": "√",
    "ldots": "...",
    "dots": "...",
    "quad": " ",
    "qquad": " ",
}
INVISIBLE = frozenset(
    "overline underline widehat hat vec overrightarrow overleftrightarrow overset mathrm mathbf "
    "mathit text textbf textit operatorname left right big Big bigl bigr displaystyle boxed "
    "boldsymbol rm bf".split()
)
PREFIXES = frozenset("angle measuredangle triangle bigtriangleup odot bigodot sqrt".split())
FRACTIONS = frozenset({"frac", "dfrac", "tfrac"})
SPACES = frozenset(" ,;:!>()[]{}/\n\t")
"""What follows a backslash that only sets space, or opens and closes a formula."""
_FULL_WIDTH = {
    character: unicodedata.normalize("NFKC", character)
    for character in map(chr, range(ord("！"), ord("～") + 1))
    if character not in "，；：！？"  # keep their width, as `。` does
}
_SAME = {"−": "-", "–": "-", "∶": ":", "′": "'", "’": "'", "“": '"', "”": '"', "Δ": "△"}
_CHARACTERS = str.maketrans(_FULL_WIDTH | _SAME)
"""One character for one, so that all that follows keeps its place."""

_TOKEN = re.compile(
    r"(?P<mark>(?m:^(?:#{1,6}|[ \t]*[*•]) ))"
    # Most characters start none of these, and are passed over at once.
    r"|(?=[\\^*_`$&{}])(?:"
    r"(?P<block>\\(?:begin|end)\{[a-z]{1,20}\*?\})"  # \begin{align*}
    r"|\\[dt]?frac ?(?P<upper>\d)(?P<lower>\d)"  # \frac12
    r"|\\(?P<command>[A-Za-z]+) ?"
    r"|\\(?P<break>\\)"
    r"|\\(?P<escaped>[^A-Za-z\\])"
    r"|(?P<degrees>\^ ?\{? ?\\circ ?\}?)"
    r"|(?P<markup>\*\*|__|`+|\$\$?|&(?==))"
    r"|(?P<open>\{)|(?P<close>\})"
    r")",
)


class Span(NamedTuple):
    """A run of characters: `text[start:end]`."""

    start: int
    end: int


class Piece(NamedTuple):
    """A run of a plain text's characters.

    Attributes:
        start: in the plain text; the piece ends where the next one starts.
        source: the source's characters that it stands for.
        is_verbatim: whether it stands for them one by one; else each character stands for all.
    """

    start: int
    source: Span
    is_verbatim: bool


@dataclass(frozen=True)
class PlainText:
    """A text in plain spelling.

    Attributes:
        text: the plain spelling.
        pieces: what it consists of, in order; none is empty.
        source_length: of the text as it was written.
    """

    text: str
    pieces: list[Piece]
    source_length: int

    def source_span(self, start: int, end: int) -> Span:
        """The source's characters behind `text[start:end]`, with the markup around them."""
        before = self._behind(start - 1).end if start else 0
        behind = self._behind(end).start if end < len(self.text) else self.source_length
        # One command can write several characters: a run may start or end inside it.
        return Span(min(before, self._behind(start).start), max(behind, self._behind(end - 1).end))

    def _behind(self, place: int) -> Span:
        """The source's characters behind the character at this place."""
        piece = self.pieces[bisect_right(self.pieces, place, key=attrgetter("start")) - 1]
        if not piece.is_verbatim:
            return piece.source
        start = piece.source.start + place - piece.start
        return Span(start, start + 1)


def to_plain(source: str) -> PlainText:
    r"""The text without LaTeX and Markdown markup.

    Example:
        >>> to_plain(r"$m\angle ABC = 40^\circ$, $\frac{1}{2}\overline{AB} \perp CD$").text
        'm∠ABC = 40°, 1/2AB ⊥ CD'
    """
    text: list[str] = []
    pieces: list[Piece] = []
    length = 0  # of the text so far
    closers: list[str] = []  # what each open brace writes when it closes
    is_numerator = False  # of the next group
    read_to = 0

    def write(written: str, span: Span, *, is_verbatim: bool = False) -> None:
        nonlocal length
        if written:
            text.append(written)
            pieces.append(Piece(length, span, is_verbatim))
            length += len(written)

    def copy(span: Span) -> None:
        write(source[slice(*span)].translate(_CHARACTERS), span, is_verbatim=True)

    for token in _TOKEN.finditer(source):
        span = Span(*token.span())
        copy(Span(read_to, span.start))
        read_to = span.end
        match token.lastgroup:
            case "command" if token["command"] in FRACTIONS:
                is_numerator = source[span.end : span.end + 1] == "{"
            case "command":
                write(_spoken(token["command"], has_blank=token[0].endswith(" ")), span)
            case "lower":
                write(f"{token['upper']}/{token['lower']}", span)
            case "open":
                closers.append("/" if is_numerator else "")
                is_numerator = False
            case "close":
                write(closers.pop() if closers else "", span)
            case "degrees":
                write("°", span)
            case "break":
                write("\n", span)
            case "block" | "mark":
                write(" ", span)
            case "escaped":
                write(" " if token["escaped"] in SPACES else token["escaped"], span)
    copy(Span(read_to, len(source)))
    return PlainText("".join(text), pieces, len(source))


def _spoken(command: str, *, has_blank: bool) -> str:
    """What a LaTeX command writes, with the blank behind it where that counts."""
    if command in INVISIBLE:
        return ""
    is_prefix = command in PREFIXES
    return SYMBOLS.get(command, command) + " " * (has_blank and not is_prefix)
