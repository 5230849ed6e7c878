r"""Plain text: one spelling for what LaTeX, markdown and full-width characters spell in many ways.

`plain(r"$\text{about } 2\sqrt { 221 }\,\mathrm{cm}$")` is `about 2√{ 221 } cm`. All other modules
of this room read plain text only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_ANSWER_CHARS = 2_000
"""An answer that is longer is not read to its end: nothing so long is an answer."""


class Group(NamedTuple):
    """What stands between two braces, and where the closing one ends."""

    inside: str
    end: int


_BRACE = re.compile(r"(?<!\\)[{}]")


def is_balanced(text: str) -> bool:
    """Whether every LaTeX brace of the text is closed."""
    depth = 0
    for brace in _BRACE.finditer(text):
        depth += 1 if brace[0] == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def read_group(text: str, start: int, limit: int = MAX_ANSWER_CHARS) -> Group | None:
    """The braced group that opens at or after blanks behind `start`; None where none opens.

    A group that is never closed ends with its line. Reads at most `limit` characters.
    """
    while start < len(text) and text[start].isspace():
        start += 1
    if start >= len(text) or text[start] != "{":
        return None
    depth = 0
    for brace in _BRACE.finditer(text, start, start + limit):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return Group(text[start + 1 : brace.start()], brace.end())
    inside = text[start + 1 : start + limit].partition("\n")[0]
    return Group(inside, start + 1 + len(inside))


_LOST_BACKSLASHES = {
    "\x0crac": r"\frac",
    "\x08oxed": r"\boxed",
    "\times": r"\times",
    "\text": r"\text",
    "\theta": r"\theta",
}


def repair_escapes(text: str) -> str:
    r"""The text with LaTeX commands restored that a string literal ate (`\f` + `rac`)."""
    for damaged, command in _LOST_BACKSLASHES.items():
        text = text.replace(damaged, command)
    return text


_DELIMITER = re.compile(r"\\[()\[\]]")
_SPACING = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|qquad|quad)(?![a-zA-Z])"
    r"|\\[,;:!> ]|(?<!\\)~"
)
_WRAPPERS = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:rm|bf|it|sf|bb|cal|tt|normal)|operatorname|mbox"
    r"|hbox|boldsymbol|bm|overline|overrightarrow|vec|fbox|boxed|displaylines|ensuremath)\*?\s*(?={)"
)
_COMMANDS = {
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cfrac": r"\frac",
    r"\cdot": "*",
    r"\times": "*",
    r"\ast": "*",
    r"\div": "/",
    r"\pi": "π",
    r"\sqrt": "√",
    r"\infty": "∞",
    r"\approx": "≈",
    r"\thickapprox": "≈",
    r"\simeq": "≈",
    r"\leqslant": "≤",
    r"\geqslant": "≥",
    r"\leq": "≤",
    r"\geq": "≥",
    r"\le": "≤",
    r"\ge": "≥",
    r"\lt": "<",
    r"\gt": ">",
    r"\neq": "≠",
    r"\ne": "≠",
    r"\cup": "∪",
    r"\pm": "±",
    r"\angle": "∠",
    r"\triangle": "△",
    r"\circ": "°",
    r"\degree": "°",
    r"\degrees": "°",
    r"\lbrace": "｛",
    r"\rbrace": "｝",
}
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_SIGNS = (
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "∕": "/", "⁄": "/"}
    | {"“": '"', "”": '"', "‘": "'", "’": "'", "。": ".", "、": ",", "º": "°", "˚": "°", "﹣": "-"}
    | {raised: f"^{digit}" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    | {"｛": r"\{", "｝": r"\}", "Π": "π", "∶": ":", "≦": "≤", "≧": "≥"}
)


class _Spellings(dict[int, str | int | None]):
    """A table for `str.translate`; drops the characters that only format, such as a zero width."""

    def __missing__(self, code: int) -> int | None:
        self[code] = kept = None if unicodedata.category(chr(code)) == "Cf" else code
        return kept


_CHARACTERS = _Spellings(str.maketrans(_SIGNS).items())
_DEGREES = re.compile(r"\^\s*(?:\{\s*°\s*\}|°|\{\s*o\s*\}|o\b)")
_MIXED_WITH_SIGN = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_ODD_DOLLAR = re.compile(r"\$(?=\s*-?[\d.])")
_BLANKS = re.compile(r"\s+")


@lru_cache(maxsize=1_024)  # an answer is read in several ways, and a group's answers are alike
def plain(text: str) -> str:
    """The text in its one plain spelling; capitals are kept. Reads `MAX_ANSWER_CHARS` characters.

    Braces of sets become `｛｝`, a dollar sign that means money becomes `＄`; every other brace is
    LaTeX grouping, and every other dollar sign a delimiter, which is dropped.
    """
    text = repair_escapes(text[:MAX_ANSWER_CHARS]).translate(_CHARACTERS)
    text = unicodedata.normalize("NFKC", _MIXED_WITH_SIGN.sub(" ", text)).translate(_CHARACTERS)
    text = _spell_commands(text) if "\\" in text else text.replace("~", " ")
    if text.count("$") == 1:
        text = _ODD_DOLLAR.sub("＄", text)
    text = _DEGREES.sub("°", text.replace("$", " ")).replace("`", "")
    text = text.replace("**", "").replace("__", "")
    return _strip_ends(_BLANKS.sub(" ", text))


def _spell_commands(text: str) -> str:
    """The text without LaTeX's commands, but for those that nothing plain stands for."""
    text = text.replace("\\%", "%").replace("\\{", "｛").replace("\\}", "｝").replace("\\$", "＄")
    text = _SPACING.sub(" ", _DELIMITER.sub(" ", text))
    return _unwrap(_COMMAND.sub(lambda m: _COMMANDS.get(m.group(), m.group()), text))


def _unwrap(text: str) -> str:
    pieces, at = [], 0
    for match in _WRAPPERS.finditer(text):
        if match.start() < at:
            continue
        group = read_group(text, match.end())
        if group is None:
            continue
        pieces += [text[at : match.start()], " ", _unwrap(group.inside), " "]
        at = group.end
    return "".join(pieces) + text[at:]


_EXCLAMATION = re.compile(r"(?<=[^\W\d_]{2})!+\Z")


def _strip_ends(text: str) -> str:
    before = None
    while text != before:
        before = text
        text = text.strip().strip('"*_#').rstrip(",;:").strip()
        if text.startswith("'") and text.endswith("'"):
            text = text[1:-1]
        text = _EXCLAMATION.sub("", text)
        if text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
        if text.startswith("{") and (group := read_group(text, 0)) and group.end == len(text):
            text = group.inside
    return text


_ARTICLES = re.compile(r"\b(?:the|an?)\s+(?=[^\W\d_]{2})", re.IGNORECASE)
_LONE_BRACES = re.compile(r"\{\s*(\w)\s*\}")
_NOISE = re.compile(r"(?<!\d)\s+|\s+(?!\d)|[\"?]|(?<![\d\s])\.(?!\d)")


@lru_cache(maxsize=1_024)  # of a reference it is asked with every answer
def words_key(text: str) -> str:
    """What two texts share when they differ in case, articles, blanks, quotes or full stops only.

    A comma counts, and nothing between two digits is dropped: neither `1.5` nor `1, 5` is `15`.

    Example:
        >>> words_key("The red ball.") == words_key("red Ball")
        True
    """
    text = _LONE_BRACES.sub(r"\1", _ARTICLES.sub("", text))
    return _NOISE.sub("", text).casefold()
