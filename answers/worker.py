"""The pool of worker processes that compare formulas, each comparison under a hard time limit.

A formula can keep computer algebra busy for ever, and math-verify's own time limit works on the
main thread only. So comparisons run in processes of their own (`maths.py`), which are killed when
the time is up and replaced when next needed. Nothing starts before the first question, and
everything is stopped when the program ends. Safe in threads and after a fork; needs no `__main__`
guard.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from functools import lru_cache
from typing import Literal

from ..schemas.errors import Pr1Error

Outcome = Literal["equal", "different", "reference_unparsable", "timeout"]

TIMEOUT_S = 5.0
START_TIMEOUT_S = 120.0
WORKERS = max(1, min(4, os.cpu_count() or 1))


class _OutOfTime(Exception):
    """The worker was killed because its time was up."""


class _Ended(Exception):
    """The worker ended by itself."""


class _Worker:
    """One worker process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pr1.answers.maths"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            self._read(START_TIMEOUT_S)
        except (_OutOfTime, _Ended):
            self.close()
            raise Pr1Error(
                "The process that compares formulas did not start. "
                "Check the installation: python -m pr1.answers.maths < /dev/null"
            ) from None

    def ask(self, found: str, reference: str, timeout_s: float) -> str:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"found": found, "reference": reference}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise _Ended from None
        return self._read(timeout_s)

    def _read(self, timeout_s: float) -> str:
        assert self.process.stdout is not None
        is_out_of_time = threading.Event()

        def stop() -> None:
            is_out_of_time.set()
            self.process.kill()

        timer = threading.Timer(timeout_s, stop)
        timer.daemon = True
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if is_out_of_time.is_set():
            raise _OutOfTime
        if not line:
            raise _Ended
        return line.strip()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what it still held was for the process that is gone


class _Pool:
    """Idle workers, and a limit on how many work at once."""

    def __init__(self) -> None:
        self.slots = threading.BoundedSemaphore(WORKERS)
        self.lock = threading.Lock()
        self.idle: list[_Worker] = []

    def ask(self, found: str, reference: str, timeout_s: float) -> str:
        with self.slots:
            try:
                return self._ask_one(found, reference, timeout_s)
            except _Ended:
                # It may have died while idle, for no fault of this question: a second chance.
                return self._ask_one(found, reference, timeout_s)

    def _ask_one(self, found: str, reference: str, timeout_s: float) -> str:
        worker = self._take()
        try:
            outcome = worker.ask(found, reference, timeout_s)
        except BaseException:
            worker.close()
            raise
        with self.lock:
            self.idle.append(worker)
        return outcome

    def _take(self) -> _Worker:
        with self.lock:
            if self.idle:
                return self.idle.pop()
        return _Worker()

    def close(self) -> None:
        with self.lock:
            workers, self.idle = self.idle, []
        for worker in workers:
            worker.close()


_pool = _Pool()


def _forget_workers() -> None:
    """In a forked child: the parent's workers are not ours, so start with none."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)


@atexit.register
def close_workers() -> None:
    """Stops the idle worker processes; the next comparison starts new ones."""
    _pool.close()


def same_mathematics(found: str, reference: str) -> Outcome:
    """How two formulas in plain text compare; `timeout` also when the process died over them.

    Blocks for `TIMEOUT_S` at most, once a worker is free and running.

    Raises:
        Pr1Error: no worker can be started.
    """
    try:
        return _ask(found, reference)
    except (_OutOfTime, _Ended):
        return "timeout"


@lru_cache(maxsize=8192)
def _ask(found: str, reference: str) -> Outcome:
    match _pool.ask(found, reference, TIMEOUT_S):
        case "equal":
            return "equal"
        case "reference_unparsable":
            return "reference_unparsable"
        case _:
            return "different"
