"""The processes that check answers: what they say, their end, and what ends them."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from pr1.answers import AnswerItem
from pr1.schemas.errors import Pr1Error
from pr1.train import answer_process
from pr1.train.answer_process import AnswerProcess, AnswerProcesses

ITEMS = [
    AnswerItem("So it is 13.", "12"),
    AnswerItem("", "12"),
    AnswerItem("AB or BC", "A", choices=("AB", "BC")),
    AnswerItem("It is 25°.\n\nB", "B", choices=["20°", "25°"], question="Which\none?"),
    AnswerItem("12", r"\frac{1"),
    AnswerItem("half a pair \ud800 and \x85\u2028 \\boxed{12}", "12"),
    AnswerItem(r"So \boxed{12}.", "12", is_cut=True),
]
OUTCOMES = [
    (False, "different"),
    (False, "no_answer"),
    (False, "several_answers"),
    (True, "equal"),
    (None, "reference_unparsable"),
    (True, "equal"),
    (True, "equal"),
]
FORMULA = AnswerItem(r"\boxed{1+x}", "x+1")
EQUAL = "print('[[true, \"equal\"]]', flush=True)"


@pytest.fixture
async def process():
    """An `AnswerProcess`, ended at last."""
    process = AnswerProcess()
    yield process
    await process.aclose()


def program(monkeypatch, script):
    """Makes this script the program that checks answers."""
    monkeypatch.setattr(answer_process, "PROGRAM", ("-P", "-c", script))


def outcomes(checks):
    """What the checks say, without the answers found."""
    return [(check.is_correct, check.reason) for check in checks]


async def test_outcomes_come_in_the_order_of_the_items(process):
    assert outcomes(await process.check(ITEMS * 5)) == OUTCOMES * 5
    assert outcomes(await process.check([FORMULA])) == [(True, "equal")]
    assert await process.check([]) == []


async def test_formulas_wait_for_no_import(process):
    await process.start()
    checker = psutil.Process(process._process.pid)
    async with asyncio.timeout(60):
        while not checker.children():  # the worker, before any formula is asked
            await asyncio.sleep(0.05)


async def test_calls_at_once_get_their_own_outcomes(process):
    calls = (process.check(ITEMS[n:]) for n in range(4))
    answers = await asyncio.gather(*calls)
    assert list(map(outcomes, answers)) == [OUTCOMES[n:] for n in range(4)]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 23])
async def test_several_share_the_items(monkeypatch, count):
    monkeypatch.setattr(answer_process, "PROCESSES", 3)
    monkeypatch.setattr(answer_process, "SHARE", 2)
    processes = AnswerProcesses()
    await processes.start()
    checks = await processes.check((ITEMS * 4)[:count])
    await processes.aclose()
    assert outcomes(checks) == (OUTCOMES * 4)[:count]


async def test_who_is_free_takes_what_waits(monkeypatch):
    monkeypatch.setattr(answer_process, "PROCESSES", 2)
    monkeypatch.setattr(answer_process, "SHARE", 1)
    processes = AnswerProcesses()
    busy, free = processes._processes
    shares = []

    async def stuck(share):
        await is_done.wait()
        return await AnswerProcess.check(busy, share)

    async def counted(share):
        shares.append(share)
        if len(shares) == len(ITEMS) - 1:
            is_done.set()
        return await AnswerProcess.check(free, share)

    is_done = asyncio.Event()
    monkeypatch.setattr(busy, "check", stuck)
    monkeypatch.setattr(free, "check", counted)
    async with asyncio.timeout(60):
        assert outcomes(await processes.check(ITEMS)) == OUTCOMES
    await processes.aclose()


async def test_one_that_died_while_idle_is_replaced(process):
    await process.start()
    process._process.kill()
    assert outcomes(await process.check(ITEMS)) == OUTCOMES


async def test_one_that_dies_midway_is_asked_for_the_rest(process, monkeypatch, tmp_path):
    script = f"""
import json, pathlib, sys
asked = pathlib.Path({str(tmp_path / "asked")!r})
items = json.loads(input())
with asked.open("a") as file:
    print(len(items), file=file)
for _ in items if len(items) < 7 else items[:4]:
    {EQUAL}
"""
    program(monkeypatch, script)
    checks = await process.check(ITEMS)
    assert [check.reason for check in checks] == ["equal"] * 7
    assert (tmp_path / "asked").read_text().split() == ["7", "3"]


@pytest.mark.parametrize("script", ["", EQUAL, "input(); print(end='[[true,')"])
async def test_one_that_ends_twice_is_an_error(process, monkeypatch, script):
    program(monkeypatch, script)
    with pytest.raises(Pr1Error, match="twice"):
        await process.check(ITEMS)
    assert process._process is None


async def test_one_that_hangs_is_killed(process, monkeypatch):
    program(monkeypatch, "import time; time.sleep(3600)")
    monkeypatch.setattr(answer_process, "SILENCE_S", 0.2)
    await process.start()
    pid = process._process.pid
    with pytest.raises(Pr1Error, match="twice"):
        await process.check(ITEMS)
    assert not psutil.pid_exists(pid)


async def test_it_passes_on_why_formulas_cannot_be_compared(process, monkeypatch):
    script = """
import sys
from pr1.answers import checker
sys.executable = "/bin/false"
checker.main()
"""
    program(monkeypatch, script)
    with pytest.raises(Pr1Error, match="compares formulas did not start"):
        await process.check([*ITEMS, FORMULA])


async def test_a_call_that_is_cancelled_leaves_nothing_unread(process):
    call = asyncio.create_task(process.check(ITEMS))
    while process._process is None:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert outcomes(await process.check(ITEMS[2:])) == OUTCOMES[2:]


async def test_ctrl_c_does_not_end_it(process):
    await process.check(ITEMS[:1])
    before = process._process.pid
    os.kill(before, signal.SIGINT)
    await process.check(ITEMS)
    assert process._process.pid == before


def test_it_ends_with_a_program_that_is_killed():
    script = """
import asyncio, os, signal
from pr1.answers import AnswerItem
from pr1.train.answer_process import AnswerProcess

async def main():
    process = AnswerProcess()
    await process.check([AnswerItem("\\\\boxed{x+1}", "1+x")])
    print(process._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    pid = int(run.stdout)
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} still runs")


def test_it_imports_nothing_heavy():
    script = "import sys, pr1.answers.checker; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"torch", "trl", "pydantic", "numpy", "sympy"} & set(run.stdout.split())
