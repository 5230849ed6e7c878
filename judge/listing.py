"""One question about all annotations of a completion, for models that can keep count."""

from __future__ import annotations

from collections.abc import Sequence

from ..llm.chat import ChatRequest
from ..llm.engine import Result
from ..schemas.outcomes import VerdictWord
from .form import verdict_form, words_of
from .judge import JudgeTask
from .prompt import judge_messages

TOKENS_AT_LEAST = 256
"""Room for models that think before they answer; the answer itself takes a few."""

TOKENS_FOR_EACH = 4
"""A number, a letter, and what a server without an enforced form may set between."""


class Listing:
    """Asks for the letter of every annotation in one answer."""

    prompts = ("judge.txt",)

    def requests(self, task: JudgeTask) -> list[ChatRequest]:
        """The one question about the task."""
        statements = [annotation.statement for annotation in task.annotations]
        return [
            ChatRequest(
                messages=judge_messages(statements, task.completion),
                purpose="judge",
                max_tokens=TOKENS_AT_LEAST + TOKENS_FOR_EACH * len(statements),
                seed=0,
                response_model=verdict_form(len(statements)),
            )
        ]

    def words(self, task: JudgeTask, answers: Sequence[Result]) -> list[VerdictWord]:
        """The verdicts in the answer; its form was checked when it came."""
        (answer,) = answers
        assert answer.parsed is not None
        return words_of(answer.parsed)
