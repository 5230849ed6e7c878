"""Multiple choice: which of the options a text chooses, by letter, by text or by value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal, NamedTuple

from .numbers import parse_number, same_number
from .shapes import read_polarity
from .text import plain, words_key

_LETTER = r"(?:[(\[]\s*(?P<{0}>[A-Za-z])\s*[)\]]|(?P<{0}_bare>[A-Za-z]))"
_WORD = (
    r"(?:(?:the\s+)?(?:correct\s+)?(?:options?|choices?|answers?|letters?|选项|选择|选|答案)"
    r"\s*(?:is|are|是|为|:)?\s*)?"
)
_ALONE = re.compile(rf"{_WORD}{_LETTER.format('a')}\s*[.):]?\s*(?:选项|项)?\Z", re.IGNORECASE)
_LABELLED = re.compile(
    r"(?:(?:options?|choices?|选项|选)\s*)?"
    r"(?:[(\[]\s*(?P<a>[A-Za-z])\s*[)\]]\s*[:.=-]?|(?P<b>[A-Za-z])\s*[.):,;、]"
    r"|(?P<c>[A-Za-z])\s+[-=]\s|(?P<d>[A-Za-z])(?=\s*\())"
    r"\s*(?P<rest>\S.*)\Z",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?:options?|choices?|选项)\s*(?:[(\[]\s*)?(?P<a>[A-Za-z])\b[)\]]?\s*(?P<rest>.*)\Z",
    re.I | re.S,
)
_SPACED = re.compile(r"(?P<a>[A-Za-z])\s+(?P<rest>\S.*)\Z", re.DOTALL)
_SEPARATOR = re.compile(
    r"\s*(?:,\s*(?:and|or)\b|,|;|/|&|\band\b|\bor\b|和|或者|或|与)\s*", re.IGNORECASE
)
_FURTHER = re.compile(
    r"(?:^|(?<=[\s,;/&或和、]))(?:[(\[](?P<a>[A-Ja-j])[)\]]|(?P<b>[A-J])(?:[.):]|\Z))\s*"
)
_REJECTION = re.compile(
    r"\W*(?:is|was|must be|can|does|would be)?"
    r"(?:\s*not\b|n't|\s*(?:wrong|incorrect|false|impossible|out|ruled out|eliminated)\b)",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-J]{2,10}\Z")


@dataclass(frozen=True)
class Options:
    """The options of one question, as plain text, in the order A, B, C, ...

    `texts` are empty strings where only letters are known: the options stand in the picture.
    """

    texts: tuple[str, ...]

    def index_of_letter(self, letter: str) -> int | None:
        """The option with this letter, or None when there are not so many."""
        index = ascii_uppercase.find(letter.upper())
        return index if 0 <= index < len(self.texts) else None

    def indices_of_text(self, text: str) -> frozenset[int]:
        """The options that the plain text equals in words; else those that it equals in value."""
        key = words_key(text)
        if not key:
            return frozenset()
        same = [i for i, option in enumerate(self.texts) if option and words_key(option) == key]
        return frozenset(same) or self._indices_of_value(text) or self._indices_of_polarity(text)

    def _indices_of_value(self, text: str) -> frozenset[int]:
        number = parse_number(text)
        if number is None:
            return frozenset()
        options = [parse_number(option) for option in self.texts]
        for rounding in ("forms", "choices"):
            same = frozenset(
                i
                for i, option in enumerate(options)
                if option and same_number(number, option, rounding)
            )
            if same:
                return same
        return frozenset()

    def _indices_of_polarity(self, text: str) -> frozenset[int]:
        polarity = read_polarity(text)
        if polarity is None:
            return frozenset()
        return frozenset(i for i, o in enumerate(self.texts) if read_polarity(o) == polarity)


def read_options(choices: Sequence[str] | None, question: str = "") -> Options | None:
    """The options of a question: the list given, or those that the question lists; None for none.

    A list of bare letters (the options are in the picture, or in the question) takes its texts from
    the question where that lists as many; otherwise only the letters count.
    """
    listed = _listed_in(question)
    if not choices:
        return Options(tuple(listed)) if len(listed) > 1 else None
    texts = tuple(plain(_without_own_label(choice, i)) for i, choice in enumerate(choices))
    if all(_is_label(text, len(texts)) for text in texts):
        texts = tuple(listed) if len(listed) == len(texts) else ("",) * len(texts)
    return Options(texts)


def _is_label(text: str, count: int) -> bool:
    """Whether an option's text is nothing but the letter of one of `count` options."""
    letter = text.strip("()[].: ").upper()
    return not text or (len(letter) == 1 and letter in ascii_uppercase[:count])


def lettered_options(reference: str) -> Options | None:
    """Options known by their letters alone, when the plain reference is such a letter."""
    return Options(("",) * 10) if re.fullmatch(r"\(?[A-J]\)?", reference) else None


