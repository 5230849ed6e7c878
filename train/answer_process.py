"""The processes in which a run's answers are checked, so that the judge's event loop only waits."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from itertools import chain

from ..answers import AnswerCheck, AnswerItem
from ..schemas.errors import Pr1Error

log = logging.getLogger(__name__)

PROGRAM = ("-P", "-m", "pr1.answers.checker")
PROCESSES = max(1, min(4, os.cpu_count() or 1))
SHARE = 16
"""Items that a process is handed at a time: about a group, which repeats its formulas."""

SILENCE_S = 120.0
"""More than the few formulas take whose outcomes leave together, if all of them run out of time."""


class AnswerProcesses:
    """Several processes that share what there is to check. Belongs to one event loop."""

    def __init__(self) -> None:
        self._processes = [AnswerProcess() for _ in range(PROCESSES)]

    async def start(self) -> None:
        """Start them, without waiting until they are ready."""
        for process in self._processes:
            await process.start()

    async def check(self, items: Sequence[AnswerItem]) -> list[AnswerCheck]:
        """The outcome of each item, in order, without the answer that was found.

        Raises:
            Pr1Error: as `AnswerProcess.check`.
        """
        shares = [items[at : at + SHARE] for at in range(0, len(items), SHARE)]
        checks: list[list[AnswerCheck]] = [[] for _ in shares]
        waiting = iter(enumerate(shares))  # all processes draw from it: who is free takes the next

        async def work(process: AnswerProcess) -> None:
            for place, share in waiting:
                checks[place] = await process.check(share)

        await asyncio.gather(*map(work, self._processes))
        return list(chain.from_iterable(checks))

    async def aclose(self) -> None:
        """End them; they are started again when they are asked again."""
        for process in self._processes:
            await process.aclose()


class AnswerProcess:
    """A process that checks answers (`answers/checker.py`). Belongs to one event loop.

    It is a new interpreter and no fork, so the trainer's threads and CUDA do not matter to it. It
    ends with the trainer, however that ends, because its standard input does.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the process, without waiting until it is ready."""
        async with self._turn:
            await self._running()

    async def check(self, items: Sequence[AnswerItem]) -> list[AnswerCheck]:
        """The outcome of each item, in order, without the answer that was found.

        A process that ends, or says nothing for `SILENCE_S`, is replaced once: it may have been
        killed for no fault of these items.

        Raises:
            Pr1Error: its successor did no better, or no process that compares formulas starts.
        """
        checks: list[AnswerCheck] = []
        async with self._turn:
            for _ in range(2):
                try:
                    await self._ask(items[len(checks) :], checks)
                    return checks
                except (EOFError, TimeoutError):
                    log.warning("the process that checks answers ended, or fell silent")
        raise Pr1Error(
            "The process that checks answers ended, or fell silent, twice. "
            "Check the installation: python -m pr1.answers.checker < /dev/null"
        )

    async def aclose(self) -> None:
        """End the process; it is started again when it is asked again."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.communicate()

    async def _ask(self, items: Sequence[AnswerItem], checks: list[AnswerCheck]) -> None:
        """Append the items' outcomes as they come."""
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([vars(item) for item in items]).encode() + b"\n")
            awaited = len(checks) + len(items)
            while len(checks) < awaited:
                async with asyncio.timeout(SILENCE_S):
                    checks += _outcomes(await process.stdout.readline())
        except BaseException:
            await self.aclose()  # what it says from now on answers no question
            raise

    async def _running(self) -> Process:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *PROGRAM, stdin=PIPE, stdout=PIPE
            )
        return self._process


def _outcomes(line: bytes) -> list[AnswerCheck]:
    if not line.endswith(b"\n"):
        raise EOFError
    said = json.loads(line)
    if isinstance(said, str):
        raise Pr1Error(said)
    return [AnswerCheck(*outcome) for outcome in said]
