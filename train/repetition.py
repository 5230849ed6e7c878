"""How much a completion repeats itself, counted fast enough to do it while the judge is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NGRAM_TOKENS = 20
MOST_REPETITION = -2.0

WEIGHTS = np.random.default_rng(0).integers(2**64, size=NGRAM_TOKENS, dtype=np.uint64)
"""Of the tokens in an n-gram's sum. Bad ones would cost time, and change no penalty."""


def repetition_penalty(token_ids: Sequence[int]) -> float:
    """TRL's repetition reward with the paper's factor: -2·(1 - unique/total) over its 20-grams.

    TRL makes a tuple of every n-gram. Few completions repeat 20 tokens, and only those that may are
    handed to it: for the others this is several times as fast (docs/performance.md).

    Args:
        token_ids: of one completion.

    Returns:
        In -2..0; 0 where no 20 tokens in a row occur twice.

    Source: Perception-R1 (arXiv 2506.07218), section 4; the published code splits at blanks.

    Example:
        >>> repetition_penalty(range(500))
        0.0
        >>> repetition_penalty([7] * 39)
        -1.9
    """
    if not _may_repeat(token_ids):
        return 0.0
    from trl.rewards import get_repetition_penalty_reward

    (penalty,) = get_repetition_penalty_reward(NGRAM_TOKENS, MOST_REPETITION)([list(token_ids)])
    return float(penalty)


def _may_repeat(token_ids: Sequence[int]) -> bool:
    """Whether two n-grams have the same weighted sum, modulo 2**64: equal n-grams always do."""
    if len(token_ids) < NGRAM_TOKENS:
        return False
    sums = np.convolve(np.asarray(token_ids, dtype=np.uint64), WEIGHTS, mode="valid")
    sums.sort()
    return bool((sums[1:] == sums[:-1]).any())
