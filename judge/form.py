"""The form of a model's answer: the number and the letter of every annotation, `1r2a3c`.

One string that a server can enforce letter by letter: two tokens for each annotation up to the
ninth, and none can be left out, doubled or moved to another place unnoticed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, StringConstraints, create_model

from ..schemas.outcomes import VerdictWord

WORDS: dict[str, VerdictWord] = {"r": "reflected", "a": "absent", "c": "contradicted"}
_BETWEEN = re.compile(r"[\s,;:.|\-]+")


@cache
def verdict_form(count: int) -> type[BaseModel]:
    """The form of an answer about so many annotations, 1 or more."""
    pattern = "^" + "".join(f"{number}[rac]" for number in range(1, count + 1)) + "$"
    letters = Annotated[str, StringConstraints(pattern=pattern), BeforeValidator(_without_between)]
    return create_model(f"VerdictsOn{count}", verdicts=(letters, ...))


def words_of(answer: BaseModel) -> list[VerdictWord]:
    """The verdicts of an answer, in the order of the annotations."""
    letters = str(answer.verdicts)  # type: ignore[attr-defined]
    return [WORDS[letter] for letter in letters if letter in WORDS]


def _without_between(value: object) -> object:
    """`1: r, 2: a` as `1r2a`: a server that enforces no form may set blanks and marks."""
    return _BETWEEN.sub("", value).lower() if isinstance(value, str) else value
