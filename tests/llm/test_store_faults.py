"""What a store withstands: a power cut at any moment, a full disk, two writers, a cancelled run."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pr1.llm.chat import ChatResponse
from pr1.llm.store import ResponseStore
from pr1.llm.store_file import APPLICATION_ID, LAYOUT_VERSION
from pr1.schemas.errors import RunStopped
from pr1.schemas.manifest import Usage

ANSWER = ChatResponse(text="an answer " * 100, finish="stop", tokens_in=5, tokens_out=3)
PAID = Usage(tokens_in=5, tokens_out=3, cost_usd=0.5, requests=1)
PARTS = ("", "-wal", "-shm")

WRITER = """
import sys
from pathlib import Path
from pr1.llm.chat import ChatResponse
from pr1.llm.store import ResponseStore
from pr1.schemas.manifest import Usage
with ResponseStore(Path(sys.argv[1])) as store:
    for number in range(1_000_000):
        answer = ChatResponse(text="an answer " * 100, finish="stop")
        store.put(f"{number:08}", "judge", answer, Usage(requests=1))
        print(number, flush=True)
"""


def opened_clean(path: Path) -> int:
    """How many answers the store holds: the first ones, each whole and each paid for."""
    with ResponseStore(path) as store:
        (fault,) = store._database.execute("PRAGMA integrity_check").fetchone()
        assert fault == "ok"
        count = store.count()
        assert all(store.get(f"{n:08}") is not None for n in range(count))
        assert store.spent().requests == count
        return count


def copied(path: Path, folder: Path) -> Path:
    folder.mkdir()
    for part in PARTS:
        source = path.with_name(path.name + part)
        if source.exists():
            shutil.copy(source, folder / source.name)
    return folder / path.name


def test_what_a_stopped_moment_left_on_the_disk_opens_clean(tmp_path):
    path = tmp_path / "s.sqlite"
    chance = random.Random(7)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        for moment in range(12):
            for _ in range(chance.randrange(1, 120)):
                number = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGSTOP)  # the files then stand still while they are copied
            os.waitid(os.P_PID, writer.pid, os.WSTOPPED)
            snapshot = copied(path, tmp_path / f"{moment}")
            os.kill(writer.pid, signal.SIGCONT)
            (tmp_path / f"{moment}" / "s.sqlite-shm").unlink()  # lives in memory: a cut loses it
            assert opened_clean(snapshot) > number
        writer.kill()


def test_a_log_that_the_power_cut_tore_off_costs_its_end_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        for number in range(60):
            store.put(f"{number:08}", "judge", ANSWER, Usage(requests=1))
        whole = copied(path, tmp_path / "whole")
    assert opened_clean(copied(whole, tmp_path / "all")) == 60
    log = whole.with_name("s.sqlite-wal").read_bytes()
    chance = random.Random(7)
    counts = set()
    for cut in range(40):
        length = chance.randrange(len(log))
        torn = copied(whole, tmp_path / f"{cut}")
        torn.with_name("s.sqlite-shm").unlink()
        rest = chance.randbytes(chance.choice([0, 9000]))
        torn.with_name("s.sqlite-wal").write_bytes(log[:length] + rest)
        counts.add(opened_clean(torn))
    assert max(counts) > 40
    assert min(counts) < 20


def fill(store: ResponseStore) -> int:
    """Put answers until it fails, and say how many were stored."""
    for number in range(100_000):
        store.put(f"{number:08}", "judge", ANSWER, Usage(requests=1))
        stored = number + 1
    return stored


def test_a_full_disk_stops_with_what_to_do_and_keeps_what_was_stored(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        store._database.execute("PRAGMA max_page_count = 40")
        with pytest.raises(RunStopped, match=r"s\.sqlite: .*full.*Free disk space"):
            fill(store)
        kept = store.count()
        assert kept > 20
        store._database.execute("PRAGMA max_page_count = 4000")
    assert opened_clean(path) == kept + 1


FILLER = """
import resource, signal, sys
from pathlib import Path
from pr1.llm.chat import ChatResponse
from pr1.llm.store import ResponseStore
from pr1.schemas.errors import RunStopped
from pr1.schemas.manifest import Usage
if len(sys.argv) > 2:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with ResponseStore(Path(sys.argv[1])) as store:
        for number in range(100_000):
            answer = ChatResponse(text="an answer " * 100, finish="stop")
            store.put(f"{number:08}", "judge", answer, Usage(requests=1))
except RunStopped as error:
    print(number, error)
"""


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path):
    path = tmp_path / "s.sqlite"
    run = subprocess.run(
        [sys.executable, "-c", FILLER, str(path), "300000"],
        capture_output=True,
        text=True,
        check=True,
    )
    stored, _, message = run.stdout.partition(" ")
    assert "Free disk space" in message
    assert opened_clean(path) == int(stored) > 10


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk takes the rights of an administrator")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_in_earnest(tiny_disk):
    path = tiny_disk / "s.sqlite"
    command = [sys.executable, "-c", FILLER, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    stored, _, message = run.stdout.partition(" ")
    assert "full" in message
    copy = copied(path, tiny_disk.parent / "copy")
    assert opened_clean(copy) == int(stored) > 10


def test_what_was_spent_is_added_up_over_runs(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        assert store.spent() == Usage()
        store.spend(Usage(tokens_in=7, requests=1))
        assert store.spent() == Usage(tokens_in=7, requests=1)
        store.put("a", "judge", ANSWER, PAID)
    with ResponseStore(path) as store, ResponseStore(path) as other:
        store.put("a", "judge", ANSWER, PAID)
        other.spend(PAID)
        total = Usage(tokens_in=22, tokens_out=9, cost_usd=1.5, requests=4)
        assert store.spent() == other.spent() == total
        assert store.count() == 1


def test_a_store_of_before_there_were_costs_gains_them(tmp_path):
    path = tmp_path / "s.sqlite"
    database = sqlite3.connect(path)
    database.executescript(
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT_VERSION};"
        "CREATE TABLE answers (key TEXT PRIMARY KEY, purpose TEXT NOT NULL, model TEXT NOT NULL,"
        " response TEXT NOT NULL) STRICT"
    )
    for number in range(3):
        values = (str(number), "judge", "m", ANSWER.model_dump_json(exclude={"first_token"}))
        database.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", values)
    database.commit()
    database.close()
    for _ in range(2):
        with ResponseStore(path) as store:
            assert store.get("2") == ANSWER
            assert store.spent() == Usage(tokens_in=15, tokens_out=9, requests=3)


def test_what_was_added_is_saved_in_one_transaction(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store, ResponseStore(path) as other_process:
        statements = []
        store._database.set_trace_callback(statements.append)
        for number in range(10):
            store.add(str(number), "judge", ANSWER, PAID)
        assert store.get("9") == ANSWER
        assert other_process.get("9") is None
        store.save()
        assert statements.count("COMMIT") == 1
        assert other_process.get("9") == ANSWER
        assert other_process.count() == other_process.spent().requests == 10
        store.save()
        assert statements.count("COMMIT") == 1


def test_a_full_disk_keeps_what_was_added_for_when_there_is_room(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        store._database.execute("PRAGMA max_page_count = 10")
        for number in range(100):
            store.add(str(number), "judge", ANSWER, PAID)
        with pytest.raises(RunStopped, match="Free disk space"):
            store.save()
        assert store.count() == store.spent().requests == 0
        store._database.execute("PRAGMA max_page_count = 10000")
    with ResponseStore(path) as store:
        assert store.count() == store.spent().requests == 100
