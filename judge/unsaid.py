"""By which words a text shows that it names a fact without stating it.

Lists of data. Those of `NO_STATEMENT` make a whole sentence say nothing; each comes with triggers,
parts of words of which one is in whatever it matches: most texts hold few of them, and need not be
searched for the rest.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Wording(NamedTuple):
    """A way of putting things.

    Attributes:
        triggers: one of them is in every sentence that the pattern matches.
        pattern: of a part of a sentence in small letters.
    """

    triggers: tuple[str, ...]
    pattern: re.Pattern[str]


_SAID_BY_OTHERS = (
    r"(?:wrote|says?|said|claims?|claimed|thinks?|got|found|answered|believes?|states?)"
)
NO_STATEMENT = tuple(
    Wording(tuple(triggers.split()), re.compile(pattern, re.DOTALL))
    for triggers, pattern in (
        # It speaks to the judge, or of the judging.
        (
            "judge grade grading evaluator verdict calibration",
            r"\b(?:judges?|graders?|evaluators?|verdicts?|graded|grading|calibration item)\b",
        ),
        (
            "annotation fact statement",
            r"\b(?:annotations?|facts?|statements?)\b.{0,60}"
            r"\b(?:reflected|stated|mentioned|found|verified|true)\b",
        ),
        (
            "reflected",
            r"\breflected\b.{0,40}\b(?:reflected|annotations?|facts?)\b"
            r"|\d\s?[:=.]\s?[\"']?reflected",
        ),
        ("question: answer:", r"\b(?:question|answer): ?(?:is|are|does|do|yes|no)\b"),
        # It leaves a place for the fact.
        ("insert fill { ___", r"\b(?:insert|fill in)\b|\{\w+\}|___"),
        # Others say it.
        (
            "claim believe thinks thought wrote guessed",
            r"(?<!\bi )(?<!\bwe )"
            r"\b(?:claims?|claimed|believes?|believed|thinks|thought|wrote|guessed)\b",
        ),
        (
            "model student solver person author solution",
            r"\b(?:another|the other|some other|an?|previous|wrong) "
            rf"(?:model|student|solver|person|author|solution)\b.{{0,40}}\b{_SAID_BY_OTHERS}\b",
        ),
        (
            "someone somebody people others they friend rumor rumour",
            r"\b(?:some(?:one|body)|people|others|they|friend|rumou?r)\b.{0,20}"
            rf"\b(?:{_SAID_BY_OTHERS}|has it)\b",
        ),
        ("says said", r"\b(?:her|his|my|their|your) \w+ (?:says|said)\b|\bit is said\b"),
        (
            "key hint teacher textbook rival competitor internet reference prompt previous manual",
            r"\b(?:answer key|hint|teacher|textbook|rival|competitor|internet|reference|prompt"
            r"|previous answer|wrong answer|solution manual)\b.{0,20}"
            rf"\b(?:{_SAID_BY_OTHERS}|gives?|gave|has)\b",
        ),
        ("allegedly supposedly", r"\b(?:allegedly|supposedly)\b"),
        (
            "according",
            r"\baccording to (?:him|her|them|some|the (?:wrong|other|previous|official|answer))\b",
        ),
        (
            "repeat rephrase restate copy quote",
            r"\b(?:repeat|rephrase|restate|copy|quote)\b.{0,20}\b(?:question|problem|task)\b",
        ),
        # It is wrong, or might be said.
        (
            "lies mistake error wrong false incorrect untrue",
            r"\blies(?: when|\s?[:;,.])"
            r"|\b(?:mistake|error|wrong|false|incorrect|untrue) to \w+",
        ),
        ("anything", r"\banything but\b"),
        (
            "could might may would",
            r"\b(?:could|might|may|would like to) (?:write|say|read|claim|state|put)\b",
        ),
        ("were had should", r"^\s*(?:were|had|should)\b"),
        ("only iff", r"\b(?:only if|iff)\b"),
        ("let", r"\blet (?:∠ ?)?\w{1,4} ?= ?\d(?!.{0,200}\bread\b)"),
        # It is one of several, or as one likes.
        ("chance probabilit odds likelihood", r"\b(?:chances?|probabilit\w+|odds|likelihoods?)\b"),
        ("confiden p( p (", r"\bconfiden(?:t|ce)\b|\bp ?\([^)]{0,20}="),
        (
            "depend whichever you",
            r"\b(?:it depends|depending on|whichever|your pick)\b"
            r"|\byou (?:like|prefer|choose|want)\b",
        ),
    )
)

FROM_HERE = re.compile(
    r"\b(?:whether|suppose|supposing|supposition|assume|assuming|imagine|pretend"
    r"|hypothetically|for example|for instance|options?|choices|candidates?"
    r"|(?:possible|potential) (?:values?|answers?|readings?)"
    r"|let us say|let's say|let us take|let's take|for the sake|as though|hypothes[ie]s"
    r"|in a world|scenario|not sure"
    r"|one of|some number in|would be|would have|were to|may be|might be|might have"
    r"|can't tell|cannot tell)\b(?! (?:way|at all))"
    r"|\([A-E]\)[^.]{1,80}\([A-E]\)",
    re.IGNORECASE,
)
"""From this word on a sentence only supposes, or lists."""

CONDITION = re.compile(
    r"\b(?:if|unless|provided (?!in\b|by\b|as\b|on\b)|in case|assuming)\b", re.IGNORECASE
)
"""The clause in which it stands is supposed, too."""

ASKS = re.compile(
    r"[?？]\s*$"
    r"|[,，] ?(?:then )?(?:find|determine|calculate|compute|what(?: i|')s|how (?:long|many|much))\b"
)

TAKEN_BACK = re.compile(  # of a sentence in small letters
    r"\b(?:take|took) (?:all |everything |that |this |it )?(?:of )?(?:that |this |it )?back\b"
    r"|\b(?:all|every(?:thing| word)) (?:of )?(?:that|this|the above|above|it|these)\b"
    r".{0,40}\b(?:false|wrong|untrue|made up|invented|guess(?:es|work)?)\b"
    r"|\b(?:none|nothing) (?:of )?(?:that|this|the above|above|it|these)\b"
    r".{0,40}\b(?:true|right|correct)\b"
    r"|\bi (?:have )?(?:made .{0,20}\bup\b|invented (?:all|everything|that|this|it|them)\b)"
    r"|\b(?:disregard|ignore|forget) (?:(?:all|everything|what|of) ){0,2}"
    r"(?:that|this|it|the above|the previous|above|i (?:said|wrote))\b"
    r"|\b(?:scratch|strike) (?:that|all|this|everything)\b|\bmixed (?:.{1,12} )?up\b"
    r"|\b(?:wrong|another|different) (?:figure|picture|image|machine|problem|diagram|drawing)\b"
    r"|\b(?:both|all|these|those|they) (?:of (?:them|these|those|it) )?(?:are|were) (?:all )?"
    r"(?:wrong|false|incorrect|untrue|made up)\b"
    r"|\bfalse in every\b|\b(?:above|that) (?:is|was) (?:all )?(?:false|untrue|made up|invented)\b"
)
"""Matches a sentence, in small letters, that takes back all that stands before it."""

OPTIONS = re.compile(
    r"\b(?:[Oo]ptions?|[Cc]hoices|[Cc]andidates?)\b[^.\n]{0,30}:"
    r"(?:(?!(?<!\b[A-J])\.\s+[A-Z][a-z])[^\n])*"
)
TASK = re.compile(
    r"\b(?:Question|Problem|Task|Exercise)\s*:(?:(?!\b(?:Answer|Solution)\b)[^\n]){0,2000}"
)
TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,60}>|<!--.{0,200}?-->|```\w*")
