r"""What a text states, sentence by sentence, and with what force.

Annotations and completions are read alike: `$\overline{BA}$ is 5 units long` and `AB = 5` become
the same tokens. Linear in the text's length, and nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import NamedTuple

from ..notation import to_plain
from .cleaning import cleaned
from .force import ASSERTED, UNSAID, forces_of
from .layout import without_quotations, without_unsaid_layout
from .spelling import in_one_spelling
from .tokens import Sentence, Token, content, sentences_of
from .vocabulary import FILLER


class Reading(NamedTuple):
    """A text as it was read.

    Attributes:
        text: in plain spelling, with blanks for what is not put forward at all.
        sentences: that put something forward, with whatever force.
        values: all words, names and numbers in them.
        is_read: the text is in letters that the vocabulary has words for.
        asserted: the same of the sentences that are plainly asserted; None where all are.
    """

    text: str
    sentences: tuple[Sentence, ...]
    values: frozenset[str | float]
    is_read: bool
    asserted: Reading | None


FOREIGN_LETTERS = 5
"""So many make a text one in other letters; a few are names or signs."""

_FOREIGN = re.compile(r"[\u0400-\u1fff\u2e80-\ua7ff\uac00-\ud7ff\uf900-\ufaff]")


def read(text: str, about: Set[str] = frozenset(), *, is_guarded: bool = True) -> Reading:
    """What the text states, LaTeX or plain.

    Args:
        text: an annotation or a completion.
        about: roots of the words of the annotations asked, which a plain assertion may hold.
        is_guarded: tell what is asserted from what is only asked, supposed, quoted or hinted at;
            False is for annotations.
    """
    laid_out = without_unsaid_layout(cleaned(text)) if is_guarded else text
    plain = in_one_spelling(to_plain(laid_out).text)
    if not is_guarded:
        return _reading(plain, sentences_of(plain), None)
    plain = without_quotations(plain)
    sentences = tuple(one for one in sentences_of(plain) if not _is_row_of_words(one.tokens))
    forces = forces_of(sentences, plain, about)
    said = [one for one, force in zip(sentences, forces, strict=True) if force > UNSAID]
    firm = [one for one, force in zip(sentences, forces, strict=True) if force == ASSERTED]
    if len(firm) == len(sentences):
        return _reading(plain, sentences, None)
    asserted = _reading(_blanked_but(plain, firm), firm, None)
    return _reading(_blanked_but(plain, said), said, asserted)


def _reading(text: str, sentences: Iterable[Sentence], asserted: Reading | None) -> Reading:
    sentences = tuple(sentences)
    values = frozenset[str | float]().union(*(sentence.values for sentence in sentences))
    is_read = text.isascii() or len(_FOREIGN.findall(text)) < FOREIGN_LETTERS
    return Reading(text, sentences, values, is_read, asserted)


def _blanked_but(text: str, sentences: Iterable[Sentence]) -> str:
    """The text with blanks for all but these sentences and their closing marks, in their places."""
    parts: list[str] = []
    place = 0
    for sentence in sentences:
        start, end = sentence.tokens[0].start, sentence.tokens[-1].end
        parts += [" " * (start - place), text[start:end]]
        place = end
        if sentence.mark and text.startswith(sentence.mark, end):
            parts.append(sentence.mark)
            place += len(sentence.mark)
    return "".join([*parts, " " * (len(text) - place)])


MOST_IN_A_ROW = 8
"""So many words and numbers may stand in a row; more, with nothing between, are no sentence."""

_TIES = frozenset("=≈<>≤≥≠∥⊥≅∼:→+")


def _is_row_of_words(tokens: Iterable[Token]) -> bool:
    """Whether nothing in a longer row of words, names and numbers ties one to another."""
    tokens = tuple(tokens)
    is_tied = any(
        t.value in FILLER or t.value in _TIES or not str(t.value).isascii() for t in tokens
    )
    return not is_tied and len(content(tokens)) > MOST_IN_A_ROW
