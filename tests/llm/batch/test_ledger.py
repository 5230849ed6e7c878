import sqlite3

import pytest
from scripted_client import says

from pr1.llm.batch.chunks import ChunkWriter, chunk_path, remove_leftovers
from pr1.llm.batch.ledger import Ledger
from pr1.llm.batch.service import Limits
from pr1.llm.chat import ModelIdentity
from pr1.schemas.errors import RunStopped, UsageError
from pr1.schemas.manifest import Usage

IDENTITY = ModelIdentity("openai", "http://test/v1", "m", "")
ONE = Usage(tokens_in=10, tokens_out=5, requests=1)
TWO = Limits(requests=2, bytes=1000)
KEYS = [f"{n:064d}" for n in range(5)]


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path, IDENTITY)
    yield opened
    opened.close()


def write(ledger, folder, keys=KEYS, limits=TWO):
    with ChunkWriter(folder, ledger, limits) as writer:
        for key in keys:
            writer.add(b"{}\n", key, "extract", "Facts", ONE)
        writer.end_chunk()
    return writer.numbers


def test_chunks_hold_what_was_written(ledger, tmp_path):
    assert write(ledger, tmp_path) == [1, 2, 3]
    chunks = ledger.chunks("written")
    assert [chunk.requests for chunk in chunks] == [2, 2, 1]
    assert chunks[0].usage == Usage(tokens_in=20, tokens_out=10, requests=2)
    assert len({chunk.name for chunk in chunks}) == 3
    assert [ledger.waiting_in(number) for number in (1, 2, 3)] == [KEYS[:2], KEYS[2:4], KEYS[4:]]
    assert chunk_path(tmp_path, chunks[0].name).read_bytes() == b"{}\n{}\n"
    assert ledger.entry_at(2, 1).key == KEYS[2]
    assert ledger.entry_at(2, 3) is None


@pytest.mark.parametrize("limits", [Limits(2, 1000), Limits(100, 6), Limits(100, 7)], ids=str)
def test_either_limit_ends_a_chunk(ledger, tmp_path, limits):
    write(ledger, tmp_path, limits=limits)
    assert [chunk.requests for chunk in ledger.chunks("written")] == [2, 2, 1]


def test_nothing_of_an_unfinished_chunk_stays(tmp_path):
    ledger = Ledger(tmp_path, IDENTITY)
    with ChunkWriter(tmp_path, ledger, TWO) as writer:
        for key in KEYS[:3]:
            writer.add(b"{}\n", key, "extract", None, ONE)
    ledger.close()
    ledger = Ledger(tmp_path, IDENTITY)
    assert [chunk.requests for chunk in ledger.chunks("written")] == [2]
    assert ledger.entry(KEYS[2]) is None
    remove_leftovers(tmp_path, ledger.chunks("written"))
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    ledger.close()


def test_a_chunk_goes_its_way(ledger, tmp_path):
    write(ledger, tmp_path)
    ledger.intend(2, "batch_before", 100.0)
    (chunk,) = ledger.chunks("intended")
    assert (chunk.number, chunk.newest_before, chunk.since_s) == (2, "batch_before", 100.0)
    ledger.submitted(2, "batch_2", 200.0, is_adopted=True)
    (chunk,) = ledger.chunks("submitted")
    assert (chunk.batch_id, chunk.since_s, chunk.is_adopted) == ("batch_2", 200.0, True)
    assert ledger.known_batches() == {"batch_2"}
    ledger.rewind(2, "written")
    assert [chunk.number for chunk in ledger.chunks("written")] == [1, 2, 3]
    assert ledger.known_batches() == set()


def test_dissolving_leaves_what_has_an_outcome(ledger, tmp_path):
    write(ledger, tmp_path, limits=Limits(5, 1000))
    ledger.answered(KEYS[0])
    unusable = (says("no JSON"), None)
    ledger.note(ledger.entry(KEYS[1])._replace(state="again", unusable=unusable, faults=3))
    ledger.note(ledger.entry(KEYS[2])._replace(state="failed", code="c", message="m"))
    ledger.dissolve(1)
    states = [entry and entry.state for entry in map(ledger.entry, KEYS)]
    assert states == [None, "again", "failed", "again", "again"]
    assert ledger.entry(KEYS[1]).unusable == unusable
    assert ledger.entry(KEYS[1]).faults == 3
    assert (ledger.count("again"), ledger.count("failed"), ledger.count("sent")) == (3, 1, 0)
    ledger.forget_failures()
    assert ledger.entry(KEYS[2]) is None
    # Sent again, it keeps what it has been through.
    write(ledger, tmp_path, KEYS[1:2])
    entry = ledger.entry(KEYS[1])
    assert (entry.state, entry.faults, entry.unusable) == ("sent", 3, unusable)


def test_chunks_of_another_model_are_not_seen(ledger, tmp_path):
    write(ledger, tmp_path)
    other = Ledger(tmp_path, IDENTITY._replace(model="other"))
    assert other.chunks("written") == []
    assert write(other, tmp_path, ["other"]) == [4]
    assert len(ledger.chunks("written")) == 3
    other.close()


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all, but long enough to be read")
    with pytest.raises(UsageError, match="not a usable ledger of batches"):
        Ledger(tmp_path, IDENTITY)


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program"):
        Ledger(tmp_path, IDENTITY)
    assert path.read_bytes() == before


def test_a_full_disk_stops_the_run(ledger, tmp_path, monkeypatch):
    class Full:
        def open(self, mode):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("pr1.llm.batch.chunks.chunk_path", lambda folder, name: Full())
    with pytest.raises(RunStopped, match=r"No space left on device.*Free disk space"):
        write(ledger, tmp_path)
