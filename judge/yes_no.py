"""One yes-or-no question about each annotation, for a small model.

Such a model cannot keep a list apart, but how much likelier it finds `yes` than `no` as the first
word of its answer tells a good deal. It is evidence beside what the rules find: where they find the
fact, less will do, and where they find another value, or are sure that nothing is said of it, it is
not asked. For a small model can be talked into anything, and takes a list of guesses for a
statement. So what it hears in sentences that are not plainly asserted (`force.py`) must be clearer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ..llm.chat import ChatRequest
from ..llm.engine import Result
from ..notation import to_plain
from ..schemas.errors import Malformed
from ..schemas.outcomes import VerdictWord
from .cleaning import without_template_tokens
from .decide import Decision, decide, reading_of
from .grounds import is_grounded
from .judge import JudgeTask
from .prompt import yes_no_messages
from .statements import Reading

LEAST_LOG_ODDS = {"reflected": -2.0, "asserted": 0.25, "hinted": 1.0}
"""What the rules find -> the log odds of `yes` against `no` from which on a fact is reflected.

They find it reflected; or not, but what any wording of it must hold is plainly asserted, or only
hinted at. Chosen on `tune.jsonl` and `tune_2.jsonl` of `data/judge_labels` and on the two open sets
of `data/red_team`."""

ALTERNATIVES = 20
LEAST_CHANCE = 1e-9


class YesNo:
    """Asks for each annotation whether the completion states it."""

    prompts = ("embedded.txt", "embedded_question.txt")

    def requests(self, task: JudgeTask) -> list[ChatRequest]:
        """A question for each annotation that the rules leave open, all alike but for their end.

        The model reads plain text, which it knows better than LaTeX, without suppositions.
        """
        reading = reading_of(task)
        completion = without_template_tokens(" ".join(reading.text.split()))
        return [
            ChatRequest(
                messages=yes_no_messages(to_plain(annotation.statement).text, completion),
                purpose="judge",
                max_tokens=1,
                seed=0,
                top_logprobs=ALTERNATIVES,
            )
            for annotation in task.annotations
            if _is_open(annotation.statement, decide(annotation.statement, reading), reading)
        ]

    def words(self, task: JudgeTask, answers: Sequence[Result]) -> list[VerdictWord]:
        """The verdicts, the rules' own where the model was not asked.

        Raises:
            Malformed: the model says neither yes nor no.
        """
        reading = reading_of(task)
        given = iter(answers)
        return [self._word(annotation.statement, reading, given) for annotation in task.annotations]

    def _word(self, statement: str, reading: Reading, answers: Iterator[Result]) -> VerdictWord:
        decision = decide(statement, reading)
        if not _is_open(statement, decision, reading):
            return decision.verdict
        response = next(answers).response
        assert response is not None
        log_odds = yes_log_odds(response.first_token or {})
        least = LEAST_LOG_ODDS[_found(statement, decision, reading)]
        return "reflected" if log_odds >= least else "absent"


def _is_open(statement: str, decision: Decision, reading: Reading) -> bool:
    """Whether the model's answer can change the rules' verdict.

    Not where they find another value, or are sure that nothing is said of it; nor where nothing
    that is put forward holds what any wording of the statement must.
    """
    if decision.verdict == "absent" and not decision.is_safe:
        return is_grounded(statement, reading)
    return decision.verdict == "reflected"


def _found(statement: str, decision: Decision, reading: Reading) -> str:
    """How much the rules find of a statement about which the model is asked."""
    if decision.verdict == "reflected":
        return "reflected"
    return "asserted" if is_grounded(statement, reading.asserted or reading) else "hinted"


def yes_log_odds(first_token: Mapping[str, float]) -> float:
    """The logarithm of how much likelier `yes` is than `no`, from the logarithms of both.

    Raises:
        Malformed: neither is among the likeliest first tokens.

    Example:
        >>> round(yes_log_odds({"Yes": math.log(0.6), " no": math.log(0.2), "The": -3.0}), 4)
        1.0986
    """
    yes = sum(math.exp(log) for token, log in first_token.items() if _is(token, "yes"))
    no = sum(math.exp(log) for token, log in first_token.items() if _is(token, "no"))
    if yes + no == 0:
        raise Malformed("the model's first word is neither yes nor no. Use another judge.")
    return math.log((yes + LEAST_CHANCE) / (no + LEAST_CHANCE))


def _is(token: str, word: str) -> bool:
    return token.strip().lower() == word
