r"""A plain text as sentences of tokens: names, quantities, words and signs.

Linear in the text's length, and nothing raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from .vocabulary import FILLER, NUMBER_WORDS, OTHER_UNITS, SAME_WORD, UNITS

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
        mark: that closes it: a stop, a line's end, or what stands where it was cut for its length.
        values: of the tokens, to look words up in.
    """

    tokens: tuple[Token, ...]
    cuts: tuple[int, ...]
    mark: str
    values: frozenset[str | float]

    def segments(self) -> Iterator[tuple[Token, ...]]:
        """The tokens between two cuts."""
        start = 0
        for cut in (*self.cuts, len(self.tokens)):
            if self.tokens[start:cut]:
                yield self.tokens[start:cut]
            start = cut + 1


_UNIT = "|".join(sorted((unit for unit in UNITS if len(unit) > 1), key=len, reverse=True))
_NAME = r"(?<![A-Za-z'])[A-Z](?:[A-Z]|'(?!s)|\d(?!\d)){0,3}(?![A-Za-z\d]| ?[²³^])"
_TOKEN = re.compile(
    r"(?=[\S\n])(?:"  # blanks start none
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
    r"|(?P<sign>[=≈<>≤≥≠+\-*/·×÷∥⊥≅∼:→()\"]))"
)
_NUMBER = re.compile(
    r"(?P<sign>-)?(?P<currency>[$£€])?\s?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d*\.?\d+)"
    r"(?P<more>\s?√\(?\d+\)?|π|[a-z](?![A-Za-z])(?:\s?[-+]\s?\d+)?(?<!\dm|\dg|\ds|\dh|\dd)"
    r"|\s?/\s?\d+(?![\d/]))?(?:\s?(?P<unit>\D+))?"
)


def sentences_of(plain: str) -> tuple[Sentence, ...]:
    """The sentences of a plain text, in one spelling, without empty ones."""
    sentences: list[Sentence] = []
    tokens: list[Token] = []
    cuts: list[int] = []

    def close(mark: str) -> None:
        if tokens:
            values = frozenset([token.value for token in tokens])
            sentences.append(Sentence(tuple(tokens), tuple(cuts), mark, values))
        tokens.clear()
        cuts.clear()

    for match in _TOKEN.finditer(plain):
        token = _token(match)
        kind, value = token.kind, token.value
        if kind == "stop" or len(tokens) >= LONGEST_SENTENCE:
            close(match[0])
        if kind == "stop":
            continue
        if value in UNITS and kind == "word" and tokens and _is_spelt(tokens[-1]):
            tokens[-1] = tokens[-1]._replace(unit=str(value))  # thirty degrees
            continue
        if value in OTHER_UNITS and tokens and _is_bare(tokens[-1]):
            tokens[-1] = tokens[-1]._replace(unit=str(value))  # 6 mV, 9 dozen
        if kind == "cut" or value in _CONJUNCTIONS:
            cuts.append(len(tokens))
        tokens.append(token)
    close("")
    return tuple(sentences)


_CONJUNCTIONS = frozenset({"and", "but", "while", "whereas", "so", "because", "since", "then"})


def _token(match: re.Match[str]) -> Token:
    spelt = match.lastgroup or "sign"
    text = match[0]
    if spelt == "name" and (text == "I" or (text == "A" and _precedes_word(match))):
        spelt = "word"
    kind, value, unit = _meaning(spelt, text)
    return Token(kind, value, unit, match.start(), match.end())


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


def root_of(word: str) -> str:
    """The root of a word in small letters, as tokens have it."""
    return str(_word(word)[1])
