"""What the requests of a plan would take: as the answered ones among them took, or by rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..schemas.errors import BadRequest
from ..schemas.manifest import Usage
from .chat import ChatImage, ChatRequest, ModelIdentity, Purpose
from .store import ResponseStore, request_key
from .tokens import RULE, estimated_tokens_in, text_tokens

ENOUGH_ANSWERS = 10
THIS_MACHINE = "this machine"
NO_PRICE = "unknown, so tokens only; --prices FILE.yaml gives the price of a model"


class AnswerLength(NamedTuple):
    """The usual length of an answer in tokens, where the prompt's last text has so many."""

    fixed: float
    for_each_token: float


# Extraction: least squares over the embedded model's answers about 46 short texts of `data/sample`
# and 3 longer ones. Collecting: a chain of thought of usual length; what a model thinks without
# showing it comes on top. A rollout of a policy is such a chain of thought. Judging: a number and a
# letter for each of five annotations, as the embedded model's tokenizer counts them.
USUAL_LENGTHS: dict[Purpose, AnswerLength] = {
    "extract": AnswerLength(60, 1.2),
    "collect": AnswerLength(600, 0),
    "judge": AnswerLength(16, 0),
    "select": AnswerLength(600, 0),
    "confirm": AnswerLength(600, 0),
    "control": AnswerLength(600, 0),
}


@contextmanager
def stored_answers(path: Path) -> Iterator[ResponseStore | None]:
    """The store of an output folder; None, and nothing made, where there is none."""
    if not path.is_file():
        yield None
        return
    with ResponseStore(path) as store:
        yield store


class Spending:
    """What a plan's requests would take.

    Once enough of them have an answer in the output folder's store, the others are taken to need as
    much more or less than the rules say as those did.

    Args:
        identity: the model.
        purpose: of all requests.
        store: the answers of earlier runs over the output folder; None when there was none.

    Attributes:
        to_send: different requests without an answer.
        answered: different requests with one.
        pictures: in the requests to send; one that is in several counts in each.
        tokens_out_at_most: of those to send, were every answer as long as it may be.
    """

    def __init__(
        self, identity: ModelIdentity, purpose: Purpose, store: ResponseStore | None
    ) -> None:
        self.to_send = self.answered = self.pictures = self.tokens_out_at_most = 0
        self._identity = identity
        self._usual = USUAL_LENGTHS[purpose]
        self._store = store
        self._keys: set[str] = set()
        self._expected = Usage()
        self._expected_of_answered = Usage()
        self._real_of_answered = Usage()

    def add(self, request: ChatRequest) -> None:
        """Count a request; one that equals an earlier one would not be sent again."""
        try:
            key = request_key(self._identity, request)
        except BadRequest:  # a run would not send it either
            return
        if key in self._keys:
            return
        self._keys.add(key)
        expected = self._by_rule(request)
        response = None if self._store is None else self._store.get(key)
        if response is None:
            self.to_send += 1
            self.pictures += _pictures_in(request)
            self.tokens_out_at_most += request.max_tokens
            self._expected += expected
        else:
            self.answered += 1
            self._expected_of_answered += expected
            self._real_of_answered += response.usage

    @property
    def usage(self) -> Usage:
        """What the requests to send would take."""
        if not self._has_learned:
            return self._expected
        real, expected = self._real_of_answered, self._expected_of_answered
        tokens_in = round(self._expected.tokens_in * real.tokens_in / expected.tokens_in)
        return Usage(
            tokens_in=tokens_in,
            tokens_cached=round(tokens_in * real.tokens_cached / real.tokens_in),
            tokens_out=round(self._expected.tokens_out * real.tokens_out / expected.tokens_out),
        )

    @property
    def usage_at_most(self) -> Usage:
        """The same, were every answer as long as it may be and no prompt in a cache."""
        return Usage(tokens_in=self.usage.tokens_in, tokens_out=self.tokens_out_at_most)

    @property
    def rule(self) -> str:
        """How `usage` was found."""
        if self._has_learned:
            return f"as the {self.answered:,} requests took that the output folder has answers to"
        fixed, each = self._usual
        more = f" and {each:g} for each one of the text that it is about" if each else ""
        return (
            f"In a prompt {RULE}. An answer has {fixed:g} tokens{more}. Models differ, those that "
            f"think first by much: once the output folder holds {ENOUGH_ANSWERS} answers, the "
            "estimate follows them. What is sent again is not counted."
        )

    @property
    def _has_learned(self) -> bool:
        return self.answered >= ENOUGH_ANSWERS and self._real_of_answered.tokens_in > 0

    def _by_rule(self, request: ChatRequest) -> Usage:
        asked_about = request.messages[-1].parts[-1]
        length = text_tokens(asked_about) if isinstance(asked_about, str) else 0
        tokens_out = round(self._usual.fixed + self._usual.for_each_token * length)
        return Usage(
            tokens_in=estimated_tokens_in(request),
            tokens_out=min(request.max_tokens, tokens_out),
        )


def _pictures_in(request: ChatRequest) -> int:
    return sum(isinstance(part, ChatImage) for m in request.messages for part in m.parts)
