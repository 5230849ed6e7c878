"""The worker processes: time limit, replacement, threads, fork, exit."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pr1.answers import check_answer, close_workers, worker
from pr1.schemas.errors import Pr1Error

ENDLESS = r"\int_0^1 e^{x^2} \sin(x^3) dx"
USE_ALGEBRA = 'check_answer(r"\\boxed{x^2+2x+1}", "(x+1)^2").is_correct'


@pytest.fixture(autouse=True)
def _fresh_workers() -> Iterator[None]:
    close_workers()
    worker._ask.cache_clear()
    yield
    close_workers()


def run_script(script: str) -> str:
    """The output of a program that has no `__main__` guard."""
    program = f"from pr1.answers import check_answer, worker\n{script}"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert result.stderr == ""
    return result.stdout


def test_out_of_time_is_not_scored_and_the_next_question_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_answer(r"\boxed{x+1}", "1+x").is_correct
    process = worker._pool.idle[0].process
    monkeypatch.setattr(worker, "TIMEOUT_S", 0.5)
    check = check_answer(rf"\boxed{{{ENDLESS}}}", r"\int_0^2 e^{x^2} \cos(x^3) dx")
    assert (check.is_correct, check.reason) == (None, "timeout")
    assert process.returncode is not None, "killed and waited for"
    monkeypatch.setattr(worker, "TIMEOUT_S", 5.0)
    assert check_answer(r"\boxed{x+2}", "2+x").is_correct


def test_a_worker_that_died_while_idle_is_replaced() -> None:
    assert check_answer(r"\boxed{x+1}", "1+x").is_correct
    worker._pool.idle[0].process.kill()
    worker._pool.idle[0].process.wait()
    assert check_answer(r"\boxed{x+2}", "2+x").is_correct


def test_a_worker_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.sys, "executable", shutil.which("false"))
    with pytest.raises(Pr1Error, match="did not start"):
        check_answer(r"\boxed{x+1}", "1+x")


def test_threads_share_the_workers() -> None:
    def check(n: int) -> bool | None:
        return check_answer(rf"\boxed{{x+{n}}}", f"{n}+x").is_correct

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(check, range(24)))
    assert len(worker._pool.idle) <= worker.WORKERS


async def test_asynchronous_callers() -> None:
    checks = (asyncio.to_thread(check_answer, rf"\boxed{{y+{n}}}", f"{n}+y") for n in range(8))
    assert all(check.is_correct for check in await asyncio.gather(*checks))


def test_cheap_comparisons_start_nothing() -> None:
    script = """
import sys
assert check_answer(r"The answer is 2\\sqrt{221}.", r"2 \\sqrt { 221 }").is_correct
assert check_answer("B", "25°", choices=["20°", "25°"]).is_correct
print(worker._pool.idle, [name for name in ("sympy", "math_verify") if name in sys.modules])
"""
    assert run_script(script).strip() == "[] []"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_has_its_own_workers() -> None:
    script = f"""
import os
assert {USE_ALGEBRA}
pid = os.fork()
if pid == 0:
    worker._ask.cache_clear()
    assert worker._pool.idle == []
    assert {USE_ALGEBRA}
    worker.close_workers()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
worker._ask.cache_clear()
assert {USE_ALGEBRA}
print("both")
"""
    assert run_script(script).strip() == "both"


@pytest.mark.parametrize("ending", ["", "import signal, os; os.kill(os.getpid(), signal.SIGKILL)"])
def test_no_worker_outlives_the_program(ending: str) -> None:
    script = f"print({USE_ALGEBRA}, worker._pool.idle[0].process.pid, flush=True)\n{ending}"
    program = f"from pr1.answers import check_answer, worker\n{script}"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    is_correct, pid = result.stdout.split()
    assert is_correct == "True"
    for _ in range(100):
        if not is_running(int(pid)):
            return
        time.sleep(0.1)
    pytest.fail(f"worker {pid} still runs")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
