"""With what force a sentence is put forward: plainly asserted, hinted at, or not said at all.

A list of wordings that quote, suppose or take back is never complete: whoever wants to be paid for
a fact without stating it finds one more. So the question is put the other way round. A sentence is
*asserted* only where it is built of words that are known to be plain (`words/plain.yaml`), words of
the annotations asked, and things that are counted. One unknown word makes it a *hint*: it can
contradict a fact, but reflects none. Words that suppose, and questions, make it *unsaid*.

Linear in the text's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import pairwise

from .lexicon import plain_words, signals
from .tokens import ONE, SPELT, Sentence, Token
from .vocabulary import DENIALS, FILLER

UNSAID, HINTED, ASSERTED = range(3)


def forces_of(sentences: Sequence[Sentence], text: str, about: Set[str]) -> list[int]:
    """The force of each sentence: `UNSAID`, `HINTED` or `ASSERTED`.

    Args:
        sentences: of the text, in order.
        text: in plain spelling.
        about: roots of words that a plain assertion may hold.
    """
    about = about - signals("unreal")
    forces = [_force(sentence, text, about) for sentence in sentences]
    is_taken_back = False
    for place in range(len(sentences) - 1, -1, -1):
        sentence = sentences[place]
        is_suspect = forces[place] != ASSERTED or _denies(sentence)
        if is_taken_back:
            forces[place] = min(HINTED, forces[place])
        if is_suspect and not _speaks_of(about, sentence):
            is_taken_back |= _takes_back(sentence)
            if place and _is_outcry(sentence):
                forces[place - 1] = min(HINTED, forces[place - 1])
    return forces


def _force(sentence: Sentence, text: str, about: Set[str]) -> int:
    """The force of a sentence that stands alone."""
    if sentence.mark in ("?", "？") or _asks(sentence) or _supposes(sentence, text):
        return UNSAID
    if sentence.mark in ("!", "！") or _holds("offers", sentence):
        return HINTED
    return ASSERTED if all(_are_plain(sentence.tokens, about)) else HINTED


def _holds(group: str, sentence: Sentence) -> bool:
    """Whether a word of the group stands in the sentence."""
    return not signals(group).isdisjoint(sentence.values)


def _asks(sentence: Sentence) -> bool:
    """Whether the sentence begins as a question does (`Is AB = 5.`), or sets a task."""
    tokens = sentence.tokens
    is_formula = len(tokens) > 1 and tokens[1].kind == "sign"
    if tokens[0].value in signals("asking") and not is_formula:
        return True
    return _holds("tasks", sentence) and any(
        token.value in signals("tasks") and (place == 0 or tokens[place - 1].kind == "cut")
        for place, token in enumerate(tokens)
    )


def _supposes(sentence: Sentence, text: str) -> bool:
    """Whether a word supposes; `may` does, and the month does not."""
    return _holds("unreal", sentence) or (
        "may" in sentence.values
        and any(token.value == "may" and text[token.start].islower() for token in sentence.tokens)
    )


def _are_plain(tokens: Sequence[Token], about: Set[str]) -> Iterator[bool]:
    """Of each word and name, whether a plain assertion may hold it."""
    known = plain_words()
    quotes = sum(token.value == '"' for token in tokens)
    is_label = False
    for place, token in enumerate(tokens):
        if token.value == '"' and quotes % 2 == 0:
            is_label = not is_label
        elif token.kind == "name":
            yield str(token.value).lower() not in signals("shouted")
        elif token.kind == "word" and not is_label:
            word = str(token.value)
            yield (
                (word in known or word in about or _fits(word, place, tokens, about))
                and not (word in signals("perceives") and _is_peoples(place, tokens))
            )


def _fits(word: str, place: int, tokens: Sequence[Token], about: Set[str]) -> bool:
    """Whether a word that is plain in some places only is so here."""
    before = tokens[place - 1] if place else None
    if word in signals("tells"):
        return before is not None and (before.value in signals("sources") or before.value in about)
    if word in signals("own"):
        return before is not None and (before.value in ("i", "we") or before.unit == ONE)
    if word in signals("others"):
        return not any(token.value in signals("pictures") for token in tokens)
    if before is not None and before.kind == "number" and before.unit in ("", SPELT, ONE):
        return True  # what is counted
    return _is_symbol(word) or _is_plain_chinese(word) or _has_own_value(tokens, place)


def _is_peoples(place: int, tokens: Sequence[Token]) -> bool:
    """Whether people in the picture, or out of it, do what a verb says."""
    before = [token.value for token in tokens[max(0, place - 2) : place]]
    return any(word in signals("people") for word in before) and not {"i", "we"} & {*before}


def _is_symbol(word: str) -> bool:
    """Whether the word is a letter of mathematics, or a few with a power: `x`, `OM²`."""
    return len(word) == 1 or (not word.isalpha() and len(word) < 4 and word.rstrip("²³").isalpha())


def _is_plain_chinese(word: str) -> bool:
    letters = [letter for letter in word if not letter.isascii()]
    return bool(letters) and signals("chinese").issuperset(letters)


def _has_own_value(tokens: Sequence[Token], place: int) -> bool:
    """Whether an unknown word is one of a list with a value of its own: `Apple with 12, Plum 8`."""
    behind = tokens[place + 1 : place + 4]
    if behind and behind[0].value in signals("gives"):
        behind = behind[1:]
    if not behind or behind[0].kind != "number":
        return False
    return len(behind) == 1 or behind[1].kind == "cut" or behind[1].value in ("and", ")")


def _denies(sentence: Sentence) -> bool:
    return _holds("how_much", sentence) or not DENIALS.isdisjoint(sentence.values)


def _speaks_of(about: Set[str], sentence: Sentence) -> bool:
    """Whether the sentence speaks of what is asked, and not only of the text before it."""
    return bool((sentence.values & about) - FILLER)


def _takes_back(sentence: Sentence) -> bool:
    """Whether the sentence speaks of what stands before it: `none of this`, `the lines above`."""
    if _holds("how_much", sentence) and _holds("before", sentence):
        return True
    if not _holds("pointing", sentence):
        return False
    values = [token.value for token in sentence.tokens if token.value != "of"]
    if len(values) > 1 and values[0] in signals("pointing") and values[1] in ("was", "were"):
        return True
    return any(
        one in signals("how_much") and other in signals("pointing")
        for one, other in pairwise(values)
    )


LONGEST_OUTCRY = 3
"""In words; so few that stand alone speak of what was said last: `Nonsense.`, `Not so.`"""


def _is_outcry(sentence: Sentence) -> bool:
    """Whether it speaks of the sentence before it: a few words, or some more on a source."""
    words = [token.value for token in sentence.tokens]
    is_on_source = bool(set(words[:2]) & (signals("pointing") | signals("sources")))
    longest = 2 * LONGEST_OUTCRY if is_on_source else LONGEST_OUTCRY
    return len(words) <= longest and all(token.kind == "word" for token in sentence.tokens)
