r"""Mathematical notation in one plain spelling, with the way back to the source.

`$\overline{AB} = 5$`, `**AB** = 5` and `AB = 5` read alike after `to_plain`. Small models read
plain text better than LaTeX, rules need one spelling instead of ten, and a quote from the plain
text must still be found in the source: each plain character knows the characters it stands for.

Linear in the text's length; nothing is evaluated and nothing raises.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
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
SAME = {"−": "-", "–": "-", "∶": ":", "′": "'", "’": "'", "“": '"', "”": '"', "∠": "∠", "Δ": "△"}

_TOKEN = re.compile(
    r"(?P<block>\\(?:begin|end)\{[a-z]{1,20}\*?\}|(?m:^#{1,6} |^[ \t]*[*•] ))"  # \begin{align*}
    r"|\\[dt]?frac ?(?P<upper>\d)(?P<lower>\d)"  # \frac12
    r"|\\(?P<command>[A-Za-z]+) ?"
    r"|\\(?P<break>\\)"
    r"|\\(?P<escaped>[^A-Za-z\\])"
    r"|(?P<degrees>\^ ?\{? ?\\circ ?\}?)"
    r"|(?P<markup>\*\*|__|`+|\$\$?)"
    r"|(?P<align>&(?==))"
    r"|(?P<open>\{)|(?P<close>\})"
    r"|(?P<character>.)",
    re.DOTALL,
)


class Span(NamedTuple):
    """A run of characters: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True)
class PlainText:
    """A text in plain spelling.

    Attributes:
        text: the plain spelling.
        spans: for each of its characters, the source's characters that it stands for.
    """

    text: str
    spans: list[Span]
    source_length: int

    def source_span(self, start: int, end: int) -> Span:
        """The source's characters behind `text[start:end]`, with the markup around them."""
        before = self.spans[start - 1].end if start else 0
        behind = self.spans[end].start if end < len(self.spans) else self.source_length
        # One command can write several characters: a run may start or end inside it.
        return Span(min(before, self.spans[start].start), max(behind, self.spans[end - 1].end))


def to_plain(source: str) -> PlainText:
    r"""The text without LaTeX and Markdown markup.

    Example:
        >>> to_plain(r"$m\angle ABC = 40^\circ$, $\frac{1}{2}\overline{AB} \perp CD$").text
        'm∠ABC = 40°, 1/2AB ⊥ CD'
    """
    characters: list[str] = []
    spans: list[Span] = []
    closers: list[str] = []  # what each open brace writes when it closes
    is_numerator = False  # of the next group

    def write(text: str, span: Span) -> None:
        characters.extend(text)
        spans.extend([span] * len(text))

    for token in _TOKEN.finditer(source):
        span = Span(*token.span())
        if command := token["command"]:
            if command in FRACTIONS:
                is_numerator = source[span.end : span.end + 1] == "{"
            elif command in SYMBOLS:
                write(SYMBOLS[command], span)
                if token[0].endswith(" ") and command not in PREFIXES:
                    write(" ", span)
            elif command not in INVISIBLE:
                write(command + " " * token[0].endswith(" "), span)
        elif token["upper"]:
            write(f"{token['upper']}/{token['lower']}", span)
        elif token["open"]:
            closers.append("/" if is_numerator else "")
            is_numerator = False
        elif token["close"]:
            closer = closers.pop() if closers else ""
            write(closer, span)
        elif token["degrees"]:
            write("°", span)
        elif token["break"]:
            write("\n", span)
        elif token["block"]:
            write(" ", span)
        elif token["escaped"]:
            write(" " if token["escaped"] in SPACES else token["escaped"], span)
        elif character := token["character"]:
            write(SAME.get(character) or _half_width(character), span)
    return PlainText("".join(characters), spans, len(source))


def _half_width(character: str) -> str:
    """The ASCII form of a full-width letter, digit or sign; `，` and `。` keep their width."""
    if "！" <= character <= "～" and character not in "，；：！？":
        return unicodedata.normalize("NFKC", character)
    return character
