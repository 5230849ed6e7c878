"""`pr1 annotate`: problems with trajectories in, problems with visual annotations out.

source ─▶ problems ─▶ answers checked ─▶ facts proposed ─▶ validated ─▶ merged ─▶ row
source/     accuracy.py        extraction/       validation/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from ..llm.chat import ChatRequest
from ..outputs.folder import StageFolder
from ..outputs.rows import past_stages
from ..schemas.config import AnnotateConfig
from ..schemas.manifest import Manifest
from ..schemas.progress import OnProgress, ignore_progress
from ..schemas.records import AnnotatedProblem
from .asking import ask_all, opened_model
from .extraction.extractor import Extractor
from .ordered import OrderedRun, requests_of
from .reading import STAGE, ReadingTally, open_reading
from .source.files import source_hashes
from .source.problems import ProblemReader


async def annotate(
    config: AnnotateConfig,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the annotated set that was written to `out`.

    Raises:
        UsageError: the source, the model or the folder cannot be used as given.
        ServiceDown: the model's service does not answer; the same command resumes.
        BudgetSpent: it resumes with a larger budget.
    """
    extractor = Extractor(config.model)
    reader = _reader(config)
    tally = ReadingTally()
    async with AsyncExitStack() as held:
        model = None
        if extractor.uses_model:
            model = await held.enter_async_context(opened_model(config.model, config.execution))
        folder = held.enter_context(
            StageFolder.start(
                out,
                stage=STAGE,
                config=config,
                parents=source_hashes(config.source),
                history=past_stages(Path(config.source.path)),
                prompts=extractor.prompts,
                overwrite=overwrite,
                row_model=AnnotatedProblem,
            )
        )
        run = OrderedRun(
            reader,
            lambda group: open_reading(group, config, extractor, tally),
            folder,
            on_progress,
        )
        account = None
        if model is None:
            await run.end_all()
        else:
            account = await ask_all(
                run,
                model,
                folder,
                config.execution,
                lambda: all_requests(config, extractor),
                on_progress,
            )
        return folder.finish(
            read=reader.read,
            account=account,
            facts={"model": config.model.name, **tally.facts()},
            rejected_by_reason=tally.rejected,
        )


def all_requests(config: AnnotateConfig, extractor: Extractor) -> Iterator[ChatRequest]:
    """Everything that the run asks the model, from a pass of its own over the source."""
    tally = ReadingTally()
    return requests_of(_reader(config), lambda group: open_reading(group, config, extractor, tally))


def _reader(config: AnnotateConfig) -> ProblemReader:
    return ProblemReader(config.source, needs_trajectory=True, limit=config.limit)
