"""A quote is found in its trajectory whatever happened to blanks, case and markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.annotate.validation.quotes import QuotedText
from pr1.notation import to_plain


def found(quote: str, text: str) -> str | None:
    """The words of the plain text at which the quote was found."""
    plain = to_plain(text)
    span = QuotedText(plain.text).find(quote)
    return None if span is None else plain.text[slice(*span)]


@pytest.mark.parametrize(
    ("quote", "text", "words"),
    [
        ("AB = 5", "We see that AB = 5, so", "AB = 5"),
        ("AB=5", "We see that AB = 5, so", "AB = 5"),
        ("AB  =\n 5", "We see that AB = 5, so", "AB = 5"),
        ("ab = 5", "We see that AB = 5, so", "AB = 5"),
        ("AB = 5.", "We see that AB = 5, so", "AB = 5"),
        ('"AB = 5"', "We see that AB = 5, so", "AB = 5"),
        ("AB = 5", r"We see that $\overline{AB} = 5$, so", "AB = 5"),
        (r"$\overline{AB} = 5$", "We see that AB = 5, so", "AB = 5"),
        (r"\overline{AB}=5", r"We see that **AB** = 5, so", "AB = 5"),
        ("angle is 40°", r"the angle is $40^{\circ}$", "angle is 40°"),
        ("the title is Exports", "The title is “Exports”.", 'The title is "Exports'),
        ("AB\u00a0= 5", "AB = 5", "AB = 5"),
        ("AB = 5", "AB =\n\n5", "AB =\n\n5"),
        ("图中有3个红球", "图中有 3 个红球。", "图中有 3 个红球"),
        ("AB＝5", "因为AB=5，所以", "AB=5"),
        ("İstanbul is at 5", "İstanbul is at 5", "İstanbul is at 5"),
        ("AB = 5", "İİ says AB = 5", "AB = 5"),
        ("ΟΜΟΣ is", "ΟΜΟΣ is at 5", "ΟΜΟΣ is"),
        ("the ΟΜΟ", "the ΟΜΟΣ is at 5", "the ΟΜΟ"),
    ],
)
def test_spelling_does_not_count(quote, text, words):
    assert found(quote, text) == words


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("", "AB = 5"),
        ("  .,; ", "AB = 5"),
        ("AB = 5", ""),
        ("AB = 6", "AB = 5"),
        ("AC = 5", "AB = 5"),
        ("AB ⊥ CD", "AB ∥ CD"),
        ("AB ≠ 5", "AB = 5"),
        ("x > 5", "x < 5"),
        ("at -5", "at 5"),
        ("AB equals 5", "AB = 5"),
        ("AB is long", "the long AB"),
        (r"\overline{}", "AB = 5"),
    ],
)
def test_what_is_not_there_is_not_found(quote, text):
    assert found(quote, text) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("the bar is at 25", "the bar is at 2.5"),
        ("the bar is at 2.5", "the bar is at 25"),
        pytest.param(
            *("(3, 45)", "(34, 5)"),
        ),
        ("it is at 5", "it is at 56"),
        ("it is at 5", "it is at 5.6"),
        ("1 bar", "11 bars"),
    ],
)
def test_a_quote_with_another_number_is_not_found(quote, text):
    assert found(quote, text) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [("one bar", "none. Bart says"), ("a red", "area red"), ("AB is red", "CAB is redder")],
)
def test_a_quote_starts_and_ends_with_whole_words(quote, text):
    assert found(quote, text) is None


def test_a_known_start_decides_between_two_places():
    plain = to_plain("AB = 5. Again, AB = 5.")
    second = plain.text.rindex("AB")
    assert QuotedText(plain.text).find("AB = 5", second) == (second, second + 6)
    assert QuotedText(plain.text).find("AB = 5") == (0, 6)


WORDS = st.lists(st.sampled_from("AB CD 5 2.5 = is red ∠ABC 40° 图中 有 ， . $ ** \n".split(" ")))


@given(WORDS, st.integers(0, 9), st.integers(1, 9))
def test_every_run_of_words_is_found_in_its_text(words, start, length):
    plain = to_plain(" ".join(words))
    quote = " ".join(plain.text.split()[start : start + length])
    span = QuotedText(plain.text).find(quote)
    if any(character.isalnum() for character in quote):
        assert span is not None
        same = plain.text[slice(*span)]
        assert [c for c in same if c.isalnum()] == [c for c in quote if c.isalnum()]


@given(st.text(), st.text())
def test_finding_never_raises_and_stays_inside(quote, text):
    plain = to_plain(text)
    span = QuotedText(plain.text).find(quote)
    assert span is None or 0 <= span.start < span.end <= len(plain.text)


def test_long_texts_are_searched_to_their_end():
    text = to_plain("a b " * 50_000 + "AB = 5")
    quoted = QuotedText(text.text)
    assert quoted.find("ab = 5") == (len(text.text) - 6, len(text.text))
    assert quoted.find("a b " * 40_000 + "x") is None
