"""A run's questions put to its model, online or in batches, and the account of what that took."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..llm.chat import ChatClient, ChatRequest
from ..llm.engine import Engine
from ..llm.models import open_client
from ..llm.store import ResponseStore
from ..outputs.folder import Account, StageFolder
from ..schemas.config import Execution, ModelConfig
from ..schemas.progress import OnProgress, Progress
from .ordered import OrderedRun

if TYPE_CHECKING:
    from ..llm.batch.progress import BatchProgress
    from ..llm.batch.service import BatchService

BATCHES = "batches"


class Model(NamedTuple):
    """A model that is ready to be asked.

    Attributes:
        batches: its provider's batch service, where it is to be used.
    """

    client: ChatClient
    batches: BatchService | None


@asynccontextmanager
async def opened_model(model: ModelConfig, execution: Execution) -> AsyncIterator[Model]:
    """The model, until the block ends.

    Raises:
        UsageError: its name, address, key or batch service cannot be used as given.
    """
    async with AsyncExitStack() as held:
        client = open_client(model, execution)
        held.push_async_callback(client.aclose)
        if not execution.batch:
            yield Model(client, None)
            return
        from ..llm.batch.opening import open_batches

        service = open_batches(client, execution)
        held.push_async_callback(service.aclose)
        yield Model(client, service)


async def ask_all(
    run: OrderedRun,
    model: Model,
    folder: StageFolder,
    execution: Execution,
    requests: Callable[[], Iterator[ChatRequest]],
    on_progress: OnProgress,
) -> Account:
    """What it took to take every problem of the run to its end.

    Args:
        run: asks, and takes the answers.
        model: answers.
        folder: holds the response store.
        execution: how to proceed.
        requests: gives all requests of the run, from the start, whenever it is called.
        on_progress: told of batches that are under way.

    Raises:
        ServiceDown: as `Engine.run`.
        BudgetSpent: as `Engine.run`.
        RunStopped: an answer cannot be stored, or there is no room for temporary files.
    """
    async with AsyncExitStack() as held:
        store = held.enter_context(ResponseStore(folder.store_path))
        before = store.spent()
        client = model.client
        if model.batches is not None:
            from ..llm.batch.run import answer_in_batches, without_limits

            client = await answer_in_batches(
                model.batches,
                store,
                requests,
                execution,
                folder=store.path.parent / BATCHES,
                on_progress=lambda progress: on_progress(_as_progress(progress)),
            )
            held.push_async_callback(client.aclose)
            execution = without_limits(execution)
        engine = Engine(client, store, execution)
        await run.ask(engine)
        spent = store.spent()
        return Account(spent.since(before), spent, engine.traffic())


def _as_progress(batches: BatchProgress) -> Progress:
    """How far the batches have come, in words: they are counted in requests, not in problems."""
    parts = [f"{len(batches.batches)} batches under way"]
    if batches.batches:
        oldest = max(batches.batches, key=lambda batch: batch.age_s)
        done = f"{oldest.completed + oldest.failed}/{oldest.requests}"
        parts[0] += f" (the oldest: {oldest.state}, {done}, {oldest.age_s / 3600:.1f} h)"
    counts = {"answered": batches.answered, "failed": batches.failed, "waiting": batches.waiting}
    parts += [f"{count} {name}" for name, count in counts.items() if count]
    return Progress(0, None, doing=", ".join(parts))
