"""`pr1 filter`: an annotated set in, a training set out, and a reason for every row left out.

    rows ─▶ cheap filters ─▶ paired difficulty pass ─▶ selection ─▶ training set
            cheap.py         paired/ (--policy)        selection.py

The rows are read once for the filters, once for each round of the pass, and once more to be
written, so that memory holds what rows are compared by and never the rows. They keep the order of
the annotated set. Beside the reasons of `cheap.py`, a row is dropped as

    bucket: mastered         (or another bucket) the pass says so, and --keep does not name it
    not_selected             the selection of `--size` rows left it out

and fails when the policy could not be asked about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..llm.chat import ChatClient
from ..llm.engine import Engine
from ..llm.models import check_can_see, open_client
from ..llm.store import ResponseStore
from ..outputs.folder import Account, StageFolder
from ..outputs.provenance import file_hashes
from ..outputs.rows import past_stages, read_manifest
from ..schemas.config import FilterConfig, PolicyConfig
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from ..schemas.progress import OnProgress, ignore_progress
from ..schemas.records import AnnotatedProblem, TrainRow
from .cheap import Decisions, decide, read_problems
from .evaluation_sets import evaluation_files, read_evaluation_sets
from .paired.conditions import prompt_hashes
from .writing import STAGE, write_rows

if TYPE_CHECKING:
    from .paired.run import Findings


class _Tested(NamedTuple):
    """The pass, and what it took of the policy."""

    findings: Findings
    account: Account


async def filter_problems(
    config: FilterConfig,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the training set written to `out`; its counts say what was dropped and why.

    Two runs with the same configuration over the same inputs write the same rows, byte for byte,
    where the policy gives the same answers.

    Args:
        config: what to read and what to keep.
        out: the folder to write.
        overwrite: make a finished folder anew.
        on_progress: told after each row that was examined, and of each problem that was rolled out.

    Raises:
        UsageError: an input is missing, unfinished, of another stage or unreadable, the policy
            cannot be used as given, or `out` is refused.
        TooManyFailures: too many rollouts could not be graded to conclude anything.
        ServiceDown: the policy's service does not answer; the same command resumes.
        BudgetSpent: it resumes with a larger budget.
    """
    rows = check_input(config, out)
    evaluation = await read_evaluation_sets([Path(path) for path in config.decontaminate])
    async with AsyncExitStack() as held:
        client = None
        if config.policy is not None:
            client = open_client(config.policy.model, config.execution)
            held.push_async_callback(client.aclose)
        folder = held.enter_context(
            StageFolder.start(
                out,
                stage=STAGE,
                config=config,
                parents=_parents(config),
                history=past_stages(Path(config.annotated)),
                prompts=prompt_hashes() if config.policy else {},
                overwrite=overwrite,
                row_model=TrainRow,
            )
        )
        decisions = await decide(config, evaluation, rows, on_progress)
        tested = None
        if client is not None and config.policy is not None:
            tested = await _test(config, config.policy, client, folder, decisions, on_progress)
        findings, account = tested or (None, None)
        facts = await write_rows(config, folder, decisions, findings, evaluation)
        return folder.finish(read=len(decisions.drops), account=account, facts=facts)


def check_input(config: FilterConfig, out: Path) -> int:
    """How many rows there are to read.

    Raises:
        UsageError: there is no finished annotated set, it is the output itself, or the policy is
            none that can be asked.
    """
    annotated = Path(config.annotated)
    manifest = read_manifest(annotated)
    if manifest.stage != "annotate":
        raise UsageError(
            f"{annotated} was made by `pr1 {manifest.stage}`, and filter reads what `pr1 annotate` "
            "writes. Run `pr1 annotate` first, and give its output folder."
        )
    if out.resolve() == annotated.resolve():
        raise UsageError(f"{out} is the input itself. Name another folder with -o.")
    if config.policy is not None:
        check_can_see(config.policy.model)
        if config.min_annotations == 0:
            raise UsageError(
                "--policy compares a problem with and without its annotations, and "
                "--min-annotations 0 keeps problems that have none. Give 1 or more."
            )
    return min(manifest.counts.rows, config.limit or manifest.counts.rows)


def surviving_problems(config: FilterConfig, decisions: Decisions) -> Iterator[AnnotatedProblem]:
    """The rows that the cheap filters left, read anew."""
    for problem, drop in zip(read_problems(config), decisions.drops, strict=True):
        if drop is None:
            yield problem


async def _test(
    config: FilterConfig,
    policy: PolicyConfig,
    client: ChatClient,
    folder: StageFolder,
    decisions: Decisions,
    on_progress: OnProgress,
) -> _Tested:
    from .paired.run import PairedPass  # scipy takes a second, and most filters need none

    with ResponseStore(folder.store_path) as store:
        before = store.spent()
        engine = Engine(client, store, config.execution)
        findings = await PairedPass(
            engine,
            lambda: surviving_problems(config, decisions),
            decisions.pictures,
            policy,
            config.seed,
            on_progress,
        ).run()
        spent = store.spent()
        return _Tested(findings, Account(spent.since(before), spent, engine.traffic()))


def _parents(config: FilterConfig) -> dict[str, str]:
    parents = file_hashes(Path(config.annotated))
    files = [file for path in config.decontaminate for file in evaluation_files(Path(path))]
    for number, file in enumerate(files, 1):
        ((name, digest),) = file_hashes(file).items()
        parents[f"decontaminate {number}: {name}"] = digest
    return parents
