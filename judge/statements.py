r"""What a text states, sentence by sentence: names, quantities, signs and words.

Annotations and completions are read alike: `$\overline{BA}$ is 5 units long` and `AB = 5` become
the same tokens. Linear in the text's length, and nothing raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from ..notation import to_plain
from .cleaning import cleaned
from .layout import without_unsaid_layout
from .said import said_part
from .spelling import in_one_spelling
from .vocabulary import ENGLISH, FILLER, NUMBER_WORDS, OTHER_UNITS, SAME_WORD, UNITS

Kind = Literal["name", "number", "word", "sign", "cut", "stop"]
LONGEST_SENTENCE = 120
"""In tokens; what is longer is a list or a loop, and is read in pieces of this length."""


SPELT = "spelt"
ONE = "one"
"""In the place of a unit: a number in words; `one` is as often no number: the blue one."""


class Token(NamedTuple):
    """One token of a plain text.

    Attributes:
        value: a name's letters, a word's root, a sign, or a number as `number_of` gives it.
        unit: a number's, as `UNITS` spells it; `SPELT` or `ONE` for one in words; else empty.
        start, end: in the plain text.
    """

    kind: Kind
    value: str | float
    unit: str
    start: int
    end: int


class Sentence(NamedTuple):
    """One sentence, without its closing mark.

    Attributes:
        tokens: in order, those that cut among them.
        cuts: places in `tokens` at which a comma or a conjunction cuts it.
    """

    tokens: tuple[Token, ...]
    cuts: tuple[int, ...]

    def segments(self) -> Iterator[tuple[Token, ...]]:
        """The tokens between two cuts."""
        start = 0
        for cut in (*self.cuts, len(self.tokens)):
            if self.tokens[start:cut]:
                yield self.tokens[start:cut]
            start = cut + 1


class Reading(NamedTuple):
    """A text as it was read.

    Attributes:
        text: in plain spelling.
        sentences: that state something.
        values: all words, names and numbers in them.
        is_read: the text is in letters that the vocabulary has words for.
    """

    text: str
    sentences: tuple[Sentence, ...]
    values: frozenset[str | float]
    is_read: bool


FOREIGN_LETTERS = 5
"""So many make a text one in other letters; a few are names or signs."""

_FOREIGN = re.compile(r"[\u0400-\u1fff\u2e80-\ua7ff\uac00-\ud7ff\uf900-\ufaff]")
_UNIT = "|".join(sorted((unit for unit in UNITS if len(unit) > 1), key=len, reverse=True))
_NAME = r"(?<![A-Za-z'])[A-Z](?:[A-Z]|'(?!s)|\d(?!\d)){0,3}(?![A-Za-z\d]| ?[²³^])"
_TOKEN = re.compile(
    r"(?P<lower>(?!angles?\b)[a-z]{2,}(?![\w'-]))"  # most tokens are this
    rf"|(?P<name>(?:∠|\b[Aa]ngles? )?{_NAME})"
    r"|(?P<numbered>(?:∠|\b[Aa]ngles? )(?:\d{1,2}\b|(?:one|two|three|four)\b))"
    r"|(?P<pair>\(\s*-?\d[\d.]*\s*,\s*-?\d[\d.]*\s*\))"
    r"|(?P<clock>\b\d{1,2}:\d\d\b(?!:))"
    r"|(?P<number>(?:(?<![\w)°%])(?<!\d )-)?(?:[$£€]\s?)?"
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d*\.?\d+)"
    r"(?:\s?√\(?\d+\)?|π|[a-z](?![A-Za-z])(?:\s?[-+]\s?\d+)?(?<!\dm|\dg|\ds|\dh|\dd)"
    r"|\s?/\s?\d+(?![\d/]))?"
    rf"(?:\s?(?:%|°|(?:(?i:{_UNIT})|[mgshVANΩ])(?![A-Za-z])))?)"
    r"|(?P<root>√\(?\d+\)?)"
    r"|(?P<word>(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty-)?[^\W\d_]+(?:'t\b)?)"
    r"|(?P<stop>[!?。！？\n]|\.(?!\d)(?!\w\.))"
    r"|(?P<cut>[,，、;；|])"
    r"|(?P<sign>[=≈<>≤≥≠+\-*/·×÷∥⊥≅∼:→()\"])"
)
_NUMBER = re.compile(
    r"(?P<sign>-)?(?P<currency>[$£€])?\s?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d*\.?\d+)"
    r"(?P<more>\s?√\(?\d+\)?|π|[a-z](?![A-Za-z])(?:\s?[-+]\s?\d+)?(?<!\dm|\dg|\ds|\dh|\dd)"
    r"|\s?/\s?\d+(?![\d/]))?(?:\s?(?P<unit>\D+))?"
)


def read(text: str, *, is_guarded: bool = True) -> Reading:
    """What the text states, LaTeX or plain.

    Args:
        text: an annotation or a completion.
        is_guarded: leave out what it only asks, supposes, quotes or tells the judge; False is for
            measuring what that is worth, and for annotations.
    """
    plain = in_one_spelling(to_plain(_laid_out(text) if is_guarded else text).text)
    if is_guarded:
        plain = said_part(plain)
    sentences: list[Sentence] = []
    tokens: list[Token] = []
    cuts: list[int] = []

    def close() -> None:
        if tokens and not (is_guarded and (_is_row_of_words(tokens) or _is_unread(tokens))):
            sentences.append(Sentence(tuple(tokens), tuple(cuts)))
        tokens.clear()
        cuts.clear()

    for match in _TOKEN.finditer(plain):
        token = _token(match)
        if token.kind == "stop" or len(tokens) >= LONGEST_SENTENCE:
            close()
        if token.kind != "stop":
            if token.kind == "word" and tokens and _is_spelt(tokens[-1]) and token.value in UNITS:
                tokens[-1] = tokens[-1]._replace(unit=str(token.value))  # thirty degrees
                continue
            if token.value in OTHER_UNITS and tokens and _is_bare(tokens[-1]):
                tokens[-1] = tokens[-1]._replace(unit=str(token.value))  # 6 mV, 9 dozen
            if token.kind == "cut" or token.value in _CONJUNCTIONS:
                cuts.append(len(tokens))
            tokens.append(token)
    close()
    values = frozenset(token.value for sentence in sentences for token in sentence.tokens)
    is_read = plain.isascii() or len(_FOREIGN.findall(plain)) < FOREIGN_LETTERS
    return Reading(plain, tuple(sentences), values, is_read)


_CONJUNCTIONS = frozenset({"and", "but", "while", "whereas", "so", "because", "since", "then"})


def _laid_out(text: str) -> str:
    return without_unsaid_layout(cleaned(text))


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or "sign"
    start, end = match.span()
    text = match[0]
    if kind == "name" and (text == "I" or (text == "A" and _precedes_word(match))):
        kind = "word"
    return Token(*_meaning(kind, text), start, end)


def _precedes_word(match: re.Match[str]) -> bool:
    """Whether an `A` is the article."""
    return match.string[match.end() : match.end() + 2].strip().islower()


@lru_cache(maxsize=1 << 16)
def _meaning(kind: str, text: str) -> tuple[Kind, str | float, str]:
    """A token's kind, value and unit, by the kind of its spelling."""
    match kind:
        case "lower" | "word":
            return _word(text.lower())
        case "name":
            return "name", _name(text), ""
        case "numbered":
            spelt = text.removeprefix("∠").split()[-1]
            return "name", f"∠{NUMBER_WORDS[spelt] if spelt.isalpha() else int(spelt)}", ""
        case "pair":
            return "number", "".join(text[1:-1].split()), ""
        case "clock":
            return "number", text, "clock"
        case "number":
            return _quantity(text)
        case "root":
            return "number", _spelt(text), ""
        case "stop":
            return "stop", text, ""
        case "cut":
            return "cut", text, ""
        case _:
            return "sign", text, ""


