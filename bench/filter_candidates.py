"""What a learned filter of extraction has to choose from: candidates, and what is known of each.

Candidates are everything that the rules propose, whatever the validation thinks of it, and the
clauses whose kind no word list knows.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from itertools import combinations, pairwise
from typing import TypeAlias
from unittest import mock

import numpy as np
from labelled import Labelled
from matching import Span, Stated, is_hit, matches
from scores import Tally

from pr1.annotate.extraction import rules
from pr1.annotate.extraction.lexicon import kind_of
from pr1.annotate.extraction.proposal import Proposal
from pr1.annotate.validation import validate
from pr1.annotate.validation.checks import Reading
from pr1.annotate.validation.facts import is_same, numbers_with_places, read_fact
from pr1.annotate.validation.merge import merge_facts
from pr1.notation import PlainText, to_plain
from pr1.schemas.records import RejectionReason, Trajectory

_CUES = {
    "observes": r"\b(?:see|seen|observ\w+|read|notic\w+|shows?|shown|labell?ed|marked|looking"
    r"|drawn|figure|diagram|image|picture|chart|graph|table|indicat\w+)\b|[图标看]",
    "gives": r"\b(?:given|since|because|known|stated|where)\b|已知|因为|由于",
    "deduces": r"\b(?:so|thus|therefore|hence|then|means|gives|get|obtain|conclude|must|using"
    r"|by the|according|sum|total|difference)\b|因此|所以|[得则故⇒∴]",
    "plans": r"\b(?:need|find|let|if|can|could|would|should|will|assume|suppose)\b|[求设]",
    "generalizes": r"\b(?:always|any|every|theorem|property|formula|rule)\b|定理|公式|性质",
    "denies": r"\b(?:not|no|never|without|isn't|doesn't)\b|[不没]",
    "computes": r"[\d)°²A-Za-z]\s?[+×·÷*^/]\s?[\d(A-Za-z√∠π]|\d\s?[-−]\s?\d",
}
_CUE = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _CUES.items()}
_LIST_ITEM = re.compile(r"\s*(?:[-*•]|\(?\d{1,2}[.)])\s")
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{1,4}'?(?![a-z])")
_WORD = re.compile(r"[a-z]+|\d|[\u4e00-\u9fff]|[=∥⊥∠°]")

Features: TypeAlias = dict[str, float]


class Case:
    """A trajectory with the candidates for its annotations.

    Attributes:
        collection: whose labels they are: gold, ours, real.
        facts: the candidates as checked facts, whatever the validation says of them.
        reasons: what the validation has against each, or None.
        features: of each candidate, by name; those that are 0 may be missing.
        is_right: whether each hits a labelled fact.
    """

    def __init__(self, one: Labelled, collection: str) -> None:
        self.one, self.collection = one, collection
        text = to_plain(one.text)
        reading = Reading(text.text, one.problem)
        proposals = _proposals(text)
        self.facts = _as_if_checked(proposals, one, text)
        self.reasons: list[RejectionReason | None] = []
        self.features: list[Features] = []
        for proposal, fact in zip(proposals, self.facts, strict=True):
            span = Span(proposal.start, proposal.start + len(proposal.quote))
            reason = reading.reason_against(proposal.statement, *span)
            self.reasons.append(reason)
            self.features.append(_features(fact, reason, reading, one, span))
        for fact, features in zip(self.facts, self.features, strict=True):
            same = [other for other in self.facts if is_same(other.fact, fact.fact)]
            features["said again"] = min(len(same) - 1, 3) / 3
            features["accepted in the text"] = self.reasons.count(None) / len(self.reasons)
        labels = [fact.stated for fact in one.facts]
        self.is_right = [any(is_hit(s, label, one.text) for label in labels) for s in self._stated]

    @cached_property
    def _stated(self) -> list[Stated]:
        return [Stated(fact.statement, (Span(*fact.place),)) for fact in self.facts]

    @cached_property
    def now(self) -> Tally:
        """How the pipeline does as it is."""
        return self.tally(tuple(reason is None for reason in self.reasons))

    @cached_property
    def best(self) -> Tally:
        """How a perfect filter of the candidates would do."""
        pairs = matches(self._stated, [fact.stated for fact in self.one.facts], self.one.text)
        return Tally(len(pairs), len(pairs), len(self.one.facts))

    @cache  # noqa: B019 - the cases live as long as the process
    def tally(self, kept: tuple[bool, ...]) -> Tally:
        """How the kept candidates do, once they are merged."""
        accepted = [fact for fact, keep in zip(self.facts, kept, strict=True) if keep]
        merged, _ = merge_facts([validate.Stated(accepted, [])], min_support=1)
        found = [Stated(a.statement, (Span(a.start, a.end),)) for a in merged]
        pairs = matches(found, [fact.stated for fact in self.one.facts], self.one.text)
        return Tally(len(pairs), len(found), len(self.one.facts))


def _proposals(text: PlainText) -> list[Proposal]:
    """What the rules propose when a clause of no known kind is of kind `other`."""
    with mock.patch.object(rules, "kind_of", lambda statement: kind_of(statement) or "other"):
        proposed = list(rules.propose_by_rules(text))
    return [p._replace(statement=to_plain(p.statement).text.strip()) for p in proposed]


def _as_if_checked(
    proposals: list[Proposal], one: Labelled, text: PlainText
) -> list[validate.Checked]:
    """The proposals as if the validation had nothing against them."""
    trajectory = Trajectory(id=one.id, problem_id=one.problem.id, text=one.text)
    with mock.patch.object(Reading, "reason_against", return_value=None):
        return validate.validate(proposals, trajectory, text, one.problem).accepted


def _features(
    checked: validate.Checked,
    reason: RejectionReason | None,
    reading: Reading,
    one: Labelled,
    span: Span,
) -> Features:
    start, end = span
    text, fact, statement = reading.text, checked.fact, checked.statement
    question = read_fact(one.problem.question)
    sentence = reading.stances.sentence_at(start)
    index = reading.stances.sentences.index(sentence)
    before = text[max(sentence.start, start - 60) : start]
    parts = {
        "before": before,
        "quote": text[start:end],
        "after": text[end : sentence.end],
        "earlier": text[: sentence.start],
    }
    numbers = {number for number in fact.numbers if isinstance(number, float)}
    earlier = {number for number, place in numbers_with_places(text) if place < start}
    found: Features = {
        f"reason {reason}": 1,
        f"kind {checked.kind}, listed {kind_of(statement) is not None}": 1,
        "place": start / len(text),
        "sentence": min(index, 10) / 10,
        "is last": index == len(reading.stances.sentences) - 1,
        "sentences": np.log1p(len(reading.stances.sentences)) / 3,
        "statement length": len(statement) / 100,
        "quote length": (end - start) / 100,
        "share of sentence": (end - start) / max(1, sentence.end - sentence.start),
        "words": len(fact.words) / 8,
        "has number": bool(numbers),
        "has name": bool(fact.names),
        "is equation": "=" in statement,
        "in question": checked.in_question,
        "is answer": checked.equals_answer,
        "new number": bool(numbers - question.numbers - earlier),
        "worked out": any(follows(number, earlier) for number in numbers - question.numbers),
        "in list": bool(_LIST_ITEM.match(text, text.rfind("\n", 0, start) + 1)),
        "has choices": bool(one.problem.choices),
    }
    found |= {f"relation {name}": 1 for name in fact.relations}
    found |= {f"stance {stance}": 1 for stance in reading.stances.over(start, end)}
    for name, cue in _CUE.items():
        found |= {f"{name} {part}": 1 for part, words in parts.items() if cue.search(words)}
    said, ahead = _words(statement), _words(before)[-4:]
    found |= {f"says {word}": 1 for word in said} | {f"after {word}": 1 for word in ahead}
    found |= {f"says {' '.join(two)}": 1 for two in pairwise(said)}
    return {name: float(value) for name, value in found.items() if value}


def _words(text: str) -> list[str]:
    """The words, with all names and all digits alike."""
    plain = _NAME.sub(" name ", text).lower()
    return ["0" if word.isdigit() else word for word in _WORD.findall(plain)]


def follows(number: float, earlier: set[float]) -> bool:
    """Whether an operation on one or two of the earlier numbers gives the number."""
    alone = (v for a in earlier - {number} for v in (180 - a, 90 - a, 2 * a, a / 2, a * a))
    both = (
        v
        for a, b in combinations(sorted(earlier)[:25], 2)
        for v in (a + b, b - a, a * b, 180 - a - b, a / b if b else 0, b / a if a else 0)
    )
    return any(abs(value - number) < 1e-6 for values in (alone, both) for value in values)
