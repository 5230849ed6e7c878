"""What the words of a statement alone tell against it: how it is put, not where it stands."""

from __future__ import annotations

import re

from ..extraction.clauses import has_predicate
from ..extraction.lexicon import any_of, shared_lists, word_list
from .facts import Fact

LONGEST_STATEMENT = 200

_SHAPE = shared_lists()["shape"]
_PART = "tangent|diameter|radius|radii|chord|angle|side|diagonal|line"

_OPERATION = re.compile(
    "|".join(
        (
            r"[\d)°²³A-Za-z√π]\s?[+×·÷*^]\s?[\d(A-Za-z√∠π]",  # 2 + 3, a × b, AB^2
            r"\d\s?-\s?\d(?!\d*(?:\s?(?:to|\w{3,})|:|-\d))",  # 15 - 5, but no 30-60 range
            r"\d\)?°?\s-\s|[A-Z]\s?-\s?∠",  # 180° - 40°
            r"(?<![A-Za-z][a-z])[A-Za-z)]\s?-\s\d",  # 2OA - 3, but not "Anna - 7"
            r"√|²\s?=|\b(?:sin|cos|tan|log|sqrt)\d*\b|\d ?π ?[-+a-z]|[a-z] ?/ ?[a-z]\b.*=",
            r"\b(?:minus|divided by|multiplied by)\b",
            r"\d\s?/\s?\d+\s?=|=\s?[\d.]+\s?/\s?\d|[A-Z]/[A-Z]",  # 12/3 = 4, AE/EC
            r"=[^=]*[\d)]\s?=|\d ?[a-z]{1,4} ?= ?\d",  # a = 2 = 4, 25 min = 85
            r"\d [xX] \d|\d[A-Z]{2}\b|[<>]\s?\d|^=",  # 3 x 4, 2OA, 40 > 30
            r": ?[+-] ?\d",  # 1980-1990: +6
            r"\d (?:is|are) (?:more|less|greater|smaller|larger) than \d",
            r"^[a-z](?:_?\w)? ?= ?[\d.]*[a-z](?:_?\d)?(?: |$)",  # a = 2r
        )
    )
)
# `x + 3` beside a side is a label: an expression in one variable that has no result.
_EXPRESSION = re.compile(r"(?<![A-Za-z\d])(?:y ?= ?)?\d*[a-z] ?[-+] ?\d+(?![\d.]* ?=)")
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|instructions?|annotator|assistant)\b|\boutput (?:the|an?)\b"
    r"|\b(?:return|output) ?[{A-Z]|忽略|输出|指示|\"(?:facts|quote|statement)\"",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\?\s*$|\blet me\b|\b(?:the|other) (?:statement|key insight|options?)\b"
    r"|\boption \(?[A-H]\b|^\(?[A-H]\) |\bchoices?\b|忽略|输出|指示"
    r"|\b(?:ignore|disregard|output|instructions?|annotations?|annotator|assistant|prompt|write)\b"
    r"|\bthe (?:text|test) (?:above|below)\b",
    re.IGNORECASE,
)
_PICTURE_ITSELF = re.compile(
    r"\b(?:image|picture|figure|diagram|chart|graph)\b\W+(?:shows?|depicts?|is|displays?) (?:a|an|"
    r"the) (?:\w+ ){0,2}(?:diagram|figure|image|picture|chart|graph|problem|plot)\b",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(any_of(word_list("clauses")["imperative"]), re.IGNORECASE)
_GENERAL = re.compile(
    rf"(?:an?|any|every|all|opposite|equal|inscribed) (?:\w+ )?(?:{_SHAPE}|{_PART})s? "
    r"(?:of (?:a|an) \w+ )?(?:has|have|meets?|is|are|face|add|sum|bisect)\b"
    r"|(?:(?:an?|any|every|each|all|opposite|equal|inscribed|vertical|alternate|corresponding|"
    rf"interior|central|two) )?(?:\w+ )?(?:{_SHAPE}|{_PART})s? "
    r"(?:(?!is\b|are\b|has\b|have\b)[a-z]+ ){0,8}"
    r"(?:requires?|has only|add|sum|bisect|meets? \w+ at|face|(?:is|are) (?:always |both )?(?:an?|"
    r"equal|of equal|supplementary|congruent|perpendicular|angles?|made"
    r"|the (?:same|sum|product|square)))\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"(?:in|on|at|by|after|inside|not|still|for|of|from|than|or|one in)\b[^:]*$|[^\W\d]+$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:it|they|its|their|which|this|these|those|is|are|has|have)\b"
    r"|(?:each|both)"
    r"(?= (?:is|are|was|were|has|have|of|means|makes|gives|hold)\b|$)",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(
    r"(?:\b(?:is|are|of|the|to|and|with|at|says|next to it)|[=×+·/*-])\s*$", re.IGNORECASE
)
_NOUN = re.compile(
    r"\b(?!(?:the|and|are|was|for|has|with|from|this|that|here)\b)[A-Za-z]{3,}|[\u4e00-\u9fff]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?\w+>|[{}]")
_READ_OFF = re.compile(r"\b(?:written|marked|labell?ed|drawn|shown|tick|reads)\b")
_BARE_QUANTITY = re.compile(
    r"[\d.,; ]+(?:[ap]m|km/h|%|°C?|[kcm]?[mg]|hours?|minutes?|degrees?|units?)?$"
)


def is_well_formed(statement: str) -> bool:
    """Whether it is words, of a length that a fact has, without markup."""
    has_words = any(map(str.isalnum, statement))
    return has_words and len(statement) <= LONGEST_STATEMENT and not _MARKUP.search(statement)


def is_computation(words: str) -> bool:
    """Whether an operation is carried out; an expression in one variable is a label."""
    return bool(_OPERATION.search(_EXPRESSION.sub("x", words)))


def has_operation(words: str) -> bool:
    """Whether the words hold an operation."""
    return bool(_OPERATION.search(words))


def is_unclear(statement: str, fact: Fact) -> bool:
    """Whether it breaks off, is no more than a place or a time, or speaks of an unnamed thing."""
    if _UNFINISHED.search(statement) or (_PRONOUN.match(statement) and not fact.names):
        return True
    is_short = len(statement.split()) <= 4
    return is_short and bool(_FRAGMENT.match(statement)) and not has_predicate(statement)


def is_instruction(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` tells somebody what to do with the text."""
    return bool(_INSTRUCTION.search(text, start, end))


def is_no_fact(words: str) -> bool:
    """Whether the words ask, weigh options, command, or speak of the picture as such."""
    return bool(_ASKING.search(words) or _PICTURE_ITSELF.search(words) or _IMPERATIVE.match(words))


def is_asking(words: str) -> bool:
    """Whether the words ask, or weigh options."""
    return bool(_ASKING.search(words))


def is_general(words: str) -> bool:
    """Whether the words speak of all figures of a kind."""
    return bool(_GENERAL.match(words))


def is_read_off(statement: str) -> bool:
    """Whether the words themselves say that it is written or drawn."""
    return bool(_READ_OFF.search(statement))


def has_content(statement: str, fact: Fact) -> bool:
    """Whether a statement says something of something."""
    if fact.names or fact.relations:
        return True
    if _BARE_QUANTITY.match(statement):
        return False
    has_noun = fact.words or _NOUN.search(statement)
    return len(fact.words) >= 2 or len(fact.numbers) >= 2 or bool(fact.numbers and has_noun)
