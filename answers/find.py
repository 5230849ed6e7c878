r"""Finding: which part of a response is its answer.

A response is read from its most formal place to its least, and the first place that holds something
decides:

1. only what follows the last `</think>` counts; a `<think>` that is never closed leaves nothing but
   what is declared as the answer (2 to 5);
2. the last `<answer>`, closed or not; in it again a box, a statement, or all of it;
3. every `\boxed{...}`: different ones are several answers;
4. what follows the last heading such as `Final answer:`, or stands in the last `<CONCLUSION>`;
5. the last statement: "the answer is ...", "choose ...", "... is correct", 答案是 ...;
6. a response that is nothing but a short answer, or opens with a sentence that is nothing else
   ("False. The chord misses the centre."), unless it closes with the opposite;
7. the value in which the last sentence ends ("Therefore, AB is 5 cm.");
8. the one value to which it commits itself otherwise ("So 30 units were sold in March.");
9. a response that is nothing but a few words: all of them.

Tags and boxes are looked for in the whole response, in linear time; the rest, at its ends.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from .choices import Options
from .conclusion import conclude
from .prose import (
    MAX_CLAUSE_CHARS,
    PROSE_CHARS,
    Found,
    IsValue,
    bare_answer,
    bare_words,
    last_of,
    last_sentence,
    opening,
    statement,
    value_lines,
)
from .text import plain, read_group, repair_escapes, words_key

MAX_BOXES_READ = 1_000
MAX_BOXES = 16

_THINK = re.compile(r"<\s{0,3}think\s{0,3}>", re.IGNORECASE)
_END_OF_THINK = re.compile(r"<\s{0,3}/\s{0,3}think\s{0,3}>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,3}(?=\{)|\\boxed\s{1,3}(?=[\w-])")
_HEADING = re.compile(
    r"(?:^|\n)[ \t]{0,8}(?:#{1,6}[ \t]{0,4}|\*\*[ \t]{0,4})?(?:step \d{1,3}[:.][ \t]{0,4})?"
    r"(?:the[ \t]{1,4})?(?:final[ \t]{1,4}answer|answer|conclusion|最终答案|答案)(?:[ \t]{1,4}is)?"
    r"[ \t]{0,4}(?:\*\*)?[ \t]{0,4}(?::|：|\n)[ \t]{0,4}(?:\*\*)?",
    re.IGNORECASE,
)


def find_answers(
    response: str, is_value: IsValue, options: Options | None = None, question: str = ""
) -> Found | None:
    """The answers that the response offers, or None when it offers none.

    Args:
        response: any text; its length costs linear time.
        is_value: whether a phrase can be an answer by itself: a number, an option's text.
        options: those of the question, where it has any.
        question: a conclusion that names an option is one only where it says what is asked.
    """
    part = _final_part(repair_escapes(response))
    answer = _last_tagged(part.text, "answer")
    if answer is not None:
        return _declared(answer, is_value) or _whole(answer, is_value)
    conclusion = _last_tagged(part.text, "conclusion")
    text = part.text if conclusion is None else conclusion
    found = _declared(text, is_value)
    if found or part.is_unfinished:
        return found
    return (
        opening(text, is_value)
        or bare_answer(text, is_value)
        or last_sentence(text, is_value)
        or conclude(text, is_value, options, question)
        or bare_words(text)
    )


class _Part(NamedTuple):
    text: str
    is_unfinished: bool


def _final_part(response: str) -> _Part:
    """What counts of a response: all behind its thinking, or an unfinished thinking itself."""
    closed = last_of(_END_OF_THINK.finditer(response))
    if closed:
        return _Part(response[closed.end() :], False)
    opened = last_of(_THINK.finditer(response))
    return _Part(response[opened.end() :], True) if opened else _Part(response, False)


def _last_tagged(text: str, name: str) -> str | None:
    """What follows the last `<name>`, up to `</name>` where that comes."""
    tag = last_of(re.finditer(rf"<\s{{0,3}}{name}\s{{0,3}}>", text, re.IGNORECASE))
    if tag is None:
        return None
    end = re.compile(rf"<\s{{0,3}}/\s{{0,3}}{name}\s{{0,3}}>", re.IGNORECASE).search(
        text, tag.end()
    )
    return text[tag.end() : end.start() if end else len(text)]


def _declared(text: str, is_value: IsValue) -> Found | None:
    """The answer in boxes, under a heading, or in a statement."""
    if boxes := _boxes(text):
        return Found(boxes)
    heading = _last_heading(text)
    if heading is not None:
        under = value_lines(heading, is_value) or statement(heading, is_value)
        return under or _whole(heading, is_value)
    return statement(text, is_value)


def _boxes(text: str) -> tuple[str, ...]:
    """The contents of the boxes that differ, in order."""
    boxes: dict[str, str] = {}
    seen = set()
    for match in _last_few(_BOX.finditer(text), MAX_BOXES_READ):
        group = read_group(text, match.end())
        inside = group.inside if group else text[match.end() : match.end() + 80].split()[0]
        if inside in seen:
            continue
        seen.add(inside)
        if key := words_key(plain(inside)):
            boxes.setdefault(key, inside.strip())
        if len(seen) == MAX_BOXES:
            break
    return tuple(boxes.values())


def _last_few(matches: Iterable[re.Match[str]], count: int) -> deque[re.Match[str]]:
    return deque(matches, maxlen=count)


def _last_heading(text: str) -> str | None:
    text = text[-PROSE_CHARS:]
    heading = last_of(_HEADING.finditer(text))
    below = text[heading.end() :] if heading else ""
    return below if below.strip() else None


def _whole(text: str, is_value: IsValue) -> Found | None:
    """The answer in a place that was declared to hold one: its value, or else all of it."""
    text = text.strip()
    if not text:
        return None
    found = value_lines(text, is_value) or last_sentence(text, is_value)
    return found or Found((text[:MAX_CLAUSE_CHARS],))