def _without_own_label(choice: str, index: int) -> str:
    label = rf"\s*\(?{ascii_uppercase[index % 26]}(?:\)|[.:、．：])\s*(?=\S)"
    match = re.match(label, choice, re.IGNORECASE)
    return choice[match.end() :] if match else choice


_MARK = re.compile(
    r"(?:(?<=\s)|(?<=[\n;；,])|^)(?:[(（]([A-Ja-j])[)）]|([A-Ja-j])[.．:：、)](?=\s*\S))"
)


def _listed_in(question: str) -> list[str]:
    """The texts of the last run `(a) ... (b) ...` or `A. ... B. ...` in the question."""
    runs: list[list[re.Match[str]]] = []
    for match in _MARK.finditer(question[:20_000]):
        letter = (match[1] or match[2]).upper()
        if letter == "A":
            runs.append([match])
        elif runs and letter == ascii_uppercase[len(runs[-1])]:
            runs[-1].append(match)
    run = next((run for run in reversed(runs) if len(run) > 1), None)
    if run is None:
        return []
    ends = [match.start() for match in run[1:]] + [len(question)]
    texts = [question[match.end() : end] for match, end in zip(run, ends, strict=True)]
    return [plain(text.split("\n\n")[0]) for text in texts]


class Chosen(NamedTuple):
    """What a text chooses.

    Attributes:
        indices: of the options; more than one under `one` have equal texts or values.
        kind: `one` option; a `set` of letters (`A, C`); `several` that contradict each other, such
            as a letter with another option's text; `none`.
    """

    indices: frozenset[int]
    kind: Literal["one", "set", "several", "none"]


_NONE = Chosen(frozenset(), "none")
_SEVERAL = Chosen(frozenset(), "several")


def choose(text: str, options: Options) -> Chosen:
    """The options that the plain text chooses, by letter, text or value."""
    if match := _ALONE.match(text):
        index = options.index_of_letter(match["a"] or match["a_bare"])
        if index is not None and (match["a"] or not _is_text_of_another(text, index, options)):
            return Chosen(frozenset({index}), "one")
    if same := options.indices_of_text(text):
        return Chosen(same, "one")
    if letters := _letters(text, options):
        return Chosen(letters, "one" if len(letters) == 1 else "set")
    labelled = _labelled(text, options)
    if labelled is not None:
        return labelled
    return _SEVERAL if len(_offered_texts(text, options)) > 1 else _NONE


def _labelled(text: str, options: Options) -> Chosen | None:
    """What a text with a letter and more behind it chooses (`B. 25`, `option B since ...`)."""
    for pattern in (_LABELLED, _NAMED, _SPACED):
        if (match := pattern.match(text)) is None:
            continue
        parts = match.groupdict()
        index = options.index_of_letter(next(parts[name] for name in "abcd" if parts.get(name)))
        if index is None:
            continue
        rest = plain(parts["rest"])
        meant = options.indices_of_text(rest)
        if pattern is _SPACED and index not in meant:
            continue
        if not meant and _REJECTION.match(rest):
            return _NONE
        if (meant and index not in meant) or (not meant and _offers_more(rest, index, options)):
            return _SEVERAL
        return Chosen(frozenset({index}), "one")
    return None


def _is_text_of_another(text: str, index: int, options: Options) -> bool:
    """Whether a bare lower-case letter is rather the text of an option (`x`)."""
    same = [i for i, option in enumerate(options.texts) if option and option == text]
    return bool(same) and index not in same and not text.isupper()


def _letters(text: str, options: Options) -> frozenset[int]:
    """The several options that the text names by nothing but their letters."""
    parts = list(text) if _RUN.match(text) else _SEPARATOR.split(text)
    if len(parts) < 2 or len(parts) > 26:
        return frozenset()
    matches = [
        _ALONE.match(part.removeprefix("either ").removeprefix("both ").strip()) for part in parts
    ]
    letters = [match["a"] or match["a_bare"] for match in matches if match]
    indices = [options.index_of_letter(letter) for letter in letters]
    if len(letters) != len(parts) or None in indices:
        return frozenset()
    return frozenset(index for index in indices if index is not None)


def _offers_more(rest: str, index: int, options: Options) -> bool:
    """Whether further options are offered behind the first letter: `(A) 30 or (B) 40`."""
    own = options.texts[index].casefold()
    if own and rest.casefold().startswith(own):
        behind = options.indices_of_text(_SEPARATOR.sub(" ", rest[len(own) :]).strip())
        if behind and index not in behind:
            return True
    for match in _FURTHER.finditer(rest):
        other = options.index_of_letter(match["a"] or match["b"])
        if other is None or other == index:
            continue
        behind_letter = _SEPARATOR.sub(" ", rest[match.end() :]).strip()
        if not behind_letter or _FURTHER.match(behind_letter):
            return True
        if words_key(behind_letter).startswith(words_key(options.texts[other])):
            return True
    return False


def _offered_texts(text: str, options: Options) -> frozenset[int]:
    parts = _SEPARATOR.split(text)[:64]
    return frozenset(i for part in parts for i in options.indices_of_text(part))
