"""Why a proposed fact is no visual annotation: the rules of docs/annotation-guide.md.

A trajectory is read once (`Reading`); each proposal is then asked for the first reason against it.
"""

from __future__ import annotations

import re

from ...notation import to_plain
from ...schemas.records import Problem, RejectionReason, VisualAnnotation
from ..extraction.clauses import clauses
from ..extraction.lexicon import any_of, kind_of, shared_lists, word_list
from ..extraction.stance import Stance, Stances, sentences
from .answered import is_the_answer
from .facts import Fact, is_within, numbers_with_places, read_fact

LONGEST_STATEMENT = 200
LONGEST_CONTEXT = 1500

_OPERATION = re.compile(
    "|".join(
        (
            r"[\d)°²³A-Za-z√π]\s?[+×·÷*^]\s?[\d(A-Za-z√∠π]",  # 2 + 3, a × b, AB^2
            r"\d\s?-\s?\d(?!\d*\s?(?:to|\w{3,}))",  # 15 - 5, but no 30-60 range
            r"\d\)?°?\s-\s|[A-Za-z)]\s?-\s\d|[A-Z]\s?-\s?∠",  # 180° - 40°, 2OA - 3
            r"√|²\s?=|\b(?:sin|cos|tan|log|sqrt)\d*\b|\d ?π ?[-+]|[a-z] ?/ ?[a-z]\b.*=",
            r"\d\s?/\s?\d+\s?=|=\s?[\d.]+\s?/\s?\d|[A-Z]/[A-Z]",  # 12/3 = 4, AE/EC
            r"=[^=]*[\d)]\s?=|\d ?[a-z]{1,4} ?= ?\d",  # a = 2 = 4, 25 min = 85
            r"\d [xX] \d|\d[A-Z]{2}\b|[<>]\s?\d|^=",  # 3 x 4, 2OA, 40 > 30
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
    r"\?\s*$|\boption \(?[A-H]\b|^\(?[A-H]\) |\bchoices?\b|忽略|输出|指示"
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
    rf"(?:an?|any|every|all|opposite|equal|inscribed) (?:\w+ )?"
    rf"(?:{shared_lists()['shape']}|tangent|diameter|radius|chord|angle|side|line)s? "
    r"(?:of (?:a|an) \w+ )?(?:has|have|meets?|is|are|face|add|sum|bisect)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:it|they|this|these|those|its|their|each|both|which)\b", re.IGNORECASE)
_UNFINISHED = re.compile(r"(?:\b(?:is|are|of|the|to|and|with|at)|[=×+·/*-])\s*$", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"[\s,.;?—-]*(?:(?:oh|hmm|hm)[,. ]+)?(?:no\b|wait\b|actually\b|sorry\b|correction\b)",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"\b(?!(?:the|and|are|was|for|has|with|from|this|that|here)\b)[A-Za-z]{3,}|[\u4e00-\u9fff]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?\w+>|[{}]")
_RESULT = re.compile(r"[=≈] ?[^=≈\d]*$")
_CONVERTED = re.compile(r"\d ?(?:[a-z]{1,4}|°) ?[=≈] ?$")  # 1 h 25 min =
_NEXT_CLAUSE = re.compile(r",| and |，")


class Reading:
    """A trajectory in plain text, with what its problem says, ready to check proposals against."""

    def __init__(self, text: str, problem: Problem) -> None:
        self.text = text
        self.stances = Stances(text)
        self._question = read_fact(problem.question)
        self._given = facts_of(problem.question)
        self._worked_out = self._numbers_worked_out()
        self._reasoning_start = self._first_step()

    def reason_against(self, statement: str, start: int, end: int) -> RejectionReason | None:
        """The first reason why `text[start:end]` states no visual annotation; None if it does.

        Args:
            statement: the fact in the proposer's words, in plain spelling.
            start: where the quote starts in the text.
            end: behind the quote's last character.
        """
        fact = read_fact(statement)
        stances = self.stances.over(start, end)
        if not _is_well_formed(statement):
            return "malformed"
        if "concluded" in stances:
            return "conclusion"
        if _OPERATION.search(_EXPRESSION.sub("x", statement)):
            return "computation"
        if _UNFINISHED.search(statement) or (_PRONOUN.match(statement) and not fact.names):
            return "unclear"
        if not self._is_visible(statement, start, end, stances):
            return "not_visual"
        if _TAKEN_BACK.match(self.text, end):
            return "taken_back"
        if self._is_worked_out(fact, stances, end):
            return "deduction"
        if len(list(clauses(statement, sentences(statement)))) > 1:
            return "not_atomic"
        return None

    def is_in_question(self, fact: Fact) -> bool:
        """Whether the question states the fact already."""
        return any(is_within(fact, given) for given in self._given)

    def is_stated(self, statement: str, start: int, end: int) -> bool:
        """Whether the quote, read in its sentences, says what the statement says.

        For statements in an extractor's own words. Numbers and relations stand in the sentences of
        the quote; the letters of names may stand a little before them.
        """
        first, last = self.stances.sentence_at(start), self.stances.sentence_at(end - 1)
        fact = read_fact(statement)
        around = read_fact(self.text[first.start : last.end][:LONGEST_CONTEXT])
        if not (fact.numbers - {1.0} <= around.numbers and fact.relations <= around.relations):
            return False
        before = self.text[max(0, first.start - LONGEST_STATEMENT) : last.end]
        if not set("".join(fact.names)) - {"∠"} <= set(before):
            return False
        return bool(fact.words & around.words or fact.names & around.names or fact.numbers)

    def _is_visible(self, statement: str, start: int, end: int, stances: set[Stance]) -> bool:
        fact = read_fact(statement)
        if {"planned", "general"} & stances or self._is_asked(start):
            return False
        sentence = self.stances.sentence_at(start)
        if _INSTRUCTION.search(self.text, sentence.start, max(sentence.end, end)):
            return False
        if _ASKING.search(statement) or _ASKING.search(self.text[start:end]):
            return False
        if _PICTURE_ITSELF.search(statement) or _IMPERATIVE.match(statement):
            return False
        is_general = _GENERAL.match(statement) or _GENERAL.match(self.text[start:end])
        if not has_content(statement, fact) or (is_general and not fact.names):
            return False
        return kind_of(statement) is not None

    def _is_asked(self, start: int) -> bool:
        """Whether the quote stands in a question that the text asks itself."""
        end = self.stances.sentence_at(start).end
        return self.text[end : end + 1] in ("?", "？")

    def _is_worked_out(self, fact: Fact, stances: set[Stance], end: int) -> bool:
        if self.is_in_question(fact):
            return False
        if "derived" in stances:
            return True
        if fact.names and "given" not in stances and end > self._reasoning_start:
            return True
        return any(
            isinstance(number, float) and end > self._worked_out.get(number, len(self.text))
            for number in fact.numbers - self._question.numbers
        )

    def _numbers_worked_out(self) -> dict[float, int]:
        """The numbers that first appear as a result -> where they do."""
        seen: set[float] = set()
        results: dict[float, int] = {}
        for number, place in numbers_with_places(self.text):
            if number not in seen:
                seen.add(number)
                if self._is_result(place):
                    results[number] = place
        return results

    def _first_step(self) -> int:
        """Where the first result is computed; what is said of points and lines then follows."""
        computed = (place for place in self._worked_out.values() if self._is_computed(place))
        return min(computed, default=len(self.text))

    def _is_result(self, place: int) -> bool:
        return self.stances.at(place) in ("derived", "concluded") or self._is_computed(place)

    def _is_computed(self, place: int) -> bool:
        """Whether a number is the result of an operation that stands before it."""
        start = max(self.stances.sentence_at(place).start, place - LONGEST_STATEMENT)
        before = self.text[start:place]
        before = _NEXT_CLAUSE.split(before)[-1]
        if _CONVERTED.search(before):
            return True
        return bool(_OPERATION.search(before) and _RESULT.search(before))


def with_question_marks(annotation: VisualAnnotation, problem: Problem) -> VisualAnnotation:
    """The annotation, marked for what the question and the reference answer already say."""
    fact = read_fact(annotation.statement)
    marks = {
        "in_question": any(is_within(fact, given) for given in facts_of(problem.question)),
        "equals_answer": is_the_answer(annotation.statement, fact, problem),
    }
    return annotation.model_copy(update=marks)


def facts_of(question: str) -> list[Fact]:
    """What each clause of a question says."""
    text = to_plain(question).text
    return [read_fact(clause.statement) for clause in clauses(text, sentences(text))]


def has_content(statement: str, fact: Fact) -> bool:
    """Whether a statement says something of something."""
    if fact.names or fact.relations:
        return True
    has_noun = fact.words or _NOUN.search(statement)
    return len(fact.words) >= 2 or bool(fact.numbers and has_noun)


def _is_well_formed(statement: str) -> bool:
    has_words = any(map(str.isalnum, statement))
    return has_words and len(statement) <= LONGEST_STATEMENT and not _MARKUP.search(statement)
