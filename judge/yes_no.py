"""One yes-or-no question about each annotation, for a small model.

Such a model cannot keep a list apart, but how much likelier it finds `yes` than `no` as the first
word of its answer tells a good deal. It is evidence beside what the rules find: where they find the
fact, less will do, and where they find another value, or are sure that nothing is said of it, no
answer of the model's changes that. For a small model can be talked into anything, and takes a list
of guesses for a statement. It is shown only what the completion puts forward itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..llm.chat import ChatRequest
from ..llm.engine import Result
from ..notation import to_plain
from ..schemas.errors import Malformed
from ..schemas.outcomes import VerdictWord
from .cleaning import without_template_tokens
from .decide import Decision, decide
from .grounds import is_grounded
from .judge import JudgeTask
from .prompt import yes_no_messages
from .statements import read

LEAST_LOG_ODDS = {"reflected": -2.0, "absent": 0.25}
"""What the rules say -> the log odds of `yes` against `no` from which on a fact is reflected.

Chosen on `data/judge_labels/tune.jsonl`."""

ALTERNATIVES = 20
LEAST_CHANCE = 1e-9


class YesNo:
    """Asks for each annotation whether the completion states it."""

    prompts = ("embedded.txt", "embedded_question.txt")

    def requests(self, task: JudgeTask) -> list[ChatRequest]:
        """A question for each annotation, all alike but for their end; none where nothing is said.

        The model reads plain text, which it knows better than LaTeX.
        """
        said = " ".join(read(task.completion).text.split())
        if not any(map(str.isalnum, said)):
            return []
        completion = without_template_tokens(said)
        return [
            ChatRequest(
                messages=yes_no_messages(to_plain(annotation.statement).text, completion),
                purpose="judge",
                max_tokens=1,
                seed=0,
                top_logprobs=ALTERNATIVES,
            )
            for annotation in task.annotations
        ]

    def words(self, task: JudgeTask, answers: Sequence[Result]) -> list[VerdictWord]:
        """The verdicts; all are absent where there was nothing to ask about.

        Raises:
            Malformed: the model says neither yes nor no.
        """
        if not answers:
            return ["absent"] * len(task.annotations)
        reading = read(task.completion)
        words: list[VerdictWord] = []
        for annotation, answer in zip(task.annotations, answers, strict=True):
            assert answer.response is not None
            log_odds = yes_log_odds(answer.response.first_token or {})
            decision = decide(annotation.statement, reading)
            if decision.verdict == "absent" and not is_grounded(annotation.statement, reading):
                words.append("absent")
            else:
                words.append(_verdict(decision, log_odds))
        return words


def _verdict(decision: Decision, log_odds: float) -> VerdictWord:
    """The rules' decision and the model's answer as one verdict."""
    if decision.verdict == "contradicted" or decision == Decision("absent", is_safe=True):
        return decision.verdict
    return "reflected" if log_odds >= LEAST_LOG_ODDS[decision.verdict] else "absent"


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
