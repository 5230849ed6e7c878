"""Answers in prose: "the answer is B", "False. ...", "Therefore, AB is 5 cm."."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .sentences import SENTENCE_END, TAIL_CHARS, sentences
from .shapes import read_polarity
from .text import plain, words_key

MAX_CLAUSE_CHARS = 500
MAX_BARE_CHARS = 200
MAX_BARE_WORDS = 4
PROSE_CHARS = 100_000
"""Statements are looked for in so much of a text's end: no model writes more behind its answer."""
MAX_STATEMENTS = 8

IsValue = Callable[[str], bool]
"""Whether a phrase can be an answer by itself."""


class Found(NamedTuple):
    """The answers found, verbatim: one text, or several that differ."""

    texts: tuple[str, ...]


def last_of(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    """The last match, or None when there is none."""
    last = deque(matches, maxlen=1)
    return last[0] if last else None


class _Form:
    """A form in which answers are stated; one of its words stands in all that it matches.

    Most texts hold none of them, and to look for words is far cheaper than to match.
    """

    def __init__(self, words: tuple[str, ...], pattern: str, flags: int = 0) -> None:
        self._words = words
        self._pattern = re.compile(pattern, flags)

    def matches(self, text: str, folded: str) -> Iterable[re.Match[str]]:
        """Its matches in the text, of which `folded` is the case-folded spelling."""
        holds_word = any(word in folded for word in self._words)
        return self._pattern.finditer(text) if holds_word else ()


_MARKS = r"(?:\*\*|\$|\\\(|\\\)|\"|“|”){0,3}"
_LABEL = rf"{_MARKS}(?:\\text\s?\{{)?[(\[]?[A-J][)\]]?\}}?{_MARKS}"
_IS = r"\s{0,4}(?:\*\*)?\s{0,4}(?:\bis\b|\bare\b|\bbe\b|:|：|=)(?!\s{1,4}not\b)"
_PRAISE = ("correct", "right", "best", "closest")
_STATEMENTS = [
    _Form(
        ("answer",),
        r"(?<!\bto )\banswer\b(?!\s(?:the|this|these|any|my|your|with)\b)[^\n.:：,;]{0,80}?" + _IS,
        re.IGNORECASE,
    ),
    _Form(
        (*_PRAISE, "appropriate", "final", "reasonable"),
        r"\b(?:correct|right|best|closest|appropriate|final|reasonable)\s"
        r"(?:answer\s|multiple[- ]choice\s)?"
        r"(?:option|choice|statement|letter|result|solution|estimate)s?\b[^\n.:：,;]{0,60}?" + _IS,
        re.IGNORECASE,
    ),
    _Form(
        ("choos", "select", "pick", "go with"),
        r"\b(?:choose|select|pick|go with|choosing|selecting)\s(?:the\s)?"
        rf"(?:(?:answer|option|choice|letter)\s)?(?={_LABEL}(?:[\s.,;:]|$))",
    ),
    _Form(("答案", "选项"), r"(?:答案|选项)(?:应该|应)?(?:是|为|选|：|:)"),
    _Form(("选",), r"(?:故|应|因此|所以|本题)选(?:择|项)?[:：为是]?"),
    _Form(
        ("选",),
        rf"(?:^|[\s，。,；;])选(?:择|项)?[:：为是]?(?=\s?{_LABEL}\s?(?:[。，,.；;！\n]|$))",
    ),
]
_QUOTED = r"\"[^\"\n]{1,80}\""
_IS_CORRECT = _Form(
    (*_PRAISE, "answer"),
    rf"(?P<what>(?:\b(?i:option|choice|answer)\s)?{_LABEL}|{_QUOTED})(?:[:.]?\s?{_QUOTED})?,?\s{{1,4}}"
    r"(?:is|must be|would be|should be)\s(?:the\s)?(?:only\s)?(?:most\s)?"
    r"(?:correct|right|best|closest|answer\b)",
)


def statement(text: str, is_value: IsValue) -> Found | None:
    """The answer that the last statement gives, such as "the answer is B".

    A statement that gives no value ("answer A is too long") yields to the last one that does.
    """
    text = text[-PROSE_CHARS:]
    folded = text.casefold()
    clauses: dict[int, str] = {}
    for form in _STATEMENTS:
        for match in deque(form.matches(text, folded), maxlen=MAX_STATEMENTS):
            if clause := _clause(text, match.end()):
                clauses[match.end()] = clause
    if correct := last_of(_IS_CORRECT.matches(text, folded)):
        clauses[correct.end()] = correct["what"].strip()
    for end in sorted(clauses, reverse=True):
        clause = clauses[end]
        value = clause if is_value(clause) else closing_value(clause, is_value)
        if value:
            return _with_next_lines(value, text, end, is_value)
    return Found((clauses[max(clauses)],)) if clauses else None


def _with_next_lines(answer: str, text: str, start: int, is_value: IsValue) -> Found:
    """The answer stated at `start`, and those on lines of their own right below it."""
    at = text.find(answer, start)
    end = start if at < 0 else at + len(answer)
    below = text[end : end + TAIL_CHARS].lstrip(" .*$")
    more = value_lines(below, is_value) if below.startswith("\n") else None
    return Found(tuple(dict.fromkeys((answer, *(more.texts if more else ())))))


_DISPLAY = re.compile(r"\s*(?:\\\[|\$\$|```\w*)\s*(.{1,400}?)\s*(?:\\\]|\$\$|```)", re.DOTALL)
_CLAUSE_END = re.compile(
    r"\n|。|[.!?](?=\s|\*|$)|，(?=因|所以|故)"
    r"|[,;]?\s+(?:because|since|which|where|so|given|due to|as|thus|therefore)\b",
    re.IGNORECASE,
)
_LABEL_WITH_STOP = re.compile(
    r"\s*(?:\*\*)?\s*(?:(?:option|choice)\s+)?[(\[]?[A-Ja-j][)\]]?\.(?=\s*\S)", re.IGNORECASE
)


def _clause(text: str, start: int) -> str:
    """What stands from `start` to the end of its clause, or of its displayed formula."""
    rest = text[start : start + MAX_CLAUSE_CHARS]
    if display := _DISPLAY.match(rest):
        return display[1].strip()
    rest = rest.lstrip(" \t\r\n:：*>")
    label = _LABEL_WITH_STOP.match(rest)
    begin = label.end() if label else 0
    end = _CLAUSE_END.search(rest, begin)
    clause = (rest[: end.start()] if end else rest).strip()
    if end and clause.endswith((":", "：")):
        clause = f"{clause} {rest[end.end() :].lstrip().partition(chr(10))[0]}"
    return _before_unopened_brace(clause).strip()


def _before_unopened_brace(text: str) -> str:
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return text[:at]
    return text


MAX_LINES = 16
_JOINED = re.compile(r"^\s{0,9}(?:or|and|或|和)\b", re.IGNORECASE)


def value_lines(text: str, is_value: IsValue) -> Found | None:
    """The lines that are values, when the first line is one: further ones are further answers."""
    lines = [_JOINED.sub("", line).strip() for line in text[:TAIL_CHARS].splitlines()]
    lines = [line for line in lines if line.strip(" -*_#$[]\\")][:MAX_LINES]
    values = [_value_of_line(line, is_value) for line in lines]
    if not values or values[0] is None:
        return None
    return Found(tuple(dict.fromkeys(value for value in values if value)))


def _value_of_line(line: str, is_value: IsValue) -> str | None:
    """The line when it is a value, or its first clause when only that is (`5 cm, because ...`)."""
    if is_value(line):
        return line
    end = _CLAUSE_END.search(line[:MAX_CLAUSE_CHARS])
    clause = line[: end.start()].strip() if end and end[0][-1].isalpha() else ""
    return clause if clause and is_value(clause) else None


_SENTENCE_IS = re.compile(
    r"(?:it|this|that|these|they|the)\b[^.;:]*?\b(?:is|are)\s+(?P<rest>[^.;:]+)\.?\Z", re.IGNORECASE
)


def bare_answer(text: str, is_value: IsValue) -> Found | None:
    """The answer of a response that is nothing but a few words, or one short sentence."""
    text = text.strip()
    if len(text) > MAX_BARE_CHARS or "\n" in text or not words_key(plain(text)):
        return None
    if is_value(text):
        return Found((text,))
    match = _SENTENCE_IS.match(text)
    if match and not _VERB.search(match["rest"]) and _is_short(match["rest"]):
        return Found((match["rest"],))
    return bare_words(text) if len(sentences(text)) == 1 and not _CONCLUDES.match(text) else None


def bare_words(text: str) -> Found | None:
    """All of a response that is no longer than answers in words are."""
    text = text.strip()
    is_one_line = "\n" not in text and _is_short(text) and words_key(plain(text))
    return Found((text,)) if is_one_line else None


_WORD = re.compile(r"[一-鿿]{1,2}|[^\s一-鿿]+")


def _is_short(text: str) -> bool:
    """Whether a text is no longer than answers in words are."""
    return len(text) <= MAX_BARE_CHARS and len(_WORD.findall(text)) <= MAX_BARE_WORDS


def opening(text: str, is_value: IsValue) -> Found | None:
    """The first sentence when it is a short answer, and what the last one says to the contrary."""
    text = text.lstrip()
    first = SENTENCE_END.split(text[:MAX_CLAUSE_CHARS], maxsplit=1)[0].strip()
    is_numbering = first.isdigit() and not text[len(first) :].startswith("\n")
    polarity = read_polarity(plain(first))
    is_one_line = len(text) <= MAX_BARE_CHARS and "\n" not in text.strip() and polarity is None
    if not first or is_numbering or is_one_line or not _is_short(first) or not is_value(first):
        return None
    last = sentences(text)[-1].text if sentences(text) else first
    if _is_short(last) and is_value(last):
        return Found(tuple(dict.fromkeys((first, last))))
    closing = last_sentence(text, is_value)
    if closing and polarity is not None:
        opposite = read_polarity(plain(closing.texts[0]))
        if opposite is not None and opposite != polarity:
            return Found((first, *closing.texts))
    return Found((first,))


_CONCLUDES = re.compile(
    r"\W{0,9}(?:therefore|so|thus|hence|in conclusion|finally|因此|所以|故|综上)\b|\W{0,9}∴",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:(?:is|are|was|were|be)(?:\s+at)?|of|equals?|to|as|get|gives?|has|have|measures?)\b\s*:?|[=≈:＝：]"
    r"|\\approx|\\Rightarrow|等于|约为|是|为|得|有|共",
    re.IGNORECASE,
)
_NAMED_OPTION = re.compile(
    r"\b(?:option|choice)s?\s*(?:\*\*)?(?P<a>\(?[A-J]\)?)(?![\w'])|(?P<b>\([A-Ja-j]\))"
)


