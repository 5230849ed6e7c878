"""The judges that the benches measure, by the names that their command lines take."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from undefended import WordsJudge, opened_plain_judge

from pr1.judge.judge import Judge
from pr1.judge.opening import opened_judge
from pr1.schemas.config import Execution, ModelConfig
from pr1.schemas.training import JudgeConfig

HYBRID = "hybrid:"
UNDEFENDED = "undefended:"


def add_judge_arguments(parser: argparse.ArgumentParser) -> None:
    """Which judges, at which address, and where their answers are kept."""
    names = f"rules, embedded, provider/model; {HYBRID}MODEL, {UNDEFENDED}rules, {UNDEFENDED}MODEL"
    parser.add_argument("judges", nargs="+", help=names)
    parser.add_argument("--base-url", help="of an OpenAI-compatible server")
    parser.add_argument("--store", type=Path, default=Path("judge_bench.sqlite"))


@asynccontextmanager
async def opened(name: str, base_url: str | None, store: Path) -> AsyncGenerator[Judge, None]:
    """The judge of that name, until the block ends."""
    if name == f"{UNDEFENDED}rules":
        yield WordsJudge()
        return
    bare = name.removeprefix(UNDEFENDED).removeprefix(HYBRID)
    model = ModelConfig(name=bare, base_url=base_url)
    if name.startswith(UNDEFENDED):
        async with opened_plain_judge(model, store) as plain:
            yield plain
        return
    execution = Execution(concurrency=4 if bare == "embedded" else 32)
    config = JudgeConfig(model=model, is_hybrid=name.startswith(HYBRID), execution=execution)
    async with opened_judge(config, store) as judge:
        yield judge
