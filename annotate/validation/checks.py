"""Why a proposed fact is no visual annotation: the rules of docs/annotation-guide.md.

A trajectory is read once (`Reading`); each proposal is then asked for the first reason against it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ...notation import to_plain
from ...schemas.records import Problem, RejectionReason, VisualAnnotation
from ..extraction.clauses import clauses
from ..extraction.lexicon import kind_of
from ..extraction.stance import Stance, Stances, sentences
from .answered import is_the_answer
from .facts import Fact, is_within, read_fact
from .steps import Steps
from .wording import (
    LONGEST_STATEMENT,
    has_content,
    is_asking,
    is_computation,
    is_general,
    is_instruction,
    is_no_fact,
    is_unclear,
    is_well_formed,
)

LONGEST_CONTEXT = 1500
ENOUGH_SENTENCES = 3

_TAG_QUESTION = re.compile(r", (?:or|right|is it|isn't it|correct)\b", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"[\s,.;?—-]*(?:(?:oh|hmm|hm)[,. ]+)?"
    r"(?:no\b|(?:wait|actually|sorry|correction)\b(?![^.?!\n]*\?))",
    re.IGNORECASE,
)


class Reading:
    """A trajectory in plain text, with what its problem says, ready to check proposals against."""

    def __init__(self, text: str, problem: Problem) -> None:
        self.text = text
        self._problem = problem
        self.stances = Stances(text)
        self._given = facts_of(problem.question)
        self._steps = Steps(text, self.stances, read_fact(problem.question))

    def reason_against(self, statement: str, start: int, end: int) -> RejectionReason | None:
        """The first reason why `text[start:end]` states no visual annotation; None if it does.

        Args:
            statement: the fact in the proposer's words, in plain spelling.
            start: where the quote starts in the text.
            end: behind the quote's last character.
        """
        fact = read_fact(statement)
        stances = self.stances.over(start, end)
        if not is_well_formed(statement):
            return "malformed"
        if "concluded" in stances or self._is_last_word(statement, fact, start):
            return "conclusion"
        if is_computation(statement):
            return "computation"
        if is_unclear(statement, fact):
            return "unclear"
        if not self._is_visible(statement, fact, start, end, stances):
            return "not_visual"
        if _TAKEN_BACK.match(self.text, end):
            return "taken_back"
        if not self.is_in_question(fact) and self._steps.include(statement, fact, stances, end):
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
        the quote; the letters of names may stand a little before them. Words that compute state
        no reading, however their result is put.
        """
        if is_computation(self.text[start:end]):
            return False
        first, last = self.stances.sentence_at(start), self.stances.sentence_at(end - 1)
        fact = read_fact(statement)
        around = read_fact(self.text[first.start : last.end][:LONGEST_CONTEXT])
        if not (fact.numbers - {1.0} <= around.numbers and fact.relations <= around.relations):
            return False
        before = self.text[max(0, first.start - LONGEST_STATEMENT) : last.end]
        if not set("".join(fact.names)) - {"∠"} <= set(before):
            return False
        return bool(fact.words & around.words or fact.names & around.names or fact.numbers)

    def _is_visible(
        self, statement: str, fact: Fact, start: int, end: int, stances: set[Stance]
    ) -> bool:
        if {"planned", "general"} & stances or self._is_asked(start):
            return False
        sentence = self.stances.sentence_at(start)
        if is_instruction(self.text, sentence.start, max(sentence.end, end)):
            return False
        quote = self.text[start:end]
        if is_no_fact(statement) or is_asking(quote) or not has_content(statement, fact):
            return False
        if not fact.names and (is_general(statement) or is_general(quote)):
            return False
        return kind_of(statement) is not None

    def _is_last_word(self, statement: str, fact: Fact, start: int) -> bool:
        """Whether the text ends, after other sentences, on this and it is the answer."""
        found = self.stances.sentences
        if len(found) < ENOUGH_SENTENCES or start < found[-1].start:
            return False
        return is_the_answer(statement, fact, self._problem)

    def _is_asked(self, start: int) -> bool:
        """Whether the quote stands in a question that the text asks itself."""
        end = self.stances.sentence_at(start).end
        if self.text[end : end + 1] not in ("?", "？"):
            return False
        return not _TAG_QUESTION.search(self.text, start, end)


def with_question_marks(annotation: VisualAnnotation, problem: Problem) -> VisualAnnotation:
    """The annotation, marked for what the question and the reference answer already say."""
    fact = read_fact(annotation.statement)
    marks = {
        "in_question": any(is_within(fact, given) for given in facts_of(problem.question)),
        "equals_answer": is_the_answer(annotation.statement, fact, problem),
    }
    return annotation.model_copy(update=marks)


@lru_cache(maxsize=256)
def facts_of(question: str) -> tuple[Fact, ...]:
    """What each clause of a question says."""
    text = to_plain(question).text
    return tuple(read_fact(clause.statement) for clause in clauses(text, sentences(text)))
