"""One plain spelling of mathematical text, and the way back to the source."""

import random
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pr1.notation import (
    FRACTIONS,
    INVISIBLE,
    PREFIXES,
    SPACES,
    SYMBOLS,
    PlainText,
    Span,
    to_plain,
)

PIECES = (
    r"\overline{AB}|\angle ABC|\frac{1}{2}|\sqrt{3}|40^\circ|40^{\circ}|\text{ cm}|$|$$|**|__|`|{|}"
    r"|\\|\{|\%|\begin{align*}|\end{align*}|&=|= 5|AB| |，|。|５|＝|−|’|Δ|é|𝒳|\unknown|^|\(|\)|# "
    r"|* "
).split("|")
NOTATION = st.lists(st.sampled_from([*PIECES, "\n", "|", "\u0000", "\u2028"])).map("".join)
TEXTS = st.one_of(st.text(), NOTATION, st.text(alphabet="\\{}$^*_`&# \nABc1"))


def spans_of(plain: PlainText) -> list[Span]:
    """The source's characters behind each character of a plain text."""
    starts = [*(piece.start for piece in plain.pieces), len(plain.text)]
    spans: list[Span] = []
    for piece, (start, end) in zip(plain.pieces, pairwise(starts), strict=True):
        first = piece.source.start
        each = [Span(first + number, first + number + 1) for number in range(end - start)]
        spans += each if piece.is_verbatim else [piece.source] * (end - start)
    return spans


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("", ""),
        ("AB = 5", "AB = 5"),
        (r"$\overline{AB} = 5$", "AB = 5"),
        ("**AB** = 5", "AB = 5"),
        (r"\textbf{AB} = 5", "AB = 5"),
        ("`AB` = 5", "AB = 5"),
        (r"\overrightarrow{AB}", "AB"),
        (r"m\angle ABC = 40^\circ", "m∠ABC = 40°"),
        (r"40^{\circ}", "40°"),
        (r"40^{ \circ }", "40°"),
        (r"40^ \circ", "40°"),
        (r"40\degree", "40°"),
        ("40°", "40°"),
        (r"AB \perp CD", "AB ⊥ CD"),
        (r"AB \parallel CD", "AB ∥ CD"),
        (r"\triangle ABC", "△ABC"),
        ("Δ ABC", "△ ABC"),
        (r"\odot O", "⊙O"),
        (r"3 \times 4 \div 2", "3 × 4 ÷ 2"),
        (r"a \leq b \neq c", "a ≤ b ≠ c"),
        (r"\frac{1}{2}", "1/2"),
        (r"\dfrac{3}{4}x", "3/4x"),
        (r"\frac{AB}{CD}", "AB/CD"),
        (r"\sqrt{2}", "√2"),
        (r"\text{cm}", "cm"),
        (r"5\text{ cm}", "5 cm"),
        (r"\boxed{5}", "5"),
        (r"50\%", "50%"),
        (r"A\_B \& C", "A_B & C"),
        (r"\left( 3 \right)", "( 3 )"),
        (r"1{,}000", "1,000"),
        ("x^2", "x^2"),
        ("x^{2}", "x^2"),
        ("a_1", "a_1"),
        ("a * b", "a * b"),
        ("AB＝５，ＣＤ＝６。", "AB=5，CD=6。"),
        ("−3 – 4", "-3 - 4"),
        ("A’B′", "A'B'"),
        ("“Exports”", '"Exports"'),
        ("AB=5\nCD=6", "AB=5\nCD=6"),
        (r"AB=5 \\ CD=6", "AB=5 \n CD=6"),
        # An unknown command keeps its name: a word that is lost could turn a fact around.
        (r"\nparallel AB", "nparallel AB"),
        ("\\", "\\"),
        ("}}}{{{", ""),
        (r"\frac", ""),
        ("a\u0000b", "a\u0000b"),
    ],
)
def test_plain_spelling(source, plain):
    assert to_plain(source).text == plain


