"""Answers in a conclusion in ordinary words, such as "So 30 units were sold in March".

Only the last sentence concludes, and only where it commits itself: it gives one value, it is
finished, and it neither asks, hedges, rejects nor announces another step. A value that a concluding
word or verb leads to is told from the numbers around it by its place: it opens the conclusion, or
stands behind a verb such as *shows*.
"""

from __future__ import annotations

import re

from .choices import Options
from .numbers import parse_number
from .prose import REJECTS, Found, IsValue, closing_value
from .sentences import sentences
from .text import plain
from .units import split_unit

_LEADS_TO = re.compile(
    r"(?:\A|[,;:，；：]\s{0,4}(?:and\s)?)\W{0,9}so\b(?!\s(?:that|far|many|much|on|long)\b)"
    r"|\b(?:thus|therefore|hence|consequently|altogether|in total)\b"
    r"|\b(?:that|this|which|it)\s(?:makes|gives|leaves)\b"
    r"|∴|⇒|\\(?:therefore|Rightarrow|implies)\b|所以|因此|因而|综上|故(?!事|障)|\A\W{0,4}答(?!案)",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:shows?|reads?|reach(?:es)?|makes?|leaves?|totals?|contains?|holds?|weighs?|costs?|takes?"
    r"|sold|needs?|has|have|had|(?:is|are|was|were)(?:\s+(?:at|only|just|exactly))?)\s+|了|共",
    re.IGNORECASE,
)
_HEDGES = re.compile(
    r"\b(?:or|if|unless|maybe|perhaps|possibly|probably|likely|might|could|would|can|either|whether"
    r"|between|than the|at least|at most|up to|too|false)\b|(?-i:\bmay\b)"
    r"|(?<!\d )\b(?:more|less|fewer) than\b|\?|？|或|可能|如果|若|不|至少|至多",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"\b(?:we|i|you|our|let|let's|assum\w*|suppose|needs? to|ha(?:ve|s) to|must|should|next|first"
    r"|remains to|steps?|cases?|equations?|unknowns?|formula)\b|需要|设|先|再|步",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"[,，]\s{0,4}which\s(?:makes|fits|matches|agrees|confirms|satisfies|checks)\b", re.IGNORECASE
)
_SOLUTION = re.compile(r"\W{0,9}(?:solution|解)\W{0,6}[:：]", re.IGNORECASE)
_NUMERAL = re.compile(
    r"\d|[½¼¾²³]|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty"
    r"|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|both|half|twice|double)\b"
    r"|一(?!共)|[二两三四五六七八九十]",
    re.IGNORECASE,
)
MAX_SENTENCE_CHARS = 1_000
MAX_VALUE_WORDS = 4


def conclude(
    text: str, is_value: IsValue, options: Options | None = None, question: str = ""
) -> Found | None:
    """The one value that the last sentence of a finished text commits itself to, or None."""
    last = sentences(text)[-1:]
    if not last or not last[0].is_finished or len(last[0].text) > MAX_SENTENCE_CHARS:
        return None
    sentence = last[0].text
    led_to, remarked = _concluded(sentence, is_value), _before_remark(sentence, is_value)
    if led_to and remarked:
        return None
    value = (
        led_to
        or remarked
        or _option_as_asked(sentence, options, question)
        or _worked_out(text, is_value)
    )
    return Found((value,)) if value else None


def _is_committed(text: str) -> bool:
    return not (_HEDGES.search(text) or _ANNOUNCES.search(text) or REJECTS.search(text))


def _concluded(sentence: str, is_value: IsValue) -> str | None:
    """The value to which the last concluding word leads."""
    ends = [match.end() for match in _LEADS_TO.finditer(sentence)]
    clauses = [clause for end in ends if (clause := sentence[end:].strip(" ,:，：*"))]
    if not clauses:
        return None
    clause = clauses[-1]
    if is_value(clause):
        return None if _ANNOUNCES.search(clause) else clause
    if not _is_committed(clause):
        return None
    starts = [0, *(match.end() for match in _STATES.finditer(clause))]
    for start in starts:
        if not _NUMERAL.search(clause[:start]) and (value := _opening_value(clause[start:])):
            return value if is_value(value) else None
    return None


_CIRCUMSTANCE = re.compile(r"\s*(?:at|for|with|when|where|after|from|by|in|on)\b", re.IGNORECASE)


def _opening_value(phrase: str) -> str | None:
    """The number, with its unit, that opens a phrase in which no other number stands."""
    computed, _, result = phrase.rpartition("=")
    if _CIRCUMSTANCE.match(computed):
        return None
    words = result.split()
    for count in range(min(MAX_VALUE_WORDS, len(words)), 0, -1):
        value = " ".join(words[:count])
        measured = plain(value)
        is_own_word = count > 1 and words[count - 1].strip(".,").isalpha()
        if is_own_word and (words[count - 1] == "in" or split_unit(measured).unit is None):
            continue
        if _NUMERAL.search(measured) and parse_number(measured):
            return None if _NUMERAL.search(" ".join(words[count:])) else value.rstrip(",，")
    return None


def _before_remark(sentence: str, is_value: IsValue) -> str | None:
    """The value that a sentence states before it adds a check to it."""
    remark = _REMARK.search(sentence)
    if remark is None or not _is_committed(sentence):
        return None
    return closing_value(sentence[: remark.start()], is_value)


_WORD = re.compile(r"[^\W\d_]{2,}")
_EMPTY_WORDS = frozenset(
    "is are was were be has have had the an of in on at by to and it its".split()
)


def _option_as_asked(sentence: str, options: Options | None, question: str) -> str | None:
    """The option of which a conclusion says just what the question asks ("So Ben is higher.")."""
    match = _LEADS_TO.search(sentence)
    if match is None or options is None or REJECTS.search(question):
        return None
    sentence, clause = plain(sentence), plain(sentence[match.end() :])
    if not _is_committed(clause):
        return None
    named = [option for option in options.texts if option and _contains(sentence, option)]
    if len(named) != 1 or not clause.casefold().startswith(named[0].casefold()):
        return None
    said = set(_WORD.findall(clause[len(named[0]) :].casefold())) - _EMPTY_WORDS
    return named[0] if said and said <= set(_WORD.findall(question.casefold())) else None


def _contains(sentence: str, option: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", sentence, re.IGNORECASE) is not None


def _worked_out(text: str, is_value: IsValue) -> str | None:
    """The end of the chain of equations that is a last line `Solution: ...`, but for a remark."""
    line = text.rstrip().rpartition("\n")[2]
    if not _SOLUTION.match(line):
        return None
    chain, *remarks = (sentence.text for sentence in sentences(line))
    is_one_chain = chain.count("=") > 1 and not re.search(r"[,;，；]", chain)
    if not is_one_chain or len(remarks) != 1 or _NUMERAL.search(remarks[0]):
        return None
    return closing_value(chain, is_value) if _is_committed(remarks[0]) else None