def _name(text: str) -> str:
    """The letters of segments and figures in order, an angle's as they are, but one way round."""
    letters = text.split()[-1].removeprefix("∠")
    if letters != text:
        return "∠" + min(letters, letters[::-1])
    return "".join(sorted(letters)) if letters.isalpha() else letters


def _word(word: str) -> tuple[Kind, str | float, str]:
    if (number := NUMBER_WORDS.get(word)) is not None:
        return "number", float(number), ONE if word == "one" else SPELT
    tens, _, ones = word.partition("-")
    if tens in NUMBER_WORDS and ones in NUMBER_WORDS:
        return "number", float(NUMBER_WORDS[tens] + NUMBER_WORDS[ones]), SPELT
    root = SAME_WORD.get(word) or _singular(word)
    return "word", SAME_WORD.get(root, root), ""


MOST_IN_A_ROW = 8
"""So many words and numbers may stand in a row; more, with nothing between, are no sentence."""


def _is_row_of_words(tokens: list[Token]) -> bool:
    """Whether nothing in a longer row of words, names and numbers ties one to another."""
    is_tied = any(
        t.value in FILLER or t.value in _TIES or not str(t.value).isascii() for t in tokens
    )
    return not is_tied and len(content(tokens)) > MOST_IN_A_ROW


def _is_unread(tokens: list[Token]) -> bool:
    """Whether formulas stand among words of which none is English, as far as is known."""
    words = {str(token.value) for token in tokens if token.kind == "word"}
    has_word = any(len(word) > 2 and word.isascii() for word in words)
    has_name = any(token.kind == "name" and len(str(token.value)) > 1 for token in tokens)
    return has_name and has_word and not words & ENGLISH


_TIES = frozenset("=≈<>≤≥≠∥⊥≅∼:→+")


def _is_bare(token: Token) -> bool:
    return token.kind == "number" and not token.unit


def _is_spelt(token: Token) -> bool:
    return token.kind == "number" and token.unit in (SPELT, ONE)


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word


def _quantity(text: str) -> tuple[Kind, str | float, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return "number", _spelt(text), ""
    unit = "$" if match["currency"] else (match["unit"] or "").lower()
    more = "".join((match["more"] or "").split())
    if more and not more.startswith("/"):
        return "number", _spelt(match["digits"] + more), unit
    value = float(match["digits"].replace(",", ""))
    if more and float(more[1:]):
        value /= float(more[1:])
    if not math.isfinite(value):
        return "number", match["digits"], unit
    return "number", -value if match["sign"] else value, unit


def _spelt(expression: str) -> str:
    return "".join(expression.split()).replace("(", "").replace(")", "")


def content(tokens: Iterable[Token]) -> list[Token]:
    """The names, numbers and words that carry meaning, in order."""
    return [
        token
        for token in tokens
        if token.kind in ("name", "number") or (token.kind == "word" and token.value not in FILLER)
    ]