@pytest.mark.parametrize(
    "spellings",
    [
        ("AB = 5", r"$\overline{AB} = 5$", "**AB** = 5", r"\(AB = 5\)", r"$$\mathrm{AB} = 5$$"),
        (
            "∠ABC = 40°",
            r"\angle ABC = 40^\circ",
            r"$\angle{ABC} = 40^{\circ}$",
            "∠ABC ＝ 40°",
            r"\measuredangle ABC = 40\degree",
        ),
        ("AB ∥ CD", r"$\overline{AB} \parallel \overline{CD}$", r"\text{AB} \parallel \text{CD}"),
        ("△ABC ≅ △DEF", r"\triangle ABC \cong \triangle DEF", "ΔABC ≅ ΔDEF"),
        ("AB=5 CD=6", r"\begin{align*}AB&=5 CD&=6\end{align*}"),
    ],
)
def test_spellings_of_one_thing_read_alike(spellings):
    assert len({" ".join(to_plain(spelling).text.split()) for spelling in spellings}) == 1


def test_a_fraction_without_braces_is_not_another_number():
    assert to_plain(r"\frac12").text == "1/2"


def test_a_fraction_without_braces_leaves_what_follows_alone():
    assert "/" not in to_plain(r"\frac12 of \text{AB} is 5").text.partition("of")[2]


@pytest.mark.parametrize("source", [r"C:\10", r"\角ABC", r"AB\=5"])
def test_a_stray_backslash_takes_no_character_with_it(source):
    kept = [character for character in source if character.isalnum() or character == "="]
    assert [c for c in to_plain(source).text if c.isalnum() or c == "="] == kept


def test_delta_reads_alike_in_latex_and_unicode():
    assert to_plain(r"\Delta ABC").text.replace(" ", "") == to_plain("ΔABC").text


def test_a_lone_command_or_brace_takes_nothing_else_with_it():
    for broken in (r"\frac{1", r"\sqrt{", r"\text{", "{{{", "}}}", r"\begin{align*}", "**", "$"):
        assert to_plain(broken + " AB = 5").text.endswith("AB = 5")


@given(TEXTS)
def test_every_plain_character_stands_for_source_characters_in_order(source):
    plain = to_plain(source)
    spans = spans_of(plain)
    assert len(spans) == len(plain.text)
    assert plain.source_length == len(source)
    assert all(0 <= span.start < span.end <= len(source) for span in spans)
    assert all(a.start <= b.start and a.end <= b.end for a, b in pairwise(spans))


@given(TEXTS, st.integers(0, 99), st.integers(1, 99))
@example(r"\overarc{AB} = 5", 4, 3)  # `arc` of `overarc`: nothing is behind it
@example(r"\overarc{AB} = 5", 4, 5)  # `arcAB`
def test_the_source_behind_a_run_holds_its_characters(source, start, length):
    plain = to_plain(source)
    end = min(start + length, len(plain.text))
    if start >= end:
        return
    found = plain.source_span(start, end)
    assert 0 <= found.start < found.end <= len(source)
    for span in spans_of(plain)[start:end]:
        assert found.start <= span.start
        assert span.end <= found.end


TOKEN = re.compile(
    r"(?P<blank>\\(?:begin|end)\{[a-z]{1,20}\*?\}|(?m:^#{1,6} |^[ \t]*[*•] ))"
    r"|\\[dt]?frac ?(?P<upper>\d)(?P<lower>\d)|\\(?P<command>[A-Za-z]+) ?"
    r"|\\(?P<newline>\\)|\\(?P<escaped>[^A-Za-z\\])|(?P<degrees>\^ ?\{? ?\\circ ?\}?)"
    r"|(?P<markup>\*\*|__|`+|\$\$?|&(?==))|(?P<brace>[{}])|(?P<character>.)",
    re.DOTALL,
)
LOOKALIKES = dict(zip("−–∶′’“”Δ", "--:''\"\"△", strict=True))


