"""`pr1 annotate`: problems with trajectories in, problems with visual annotations out.

source ─▶ problems ─▶ answers checked ─▶ facts proposed ─▶ validated ─▶ merged ─▶ row
source/     accuracy.py        extraction/       validation/
"""

from __future__ import annotations

from pathlib import Path

from ..llm.engine import Engine
from ..llm.models import open_client
from ..llm.store import ResponseStore
from ..outputs.folder import StageFolder
from ..schemas.config import AnnotateConfig
from ..schemas.manifest import Manifest
from ..schemas.progress import OnProgress, ignore_progress
from ..schemas.records import AnnotatedProblem
from .extraction.extractor import Extractor
from .ordered import OrderedRun
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
    """
    extractor = Extractor(config.model)
    reader = ProblemReader(config.source, needs_trajectory=True, limit=config.limit)
    client = open_client(config.model, config.execution) if extractor.uses_model else None
    tally = ReadingTally()
    try:
        with StageFolder.start(
            out,
            stage=STAGE,
            config=config,
            parents=source_hashes(config.source),
            prompts=extractor.prompts,
            overwrite=overwrite,
            row_model=AnnotatedProblem,
        ) as folder:
            run = OrderedRun(
                reader,
                lambda group: open_reading(group, config, extractor, tally),
                folder,
                on_progress,
            )
            if client is None:
                run.end_all()
            else:
                with ResponseStore(folder.store_path) as store:
                    await run.ask(Engine(client, store, config.execution))
            return folder.finish(
                read=reader.read,
                usage=run.usage,
                facts={"model": config.model.name, **tally.facts()},
                rejected_by_reason=tally.rejected,
            )
    finally:
        if client is not None:
            await client.aclose()
