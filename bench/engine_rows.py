"""What a stage does with the engine, on the rows of the mock server's folder.

Not run by hand: `engine_runner.py` starts it as `python engine_rows.py PROVIDER`, with the rows of
`../shared/bench/common.py` to import and their number, the concurrency, the server and the folder
to write in its environment; `TIMEOUT_S` gives a request up early. It builds each request when it is
asked for, and writes one line for each row to `out.jsonl`, in the order of the rows: the answer, or
what became of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
from common import BASE, CONC, WORK, N, messages, report, row
from pydantic import BaseModel

from pr1.commands.options import run_interruptibly
from pr1.llm.chat import ChatMessage, ChatRequest
from pr1.llm.engine import Engine, Result
from pr1.llm.models import open_client
from pr1.llm.store import ResponseStore
from pr1.schemas.config import Execution, ModelConfig


class Annotation(BaseModel):
    """The form of an answer, as the raw clients check it."""

    visual_annotations: list[str]


def requests() -> Iterator[ChatRequest]:
    """One request for each row."""
    for number in range(N):
        turns = tuple(ChatMessage(m["role"], (m["content"],)) for m in messages(row(number)))
        yield ChatRequest(turns, "extract", max_tokens=512, response_model=Annotation)


def line(result: Result) -> dict[str, Any]:
    """What is written about a row."""
    if isinstance(result.parsed, Annotation):
        return {"id": result.index, "a": result.parsed.visual_annotations}
    return {"id": result.index, "error": result.error.code if result.error else "no answer"}


async def main(provider: str) -> None:
    """Ask for every row, and report how many were answered in how many seconds."""
    timeout_s = float(os.environ.get("TIMEOUT_S", "300"))
    execution = Execution(concurrency=CONC, timeout_s=timeout_s)
    base_url = BASE if provider == "vllm" else BASE.removesuffix("/v1")
    model = ModelConfig(name=f"{provider}/mock", base_url=base_url)
    client = open_client(model, execution)
    folder = Path(WORK)
    start = time.perf_counter()
    done = written = 0
    waiting: dict[int, Result] = {}
    with (
        ResponseStore(folder / "store.sqlite") as store,
        (folder / "out.jsonl").open("wb") as out,
    ):
        engine = Engine(client, store, execution)
        async with aclosing(engine.run(requests())) as results:
            async for result in results:
                waiting[result.index] = result
                while (ready := waiting.pop(written, None)) is not None:
                    out.write(orjson.dumps(line(ready)) + b"\n")
                    done += ready.error is None
                    written += 1
    await client.aclose()
    report(done=done, failed=written - done, work=round(time.perf_counter() - start, 3))


if __name__ == "__main__":
    run_interruptibly(main(sys.argv[1]))
