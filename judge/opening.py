"""From a judge's configuration to a judge that can be asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from ..llm.chat import ChatClient
from ..llm.engine import Engine
from ..llm.models import open_client
from ..llm.store import ResponseStore
from ..schemas.errors import UsageError
from ..schemas.training import JudgeConfig
from .hybrid import HybridJudge
from .judge import Judge
from .lexicon import word_list_hashes
from .listing import Listing
from .model import Asking, ModelJudge
from .prompt import prompt_hashes
from .rules import RulesJudge
from .yes_no import YesNo


@asynccontextmanager
async def opened_judge(config: JudgeConfig, store_path: Path) -> AsyncGenerator[Judge, None]:
    """The judge, until the block ends.

    Args:
        config: which judge, and how its model is asked.
        store_path: of the response store; made where it is missing, and not touched by `rules`.

    Raises:
        UsageError: the model's name, address or key cannot be used, or `is_hybrid` goes with rules.
        MissingExtra: the embedded model's package is not installed.
    """
    check_judge(config)
    async with opened_client(config) as client:
        if client is None:
            yield RulesJudge()
            return
        with ResponseStore(store_path) as store:
            yield judge_with(config, Engine(client, store, config.execution))


@asynccontextmanager
async def opened_client(config: JudgeConfig) -> AsyncGenerator[ChatClient | None, None]:
    """The client of the judge's model, until the block ends; None for `rules`, which asks none.

    Raises:
        UsageError: the model's name, address or key cannot be used.
        MissingExtra: the embedded model's package is not installed.
    """
    if config.model.name == "rules":
        yield None
        return
    client = open_client(config.model, config.execution)
    try:
        yield client
    finally:
        await client.aclose()


def check_judge(config: JudgeConfig) -> None:
    """Returns when the configuration names a judge.

    Raises:
        UsageError: it asks for rules beside rules, or for a batch of requests.
    """
    if config.is_hybrid and config.model.name == "rules":
        raise UsageError("hybrid needs a model beside the rules. Name one: --model embedded")
    if config.execution.batch:
        raise UsageError("a judge answers at once and cannot wait for a batch. Leave batch out.")


def judge_with(config: JudgeConfig, engine: Engine) -> Judge:
    """The judge of the configuration, whose model is asked through this engine."""
    judge: Judge = ModelJudge(config.model.name, engine, asking_of(config))
    return HybridJudge(judge) if config.is_hybrid else judge


def prompts_of(config: JudgeConfig) -> dict[str, str]:
    """Name of each prompt file and word list that the judge goes by -> its sha256."""
    name = config.model.name
    told = {} if name == "rules" else prompt_hashes(asking_of(config).prompts)
    is_by_words = name in ("rules", "embedded") or config.is_hybrid
    return told | (word_list_hashes() if is_by_words else {})


def asking_of(config: JudgeConfig) -> Asking:
    """How the configuration's model is asked."""
    return YesNo() if config.model.name == "embedded" else Listing()
