"""`pr1 judge`: completions in, verdicts and the parts of the reward out.

rows ─▶ tasks ─▶ judge ─▶ judgements ─▶ format, accuracy, visual ─▶ judged rows, in order
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from ..answers import check_answer
from ..llm.engine import Engine
from ..llm.store import ResponseStore
from ..outputs.folder import Account, StageFolder
from ..outputs.provenance import file_hashes
from ..outputs.rows import past_stages
from ..schemas.completion_format import parse_completion
from ..schemas.config import JudgeRunConfig
from ..schemas.manifest import Failure, Manifest
from ..schemas.outcomes import JudgedRow, Judgement, RewardBreakdown
from ..schemas.progress import OnProgress, Progress, ignore_progress
from ..schemas.training import JudgeConfig
from .hybrid import HybridJudge
from .judge import Judge, JudgeTask
from .opening import check_judge, judge_with, opened_client, prompts_of
from .rows import STAGE, CompletionReader, Read
from .rules import RulesJudge
from .scores import visual_score
from .tally import JudgeTally

NO_REPETITION = "repetition is counted in the policy's tokens, which are not here"


async def judge_completions(
    config: JudgeRunConfig,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the judged rows that were written to `out`.

    Raises:
        UsageError: the file, the judge or the folder cannot be used as given.
        ServiceDown: the judge's service does not answer; the same command resumes.
        BudgetSpent: it resumes with a larger budget.
    """
    judge_config = judge_of(config)
    check_judge(judge_config)
    reader = CompletionReader(Path(config.completions), config.limit)
    async with AsyncExitStack() as held:
        client = await held.enter_async_context(opened_client(judge_config))
        folder = held.enter_context(
            StageFolder.start(
                out,
                stage=STAGE,
                config=config,
                parents=file_hashes(Path(config.completions)),
                history=past_stages(Path(config.completions)),
                prompts=prompts_of(judge_config),
                overwrite=overwrite,
                row_model=JudgedRow,
            )
        )
        if client is None:
            run = _Run(config, reader, folder, None, on_progress)
            await run.judge_all(RulesJudge())
            return folder.finish(read=reader.read, facts=run.facts())
        store = held.enter_context(ResponseStore(folder.store_path))
        before = store.spent()
        engine = Engine(client, store, config.execution)
        judge = judge_with(judge_config, engine)
        run = _Run(config, reader, folder, engine, on_progress)
        await run.judge_all(judge)
        spent = store.spent()
        account = Account(spent.since(before), spent, engine.traffic())
        facts = run.facts() | (judge.facts() if isinstance(judge, HybridJudge) else {})
        return folder.finish(read=reader.read, account=account, facts=facts)


def judge_of(config: JudgeRunConfig) -> JudgeConfig:
    """The judge that the run asks."""
    return JudgeConfig(model=config.model, is_hybrid=config.is_hybrid, execution=config.execution)


class _Run:
    """One pass over the rows; what ends early waits for what stands before it."""

    def __init__(
        self,
        config: JudgeRunConfig,
        reader: CompletionReader,
        folder: StageFolder,
        engine: Engine | None,
        on_progress: OnProgress,
    ) -> None:
        self._config = config
        self._reader = reader
        self._folder = folder
        self._engine = engine
        self._on_progress = on_progress
        self._asked: dict[str, tuple[int, Read]] = {}
        self._ended: dict[int, JudgedRow | Failure] = {}
        self._written = 0
        self._failed: Counter[str] = Counter()
        self._tally = JudgeTally()

    async def judge_all(self, judge: Judge) -> None:
        """Takes every row to its end."""
        async with aclosing(judge.judge(self._tasks())) as judgements:
            async for judgement in judgements:
                place, read = self._asked.pop(judgement.completion_id)
                outcome = await asyncio.to_thread(judged_row, read, judgement, self._config)
                self._end(place, outcome)
        self._write()  # the last rows may be failures, which nobody judges

    def facts(self) -> dict[str, object]:
        """The figures for the manifest and the card."""
        return {"model": self._config.model.name, **self._tally.facts()}

    def _tasks(self) -> Iterator[JudgeTask]:
        for place, item in enumerate(self._reader):
            if isinstance(item, Failure):
                self._end(place, item)
                continue
            self._asked[item.row.id] = (place, item)
            yield JudgeTask(item.row.id, item.annotations, item.row.completion)

    def _end(self, place: int, outcome: JudgedRow | Failure) -> None:
        self._ended[place] = outcome
        self._write()

    def _write(self) -> None:
        """Write what is there, up to the first row that is still being judged."""
        while (outcome := self._ended.pop(self._written, None)) is not None:
            if isinstance(outcome, Failure):
                self._failed[outcome.error] += 1
                self._folder.fail(outcome)
            else:
                self._tally.add(outcome)
                self._folder.write_row(outcome)
            self._written += 1
        traffic = self._engine.traffic() if self._engine else None
        self._on_progress(Progress(self._written, None, self._failed, traffic))


def judged_row(read: Read, judgement: Judgement, config: JudgeRunConfig) -> JudgedRow | Failure:
    """The row with its verdicts and scores; a failure where the judge's service failed."""
    row = read.row
    failure = judgement.failure
    if failure is not None and failure.cause == "service":
        code, _, message = failure.reason.partition(": ")
        return Failure(
            id=row.id, stage=STAGE, error=code, message=message, attempts=failure.attempts
        )
    return JudgedRow(
        id=row.id,
        question=row.question,
        choices=row.choices,
        answer=row.answer,
        completion=row.completion,
        annotations=list(read.annotations),
        judgement=judgement,
        reward=_reward(read, judgement, config.contradiction_penalty),
    )


def _reward(read: Read, judgement: Judgement, penalty: float) -> RewardBreakdown:
    row = read.row
    check = check_answer(row.completion, row.answer, choices=row.choices, question=row.question)
    reasons = [NO_REPETITION]
    if judgement.failure is not None:
        reasons.append(f"visual 0: the judge fails on this completion ({judgement.failure.reason})")
    if not read.annotations:
        reasons.append("visual: no annotation to ask for")
    if check.is_correct is None:
        reasons.append(f"accuracy not scored: {check.reason}")
    return RewardBreakdown(
        format=float(parse_completion(row.completion) is not None),
        accuracy=None if check.is_correct is None else float(check.is_correct),
        visual=visual_score(judgement, read.annotations, penalty),
        repetition=None,
        total=None,
        reason="; ".join(reasons),
    )
