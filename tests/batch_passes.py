"""A whole pass of batches against the services on this machine, with a clock that only sleeps."""

import asyncio
import sqlite3

from fake_batches import NOW, FakeBatches

from pr1.llm.batch.opening import open_batches
from pr1.llm.batch.run import answer_in_batches, without_limits
from pr1.llm.chat import ChatResponse
from pr1.llm.engine import Engine
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig

MODELS = {"openai": "openai/gpt-fake", "anthropic": "anthropic/claude-fake"}


class Killed(BaseException):
    """What ends a process here."""


class Passes:
    """Runs `answer_in_batches` and the ordinary pass after it, as often as a test likes.

    Attributes:
        slept: the pauses so far, in seconds.
        told: the progress so far.
        after_sleep: called after each pause, to change something while the batches run.
    """

    def __init__(self, fake: FakeBatches, provider: str, folder) -> None:
        self.fake, self.provider, self.folder = fake, provider, folder
        self.limits: dict[str, int] = {}
        self.slept: list[float] = []
        self.told = []
        self.after_sleep = lambda: None
        self.now_s = float(NOW)
        fake_url = fake.openai_url if provider == "openai" else fake.anthropic_url
        self.model = ModelConfig(name=MODELS[provider], base_url=fake_url)

    @property
    def store_path(self):
        return self.folder / "responses.sqlite"

    @property
    def batch_folder(self):
        return self.folder / "batches"

    async def sleep(self, seconds: float) -> None:
        assert len(self.slept) < 2000, "it never ends"
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)
        self.after_sleep()

    def run(self, requests, **execution):
        """The results of the ordinary pass, in order; what it sent itself is an error."""
        return asyncio.run(self._run(requests, Execution(batch=True, **execution)))

    async def _run(self, requests, execution):
        client = open_client(self.model, execution)
        service = open_batches(client, execution)
        service.limits = service.limits._replace(**self.limits)
        try:
            with ResponseStore(self.store_path) as store:
                answers = await answer_in_batches(
                    service,
                    store,
                    lambda: iter(requests),
                    execution,
                    folder=self.batch_folder,
                    on_progress=self.told.append,
                    sleep=self.sleep,
                    now_s=lambda: self.now_s,
                )
                online = len(self.fake.online)
                engine = Engine(answers, store, without_limits(execution))
                results = [result async for result in engine.run(requests)]
                await answers.aclose()
                assert len(self.fake.online) == online, "the ordinary pass asked online"
                return sorted(results, key=lambda result: result.index)
        finally:
            await service.aclose()
            await client.aclose()

    def online(self, requests, folder):
        """What an ordinary run without batches stores: key -> answer."""

        async def ask():
            client = open_client(self.model, Execution())
            with ResponseStore(folder / "online.sqlite") as store:
                try:
                    async for _ in Engine(client, store, Execution()).run(requests):
                        pass
                finally:
                    await client.aclose()

        asyncio.run(ask())
        return stored(folder / "online.sqlite")

    def spent(self):
        with ResponseStore(self.store_path) as store:
            return store.spent()


def stored(path):
    """Key -> answer of a store, without what differs between two runs."""
    database = sqlite3.connect(path)
    rows = database.execute("SELECT key, response FROM answers").fetchall()
    database.close()
    read = {key: ChatResponse.model_validate_json(text) for key, text in rows}
    return {key: answer.model_copy(update={"request_id": None}) for key, answer in read.items()}
