"""What TRL hands to a reward function, as completions with the problems that they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..schemas.errors import UsageError
from ..schemas.outcomes import Judgement
from ..schemas.records import TrainAnnotation
from .scoring import PolicyCompletion

COLUMNS = ("id", "question", "choices", "answer", "annotations")
"""Columns of the training data, one value for each completion; `pr1 filter` writes them."""


@dataclass(frozen=True)
class TokenLimit:
    """How a completion's tokens tell that it was cut.

    Attributes:
        tokens: the most that a completion may have.
        end_ids: ids that end a completion by its own will.
    """

    tokens: int
    end_ids: frozenset[int]

    def has_cut(self, token_ids: Sequence[int]) -> bool:
        """Whether the limit ended this completion."""
        return len(token_ids) >= self.tokens and token_ids[-1] not in self.end_ids


def read_completions(
    completions: Sequence[Any],
    completion_ids: Sequence[Sequence[int]],
    columns: Mapping[str, Any],
    limit: TokenLimit,
) -> list[PolicyCompletion]:
    """The completions of one call, in order.

    Args:
        completions: texts, or conversations.
        completion_ids: their tokens.
        columns: `COLUMNS`, and `judgement` where completions come with one; others are not looked
            at.
        limit: of their tokens.

    Raises:
        UsageError: a column is missing.
    """
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise UsageError(
            f"the training data has no column {missing[0]!r}. The reward reads what `pr1 filter` "
            f"writes: {', '.join(COLUMNS)}."
        )
    judgements = columns.get("judgement") or [None] * len(completions)
    rows = zip(completions, completion_ids, judgements, strict=True)
    problems = zip(*(columns[name] for name in COLUMNS), strict=True)
    return [
        PolicyCompletion(
            problem_id=problem_id,
            question=question or "",
            choices=tuple(choices) if choices else None,
            answer=answer,
            annotations=tuple(map(TrainAnnotation.model_validate, annotations or [])),
            text=completion_text(completion),
            tokens=len(token_ids),
            is_cut=limit.has_cut(token_ids),
            judgement=None if judgement is None else Judgement.model_validate(judgement),
        )
        for (problem_id, question, choices, answer, annotations), (
            completion,
            token_ids,
            judgement,
        ) in zip(problems, rows, strict=True)
    ]


def completion_text(completion: str | Sequence[Mapping[str, Any]]) -> str:
    """What the policy wrote: the text itself, or the assistant's turns of a conversation.

    Example:
        >>> completion_text([{"role": "assistant", "content": "AB = 3."}])
        'AB = 3.'
    """
    if isinstance(completion, str):
        return completion
    turns = [turn["content"] for turn in completion if turn["role"] == "assistant"]
    return "\n".join(turn if isinstance(turn, str) else _block_text(turn) for turn in turns)


def _block_text(blocks: Sequence[Mapping[str, Any]]) -> str:
    return "".join(block["text"] for block in blocks if block.get("type") == "text")
