"""What the rewards of a step look like in the trainer's log and in its table of completions."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from ..schemas.outcomes import VerdictWord
from .scoring import ScoredCompletion

PARTS = ("format", "accuracy", "visual", "repetition", "length")
WORDS: tuple[VerdictWord, ...] = ("reflected", "absent", "contradicted")


def reward_metrics(scored: Sequence[ScoredCompletion]) -> dict[str, float]:
    """Means over a batch, by the name under which the trainer logs them.

    - `parts/format` ... `parts/length`: mean of each part over the completions for which it was
      scored, unweighted; left out where it was scored for none;
    - `unscored/total`, `unscored/accuracy`, `unscored/judge`: share of the completions that have no
      reward, no accuracy, or no judgement because the judge's service failed;
    - `judge/broken`: share of completions that the judge could not read, which earn visual 0;
    - `judge/asked`: annotations asked of a completion, those without any included;
    - `judge/reflected`, `judge/absent`, `judge/contradicted`: share of the verdicts.
    """
    failures = [one.judgement.failure for one in scored if one.judgement is not None]
    causes = [failure.cause for failure in failures if failure is not None]
    shares = {
        "unscored/total": sum(one.breakdown.total is None for one in scored),
        "unscored/accuracy": sum(one.breakdown.accuracy is None for one in scored),
        "unscored/judge": causes.count("service"),
        "judge/broken": causes.count("completion"),
        "judge/asked": sum(len(one.completion.annotations) for one in scored),
    }
    words = [
        verdict.verdict
        for one in scored
        if one.judgement is not None
        for verdict in one.judgement.verdicts or []
    ]
    parts = {name: [getattr(one.breakdown, name) for one in scored] for name in PARTS}
    return {
        **{f"parts/{name}": _mean(scores) for name, scores in parts.items() if any_scored(scores)},
        **{name: count / len(scored) for name, count in shares.items()},
        **({f"judge/{word}": words.count(word) / len(words) for word in WORDS} if words else {}),
    }


def reward_columns(scored: Sequence[ScoredCompletion]) -> dict[str, list[float | str | None]]:
    """Columns for the trainer's table of completions: each part, the verdicts, and what failed.

    For a script of one's own with TRL's `log_completions`; `pr1 train` writes a table that says
    more (`completion_log.py`).
    """
    columns: dict[str, list[float | str | None]] = {
        name: [getattr(one.breakdown, name) for one in scored] for name in PARTS
    }
    columns["verdicts"] = [compact_verdicts(one) for one in scored]
    columns["unscored_because"] = [one.breakdown.reason for one in scored]
    return columns


def compact_verdicts(one: ScoredCompletion) -> str | None:
    """The verdicts in one line, `reflected 1 3, contradicted 2`; None where there are none."""
    if one.judgement is None or not one.judgement.verdicts:
        return None
    by_word = {
        word: [str(v.annotation_id) for v in one.judgement.verdicts if v.verdict == word]
        for word in WORDS
    }
    return ", ".join(f"{word} {' '.join(ids)}" for word, ids in by_word.items() if ids)


def any_scored(scores: Iterable[float | None]) -> bool:
    """Whether there is a score among them."""
    return any(score is not None for score in scores)


def _mean(scores: Iterable[float | None]) -> float:
    known = [score for score in scores if score is not None]
    return sum(known) / len(known)


def _is_worth_showing(record: logging.LogRecord) -> bool:
    return "All reward functions returned None for" not in str(record.msg)


def quieten_unscored_rows() -> None:
    """Keeps TRL from printing a whole row, picture and all, whenever a completion is not scored."""
    logging.getLogger("trl.trainer.grpo_trainer").addFilter(_is_worth_showing)