REJECTS = re.compile(
    r"\b(?:not|cannot|wrong|incorrect|eliminated?|excluded?|impossible|except|neither"
    r"|(?:is|are|ruled) out)\b|n't\b",
    re.IGNORECASE,
)


_REASON = re.compile(
    r"(?<=\S)(?:(?:[,，]\s*|\s+)(?:because|since)\b|，因为)[^,;:，；：]*\Z", re.IGNORECASE
)
_SETS_UP = re.compile(
    r"(?!.*(?:\b(?:so|then|thus|therefore|hence|gives?|get)\b|∴|所以|因此|则|故|得))"
    r"(?:\W{0,9}(?:let|suppose|assume)\b"
    r"|\W{0,9}(?:find|calculate|compute|determine)\b[^=]{0,200}\b(?:if|given|when|where)\b"
    r"|\W{0,9}(?:设|已知|求))",
    re.IGNORECASE,
)


def last_sentence(text: str, is_value: IsValue) -> Found | None:
    """The value that closes the last sentence, or one of the few before that concludes."""
    for place, sentence in enumerate(reversed(sentences(text)[-6:])):
        if sentence.is_question or _SETS_UP.match(sentence.text):
            continue
        is_verdict = read_polarity(plain(sentence.text)) is not None
        if place and not is_verdict and not _CONCLUDES.match(sentence.text):
            continue
        stated = _REASON.sub("", sentence.text)
        if value := closing_value(stated, is_value) or closing_value(sentence.text, is_value):
            return Found((value,))
    return None


def closing_value(sentence: str, is_value: IsValue) -> str | None:
    """The longest value that ends the sentence behind a verb, or the one option that it names."""
    if is_value(sentence):
        return sentence
    for verb in list(_VERB.finditer(sentence[:2000]))[:64]:
        rest = sentence[verb.end() :].strip()
        if rest and is_value(rest):
            return rest
    named = {(m["a"] or m["b"]).strip("()").upper(): m for m in _NAMED_OPTION.finditer(sentence)}
    if len(named) == 1 and not REJECTS.search(sentence):
        match = next(iter(named.values()))
        return match["a"] or match["b"]
    return None
