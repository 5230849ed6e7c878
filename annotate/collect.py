"""`pr1 collect`: problems in, problems with trajectories of a strong multimodal model out.

    source ─▶ problems ─▶ k samples each ─▶ answers checked ─▶ row
                          sampling.py       correct.py

All samples are kept, the wrong ones too, each with `is_correct`: how often a model fails says how
hard a problem is. The output folder is `annotate`'s input, and `collect`'s own: samples of another
model (or of the same one with another seed) join those that are there. The questions and the
pictures leave this machine, to the model's service.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..llm.chat import ChatRequest
from ..llm.models import check_can_see
from ..outputs.folder import StageFolder
from ..outputs.rows import past_stages
from ..schemas.config import CollectConfig
from ..schemas.manifest import Manifest
from ..schemas.progress import OnProgress, ignore_progress
from ..schemas.records import AnnotatedProblem
from .asking import ask_all, opened_model
from .ordered import OrderedRun, requests_of
from .sample_requests import prompt_hashes
from .sampling import STAGE, SampleTally, open_sampling
from .source.files import source_hashes
from .source.problems import ProblemReader


async def collect(
    config: CollectConfig,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the trajectories that were written to `out`.

    Raises:
        UsageError: the source, the model or the folder cannot be used as given.
        ServiceDown: the model's service does not answer; the same command resumes.
        BudgetSpent: it resumes with a larger budget.
    """
    check_can_see(config.model)
    reader = _reader(config)
    tally = SampleTally()
    async with opened_model(config.model, config.execution) as model:
        with StageFolder.start(
            out,
            stage=STAGE,
            config=config,
            parents=source_hashes(config.source),
            history=past_stages(Path(config.source.path)),
            prompts=prompt_hashes(),
            overwrite=overwrite,
            row_model=AnnotatedProblem,
        ) as folder:
            run = OrderedRun(
                reader, lambda group: open_sampling(group, config, tally), folder, on_progress
            )
            account = await ask_all(
                run, model, folder, config.execution, lambda: all_requests(config), on_progress
            )
            facts = {"model": config.model.name, **tally.facts()}
            return folder.finish(read=reader.read, account=account, facts=facts)


def all_requests(config: CollectConfig) -> Iterator[ChatRequest]:
    """Everything that the run asks the model, from a pass of its own over the source."""
    tally = SampleTally()
    return requests_of(_reader(config), lambda group: open_sampling(group, config, tally))


def _reader(config: CollectConfig) -> ProblemReader:
    return ProblemReader(config.source, needs_trajectory=False, limit=config.limit)
