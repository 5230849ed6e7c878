"""Formulas: found, rendered as MathML, and harmless whatever they hold."""

from __future__ import annotations

import pytest
from hostile_html import MATHML, PAYLOADS, Elements
from hypothesis import given
from hypothesis import strategies as st

from pr1.pages.maths import MOST_CHARACTERS, formula, pieces, with_formulas


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("no formula", []),
        ("$x$", ["x"]),
        ("it costs $5, or $6 at most", []),
        (r"\$5 and $y^2$", ["y^2"]),
        ("$$a + b$$ then $c$", ["a + b", "c"]),
        (r"\(m\) and \[n\]", ["m", "n"]),
        (r"so \boxed{\frac{1}{2}}.", [r"\boxed{\frac{1}{2}}"]),
        (r"\boxed{unclosed", []),
        ("$ x $", []),
        ("one $ only", []),
        ("$$", []),
    ],
)
def test_formulas_are_told_from_money_and_words(text, formulas):
    assert [piece.formula for piece in pieces(text) if piece.formula is not None] == formulas


@given(st.text(alphabet="ab $\\()[]{}^_\n5", max_size=60))
def test_the_pieces_cover_the_text(text):
    found = pieces(text)
    assert "".join(text[piece.start : piece.end] for piece in found) == text
    assert all(piece.start < piece.end for piece in found)


@given(st.text(max_size=200))
def test_whatever_a_formula_holds_nothing_but_mathml_comes_out(latex):
    page = Elements(str(formula(latex)))
    assert page.tags <= MATHML | {"code"}
    assert not page.addresses
    assert not page.styles


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("frame", ["${}$", r"$\text{{{}}}$", r"\boxed{{{}}}", "{}"])
def test_hostile_formulas_are_shown_as_text(frame, payload):
    page = Elements(str(with_formulas(frame.format(payload))))
    assert page.tags <= MATHML | {"code"}
    assert not page.addresses
    assert not {name for name in page.attributes if name.startswith("on")}


def test_a_formula_is_rendered_and_keeps_its_source():
    shown = str(formula(r"\frac{1}{2}", is_display=True))
    assert shown == (
        r'<math display="block" data-latex="\frac{1}{2}"><mrow><mfrac><mrow><mn>1</mn></mrow>'
        "<mrow><mn>2</mn></mrow></mfrac></mrow></math>"
    )


@pytest.mark.parametrize("latex", ["{" * 500, "x" * (MOST_CHARACTERS + 1), r"\begin{cases}", "^"])
def test_what_cannot_be_rendered_is_shown_as_it_stands(latex):
    shown = Elements(str(formula(latex)))
    assert shown.words


def test_deep_nesting_ends():
    latex = r"\sqrt{" * 200 + "x" + "}" * 200
    assert str(formula(latex)).startswith(("<math", "<code"))
