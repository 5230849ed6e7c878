"""How a text puts what it says: as seen or given, as worked out, as planned, as taken back.

A trajectory mixes them within one sentence: "since AB is a diameter, angle ACB is 90, so ...". The
stance is followed word by word: a marker opens it (`words/stances.yaml`), the next marker or the
end of the sentence ends it. A heading ("Given:") or a tag (`<CAPTION>`) sets the stance in which
the sentences under it start. Both the rules and the validation of what a model proposes ask here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from operator import attrgetter
from typing import Literal, NamedTuple

from .lexicon import any_of, word_list

LONGEST_HEADING = 90

Stance = Literal["plain", "given", "derived", "planned", "general", "concluded", "doubted"]

_SENTENCE_END = re.compile(
    r"\n+|</?[A-Za-z]{1,20}>|\[/?asy\]|[。！？；]|[!?;](?=\s|$)"
    r"|\.(?<!\be\.g\.)(?<!\bi\.e\.)(?<!etc\.)(?<!\.\.\.)(?!\.)(?=\s|$|(?<=[a-z)]\.)[A-Z])"
)
_LIST_MARK = re.compile(r"(?:^|\n)\s*\(?(?:\d{1,2}|[A-Za-z])$")
_TAG = re.compile(r"[<\[](/?)([A-Za-z]{1,20})[>\]]")
_TAG_STANCE: dict[str, Stance] = {
    "caption": "given",
    "summary": "planned",
    "conclusion": "concluded",
    "answer": "concluded",
    "asy": "general",  # a drawing in Asymptote's language
}
_SUBORDINATE = re.compile(
    r"since|because|as |given that|(?:因为|由于)(?!.*(?:所以|因此|故|则|那么|得))", re.IGNORECASE
)
_CLAUSE_END = re.compile(r"[,，](?!\d{3}\b)(?! ?(?:and|with|where|while) )")
_MAIN_CLAUSE = re.compile(r"[,，] ?(?=(?:we|then|so|it|thus|therefore|hence)\b)")
_TITLE = re.compile(r"Step \d+\b[^.]*$|(?:[A-Z][\w']* ?){1,2}$")


@cache
def _marker() -> re.Pattern[str]:
    """Matches any marker, in a group that is named for its stance."""
    listed = word_list("stances")
    stances = ("concluded", "derived", "planned", "general", "given", "doubted")
    groups = (f"(?P<{stance}>{any_of(listed[stance])})" for stance in stances)
    return re.compile("|".join(groups), re.IGNORECASE)


@cache
def _sections() -> dict[Stance, re.Pattern[str]]:
    """What a heading's words make of the lines under it; the first that matches counts."""
    listed = word_list("stances")["sections"]
    return {stance: re.compile(any_of(listed[stance]), re.IGNORECASE) for stance in listed}


class Sentence(NamedTuple):
    """A sentence: `text[start:end]`."""

    start: int
    end: int


class _Turn(NamedTuple):
    """From `position` on, the text has this stance."""

    position: int
    stance: Stance


_position = attrgetter("position")


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text; a line ends a sentence, too."""
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if match[0] == "." and _LIST_MARK.search(text, max(0, start - 1), match.start()):
            continue
        if text[start : match.start()].strip():
            found.append(Sentence(start, match.start()))
        start = match.end()
    if text[start:].strip():
        found.append(Sentence(start, len(text)))
    return found


class Stances:
    """The stance of every character of a text; a sentence is read when it is first asked about."""

    def __init__(self, text: str) -> None:
        self.sentences = sentences(text)
        self._text = text
        self._starts = [sentence.start for sentence in self.sentences]
        self._bases = _bases(text, self.sentences)
        self._known: dict[int, list[_Turn]] = {-1: [_Turn(0, "plain")]}

    def at(self, position: int) -> Stance:
        """How the text puts what stands at this position."""
        turns = self._turns(self._index_at(position))
        return turns[bisect_right(turns, position, key=_position) - 1].stance

    def over(self, start: int, end: int) -> set[Stance]:
        """All stances between two positions."""
        indices = range(self._index_at(start), self._index_at(end - 1) + 1)
        turns = [turn for index in indices for turn in self._turns(index)]
        first = bisect_right(turns, start, key=_position) - 1
        last = bisect_right(turns, end - 1, key=_position)
        return {turn.stance for turn in turns[first:last]}

    def sentence_at(self, position: int) -> Sentence:
        """The sentence around this position; an empty one where the text has none."""
        if not self.sentences:
            return Sentence(0, 0)
        return self.sentences[max(0, self._index_at(position))]

    def _index_at(self, position: int) -> int:
        """The number of the sentence around this position; -1 before the first."""
        return bisect_right(self._starts, position) - 1

    def _turns(self, index: int) -> list[_Turn]:
        if index not in self._known:
            sentence, base = self.sentences[index], self._bases[index]
            self._known[index] = _turns_in(self._text, sentence, base)
        return self._known[index]


def _bases(text: str, found: list[Sentence]) -> list[Stance]:
    """The stance in which each sentence starts."""
    bases: list[Stance] = []
    base: Stance = "plain"
    end = 0
    for sentence in found:
        base = _base_after(text[end : sentence.start], text, sentence, base)
        bases.append(base)
        end = sentence.end
    return bases


def _base_after(gap: str, text: str, sentence: Sentence, base: Stance) -> Stance:
    """The stance in which a sentence starts: its section's."""
    for closing, name in _TAG.findall(gap):
        base = "plain" if closing else _TAG_STANCE.get(name.lower(), "plain")
    if is_heading(text, sentence):
        words = text[slice(*sentence)]
        base = next((s for s, known in _sections().items() if known.search(words)), "plain")
    return base


def is_heading(text: str, sentence: Sentence) -> bool:
    """Whether the sentence is a line of its own that announces what follows."""
    before = text[max(0, sentence.start - 1) : sentence.start]
    behind = text[sentence.end : sentence.end + 1]
    if before not in ("", "\n") or behind not in ("", "\n"):
        return False
    if sentence.end - sentence.start > LONGEST_HEADING:
        return False
    words = text[slice(*sentence)].strip()
    if "=" in words or "|" in words:
        return False
    return words.endswith((":", "：")) or bool(_TITLE.match(words))


def _turns_in(text: str, sentence: Sentence, base: Stance) -> list[_Turn]:
    turns = [_Turn(sentence.start, base)]
    for marker in _marker().finditer(text, *sentence):
        if _is_name(marker[0]):
            continue
        stance: Stance = marker.lastgroup  # type: ignore[assignment]
        turns.append(_Turn(marker.start(), stance))
        if stance == "given" and _SUBORDINATE.match(text, marker.start(), sentence.end):
            # "Since X, Y": X is given, Y is worked out from it.
            comma = _MAIN_CLAUSE.search(text, marker.end(), sentence.end) or _CLAUSE_END.search(
                text, marker.end(), sentence.end
            )
            if comma:
                turns.append(_Turn(comma.end(), "derived"))
    return sorted(turns, key=_position)


def _is_name(words: str) -> bool:
    """Whether what looks like a marker is a name: the segment SO, the month May."""
    first = words.split()[0] if words.split() else ""
    return first == "May" or (len(first) > 1 and first.isascii() and first.isupper())
