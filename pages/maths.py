r"""Formulas of a text as MathML, which browsers show without a script or a font of ours.

Texts come from data and from models, so they are hostile. The converter leaves `\text{<b>}` and
`\href{javascript:…}` as they are: what it makes is therefore rebuilt from its tree, with nothing
but the elements and attributes named here, and with every character escaped.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import NamedTuple
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

MOST_CHARACTERS = 1_000
_FORMULA = re.compile(
    r"\$\$(?P<display>[^$]+?)\$\$"
    r"|(?<![\\$])\$(?!\s)(?P<inline>[^$\n]+?)(?<![\s\\])\$(?![\d$])"
    r"|\\\((?P<round>.+?)\\\)"
    r"|\\\[(?P<square>.+?)\\\]"
    r"|(?P<boxed>\\boxed\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})",
    re.DOTALL,
)
_ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover "
    "mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts none".split()
)
_ATTRIBUTES = frozenset(
    "display displaystyle accent accentunder stretchy fence form separator linethickness "
    "columnalign rowspacing columnspacing width height depth lspace rspace mathvariant notation "
    "minsize maxsize scriptlevel".split()
)
_VALUE = re.compile(r"[\w .%+-]*")
_BRACES = re.compile(r"[{}\[\]^_\\]")
_DEEPEST = 60


class Piece(NamedTuple):
    """A part of a text.

    Attributes:
        start: offset of its first character in the text.
        end: offset behind its last one.
        formula: its LaTeX without delimiters, or None for plain words.
        is_display: whether it stands on a line of its own.
    """

    start: int
    end: int
    formula: str | None
    is_display: bool


def pieces(text: str) -> list[Piece]:
    r"""The text's plain parts and formulas in order; together they cover it.

    Example:
        >>> [(piece.start, piece.formula) for piece in pieces(r"so $x = 2$, \(y\)")]
        [(0, None), (3, 'x = 2'), (10, None), (12, 'y')]
    """
    found, end = [], 0
    for match in _FORMULA.finditer(text):
        if match.start() > end:
            found.append(Piece(end, match.start(), None, False))
        is_display = match.lastgroup in ("display", "square")
        found.append(Piece(match.start(), match.end(), match[match.lastgroup or 0], is_display))
        end = match.end()
    if end < len(text):
        found.append(Piece(end, len(text), None, False))
    return found


def with_formulas(text: str) -> Markup:
    """The text as safe HTML: words escaped, formulas as MathML."""
    return Markup().join(
        escape(text[piece.start : piece.end])
        if piece.formula is None
        else formula(piece.formula, is_display=piece.is_display)
        for piece in pieces(text)
    )


@lru_cache(maxsize=4_096)
def formula(latex: str, *, is_display: bool = False) -> Markup:
    r"""A formula as safe MathML, its LaTeX in `data-latex`; as text where it cannot be converted.

    Example:
        >>> str(formula(r"\text{<b>}"))  # doctest: +ELLIPSIS
        '<math ...<mtext>&lt;b&gt;</mtext></mrow></math>'
    """
    source = escape(latex)
    tree = _converted(latex)
    if tree is None:
        return Markup('<code class="latex" data-latex="{0}">{0}</code>').format(source)
    display = "block" if is_display else "inline"
    inner = Markup().join(_rebuilt(child, 0) for child in tree)
    return Markup('<math display="{}" data-latex="{}">{}</math>').format(display, source, inner)


def _converted(latex: str) -> Element | None:
    from latex2mathml.converter import convert_to_element

    if len(latex) > MOST_CHARACTERS or len(_BRACES.findall(latex)) > MOST_CHARACTERS // 4:
        return None
    try:
        return convert_to_element(latex)
    except Exception:  # the converter raises what its tables happen to raise on broken LaTeX
        return None


def _rebuilt(element: Element, depth: int) -> Markup:
    if depth > _DEEPEST:
        return Markup("<mtext>…</mtext>")
    text = escape(html.unescape(element.text or ""))
    inner = text + Markup().join(_rebuilt(child, depth + 1) for child in element)
    if element.tag not in _ELEMENTS:
        return Markup("<mrow>{}</mrow>").format(inner)
    attributes = Markup().join(
        Markup(' {}="{}"').format(name, value)
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _VALUE.fullmatch(value)
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(element.tag), attributes, inner)
