"""Stored is stored: under the right key, after a kill, beside another process, and only by us."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from pr1.llm.chat import ChatImage, ChatMessage, ChatRequest, ChatResponse, ModelIdentity
from pr1.llm.store import ResponseStore, request_key
from pr1.schemas.errors import BadRequest, RunStopped, UsageError


class Facts(BaseModel):
    facts: list[str]


class FewFacts(BaseModel):
    facts: list[str] = Field(max_length=3)


IDENTITY = ModelIdentity("openai", "https://api.openai.com/v1", "gpt", "2026")
IMAGE = ChatImage(b"png", "image/png")
REQUEST = ChatRequest(
    messages=(ChatMessage("user", ("look", IMAGE)),),
    purpose="collect",
    max_tokens=10,
    temperature=1.0,
    response_model=Facts,
)
ANSWER = ChatResponse(text="an answer", finish="stop", tokens_in=5, model="gpt-2026")


def messages(role="user", text="look", data=b"png", media_type="image/png"):
    return (ChatMessage(role, (text, ChatImage(data, media_type))),)


def test_equal_requests_have_one_key():
    twin = replace(REQUEST, messages=messages(), temperature=1)
    assert request_key(IDENTITY, twin) == request_key(IDENTITY, REQUEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": messages(role="system")},
        {"messages": messages(text="look!")},
        {"messages": messages(data=b"another")},
        {"messages": messages(media_type="image/jpeg")},
        {"messages": (ChatMessage("user", (IMAGE, "look")),)},
        {"messages": (ChatMessage("user", ("look",)), ChatMessage("user", (IMAGE,)))},
        {"messages": (ChatMessage("user", ("look", IMAGE.sha256)),)},
        {"purpose": "judge"},
        {"sample_index": 1},
        {"max_tokens": 11},
        {"temperature": 0.0},
        {"seed": 0},
        {"response_model": None},
        {"response_model": FewFacts},
    ],
)
def test_whatever_changes_the_answer_changes_the_key(changes):
    assert request_key(IDENTITY, replace(REQUEST, **changes)) != request_key(IDENTITY, REQUEST)


@pytest.mark.parametrize("part", ModelIdentity._fields)
def test_whoever_answers_is_in_the_key(part):
    other = IDENTITY._replace(**{part: "other"})
    assert request_key(other, REQUEST) != request_key(IDENTITY, REQUEST)


def test_the_key_of_a_request_does_not_change_between_versions():
    # Changing it makes every stored answer of every user worthless: only by decision.
    plain = ChatRequest((ChatMessage("user", ("hi",)),), "extract", max_tokens=10)
    assert request_key(IDENTITY, plain) == PINNED_KEY


PINNED_KEY = "c9dbcfd3fae1a0a9effd0dd534416971bc2a87151acd8a891e9c7609b31b0927"


def test_half_a_surrogate_pair_has_no_key():
    with pytest.raises(BadRequest):
        request_key(IDENTITY, replace(REQUEST, messages=messages(text="\ud800")))


def test_an_answer_comes_back_as_it_was(tmp_path):
    refusal = ChatResponse(text="", finish="stop", refusal="no")
    with ResponseStore(tmp_path / "new folder" / "s.sqlite") as store:
        assert store.get("a") is None
        store.put("a", "judge", ANSWER)
        store.put("b", "judge", refusal)
        store.put("b", "judge", refusal)
        assert (store.get("a"), store.get("b")) == (ANSWER, refusal)
        assert store.count() == 2
    with ResponseStore(tmp_path / "new folder" / "s.sqlite") as store:
        assert (store.get("a"), store.get("b")) == (ANSWER, refusal)


@given(st.text())
def test_any_text_comes_back_as_it_was(tmp_path_factory, text):
    answer = ANSWER.model_copy(update={"text": text})
    with ResponseStore(tmp_path_factory.getbasetemp() / "shared.sqlite") as store:
        store.put("k", "judge", answer)
        assert store.get("k") == answer


def make_text(path):
    path.write_text("id,answer\n" * 500)


def make_cut_store(path):
    with ResponseStore(path) as store:
        for number in range(500):
            store.put(str(number), "judge", ANSWER)
    path.write_bytes(path.read_bytes()[:10_000])


def make_foreign(path):
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE answers (key, response)")
    database.commit()
    database.close()


def make_later_version(path):
    ResponseStore(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def make_unreadable_answer(path):
    with ResponseStore(path) as store:
        store.put("key", "judge", ANSWER)
    database = sqlite3.connect(path)
    database.execute("UPDATE answers SET response = '{}'")
    database.commit()
    database.close()


def read_all(path):
    with ResponseStore(path) as store:
        store.get("key")
        store.count()


@pytest.mark.parametrize(
    "make", [make_text, make_cut_store, make_foreign, make_later_version, make_unreadable_answer]
)
def test_a_file_that_is_no_store_is_refused_with_what_to_do(tmp_path, make):
    path = tmp_path / "s.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"s\.sqlite: not a usable .*Move it away"):
        read_all(path)
    assert path.read_bytes() == before


def test_a_folder_in_its_place_is_explained(tmp_path):
    with pytest.raises(RunStopped, match="cannot be used"):
        ResponseStore(tmp_path)


WRITER = """
import sys
from pathlib import Path
from pr1.llm.chat import ChatResponse
from pr1.llm.store import ResponseStore
name, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with ResponseStore(path) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for number in range(count):
        store.put(f"{name}-{number}", "judge", ChatResponse(text=name, finish="stop"))
        print(number, flush=True)
"""


def start_writer(name, path, count):
    command = [sys.executable, "-c", WRITER, name, str(path), str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_share_a_store(tmp_path):
    path = tmp_path / "s.sqlite"
    writers = [start_writer(name, path, 200) for name in ("a", "b")]
    for writer in writers:
        assert writer.stdout.readline() == "open\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    with ResponseStore(path) as store:
        assert store.count() == 400
        assert store.get("b-199").text == "b"


def test_many_may_make_the_file_at_once(tmp_path):
    for number in range(30):
        path = tmp_path / f"{number}.sqlite"
        together = threading.Barrier(4)

        def open_and_put(name, path=path, together=together):
            together.wait()
            with ResponseStore(path) as store:
                store.put(name, "judge", ANSWER)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(open_and_put, "abcd"))
        with ResponseStore(path) as store:
            assert store.count() == 4


def test_a_killed_process_loses_no_stored_answer(tmp_path):
    path = tmp_path / "s.sqlite"
    with start_writer("a", path, 1_000_000) as writer:
        assert writer.stdout.readline() == "open\n"
        writer.stdin.write("go\n")
        writer.stdin.flush()
        while (number := int(writer.stdout.readline())) < 50:
            pass
        os.kill(writer.pid, signal.SIGKILL)
    with ResponseStore(path) as store:
        assert all(store.get(f"a-{n}") is not None for n in range(number + 1))
        store.put("after", "judge", ANSWER)