def character_by_character(source: str) -> list[tuple[str, Span]]:
    """The plain spelling of a text, each character with what it stands for, one step a token."""
    plain: list[tuple[str, Span]] = []
    closers: list[str] = []
    is_numerator = False
    for token in TOKEN.finditer(source):
        written = {"blank": " ", "newline": "\n", "degrees": "°"}.get(token.lastgroup or "", "")
        if command := token["command"]:
            written = SYMBOLS.get(command, command)
            written += " " if token[0].endswith(" ") and command not in PREFIXES else ""
            if command in INVISIBLE or command in FRACTIONS:
                written = ""
            if command in FRACTIONS:
                is_numerator = source[token.end() :].startswith("{")
        elif token["upper"]:
            written = f"{token['upper']}/{token['lower']}"
        elif token["escaped"]:
            written = " " if token["escaped"] in SPACES else token["escaped"]
        elif token["brace"] == "{":
            closers.append("/" if is_numerator else "")
            is_numerator = False
        elif token["brace"]:
            written = closers.pop() if closers else ""
        elif character := token["character"]:
            is_wide = "！" <= character <= "～" and character not in "，；：！？"
            written = LOOKALIKES.get(character, character)
            written = unicodedata.normalize("NFKC", character) if is_wide else written
        plain += [(one, Span(*token.span())) for one in written]
    return plain


@given(TEXTS)
def test_runs_of_characters_are_read_as_their_characters_are(source):
    plain = to_plain(source)
    assert list(zip(plain.text, spans_of(plain), strict=True)) == character_by_character(source)


@given(st.text(alphabet="ABCxyz0159 =.,;:()<>+-/\n°∠⊥∥△中角"))
def test_plain_text_stays_as_it_is(text):
    plain = to_plain(text)
    assert plain.text == text
    assert spans_of(plain) == [Span(n, n + 1) for n in range(len(text))]


@given(NOTATION)
def test_nothing_visible_is_invented(source):
    """Letters and digits of the plain text stand at the place that it names, or are a symbol's."""
    plain = to_plain(source)
    for character, span in zip(plain.text, spans_of(plain), strict=True):
        if character.isascii() and character.isalnum():
            behind = source[slice(*span)]
            assert character in behind or not behind.isascii()


@pytest.mark.parametrize(
    ("source", "quote", "behind"),
    [
        (r"Since $\overline{AB} = 5$, so", "AB = 5", r"$\overline{AB} = 5$"),
        ("see **AB = 5** here", "AB = 5", "**AB = 5**"),
        (r"is \frac{1}{2} now", "1/2", r"\frac{1}{2}"),
        (r"m\angle A = 40^{\circ}.", "40°", r"40^{\circ}"),
        ("AB＝５。", "AB=5", "AB＝５"),
    ],
)
def test_a_quote_comes_back_as_the_author_wrote_it(source, quote, behind):
    plain = to_plain(source)
    start = plain.text.index(quote)
    assert source[slice(*plain.source_span(start, start + len(quote)))].strip() == behind


def test_the_whole_source_stands_behind_the_whole_plain_text():
    source = r"**$\overline{AB}$** = 5$"
    plain = to_plain(source)
    assert plain.source_span(0, len(plain.text)) == Span(0, len(source))


@given(st.lists(st.sampled_from([r"\overline{AB}", "$", "**", "= 5", " ", "∠", "40°", "AB", "，"])))
def test_markup_is_gone_after_one_pass(pieces):
    once = to_plain(" ".join(pieces)).text
    assert to_plain(once).text == once


LARGE = 200_000


@pytest.mark.parametrize(
    "unit",
    [*"\\{}$*_`^&# \n-", r"\frac{", r"\begin{", r"\begin{a", "^{", "^ { ", "^{ \\circ", "＝", "* "],
)
def test_long_repetitions_are_read_to_their_end(unit):
    source = (unit * LARGE)[:LARGE]
    plain = to_plain(source + "END")
    assert plain.text.endswith("END")
    assert len(plain.text) <= len(source) + 3


def test_a_long_mixture_is_read_to_its_end():
    draw = random.Random(7)
    source = "".join(draw.choices([*PIECES, "\n"], k=LARGE // 4))
    assert to_plain(source + " END").text.endswith(" END")
