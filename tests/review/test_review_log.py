"""What was confirmed is there again, whatever happened to the process or to the file's end."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reviewed_sets import annotated_set, choose, problem

from pr1.review import log as log_module
from pr1.review.decisions import Choice
from pr1.review.file import read_review, review_path
from pr1.review.log import ReviewLog
from pr1.schemas.errors import NotSaved, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return annotated_set(tmp_path / "set")


def accept(row: str = "p0", target: str = "a1") -> Choice:
    return choose(row, "accept", target=target)


def test_a_review_lies_beside_its_folder_and_is_read_again(folder):
    before = sorted(path.name for path in folder.rglob("*"))
    with ReviewLog(folder, " ada  b ") as log:
        decision = log.append(choose("p1", "edit", target="a1", statement="AB = 6", kind="length"))
    assert (decision.number, decision.who) == (1, "ada b")
    with ReviewLog(folder, "bob") as log:
        assert log.counting("p1") == [decision]
        assert (len(log), log.cut_off, log.version("p1"), log.version("p2")) == (1, 0, 1, 0)
        assert log.append(accept()).who == "bob"
    assert review_path(folder) == folder.parent / "set.review.jsonl"
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_nothing_is_overwritten(folder):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
        before = log.path.read_bytes()
        log.append(choose("p0", "undo", undoes=1))
        assert log.path.read_bytes().startswith(before)
        assert log.counting("p0") == []
        assert log.version("p0") == 2


def test_rows_are_told_by_what_counts_on_them(folder):
    with ReviewLog(folder, "ada") as log:
        for row in ("p0", "p1"):
            log.append(choose(row, "done"))
            log.append(choose(row, "comment", text="look again"))
        log.append(choose("p0", "comment", text=""))
        log.append(choose("p1", "undo", undoes=3))
        assert log.rows_with("done") == {"p0"}
        assert log.rows_with("comment") == {"p1"}
    with ReviewLog(folder, "ada") as log:
        assert log.rows_with("done") == {"p0"}
        assert log.rows_with("comment") == {"p1"}


def test_undoing_twice_is_undoing_once(folder):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
        log.append(choose("p0", "undo", undoes=1))
        log.append(choose("p0", "undo", undoes=1))
        assert log.counting("p0") == []
        assert log.rows_with("accept") == set()


def test_a_file_cut_at_any_byte_keeps_every_whole_line(folder):
    texts = ["AB = 6", "圆\n\x00\u2028"]
    with ReviewLog(folder, "ada") as log:
        for text in texts:
            log.append(choose("p0", "edit", target="a1", statement=text))
    path = review_path(folder)
    whole = path.read_bytes()
    of_header = whole.index(b"\n")
    for end in (0, 1, of_header // 2, *range(of_header - 1, len(whole))):
        path.write_bytes(whole[:end])
        complete = max(0, whole[:end].count(b"\n") - 1)
        with ReviewLog(folder, "ada") as log:
            assert [one.statement for one in log.counting("p0")] == texts[:complete]
            assert log.cut_off == end - (whole[:end].rfind(b"\n") + 1)
            assert log.append(accept()).number == complete + 1
        assert len(read_review(folder).decisions) == complete + 1


def test_what_a_power_cut_leaves_at_the_end_is_cut_off(folder):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
    with review_path(folder).open("ab") as file:
        file.write(b"\0" * 40)
    assert len(read_review(folder).decisions) == 1
    with ReviewLog(folder, "ada") as log:
        assert (len(log), log.cut_off) == (1, 40)


@pytest.mark.parametrize(
    "line", [b"{}", b"", b'{"number": 1', b"\0\0", b"[]", b'{"number":2,"at":"","who":"a"}']
)
def test_a_damaged_line_in_the_midst_is_refused_with_its_place(folder, line):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
        log.append(accept())
    path = review_path(folder)
    header, _, last = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([header, line, last, b""]))
    with pytest.raises(UsageError, match=r"set\.review\.jsonl:2: decision 1 should stand here"):
        ReviewLog(folder, "ada")
    with pytest.raises(UsageError, match="Restore the file"):
        read_review(folder)


def test_a_review_of_another_set_is_refused(folder, tmp_path):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
    other = annotated_set(tmp_path / "other", problem(7))
    review_path(folder).rename(review_path(other))
    before = review_path(other).read_bytes()
    with pytest.raises(UsageError, match="another set than the one that lies beside it now"):
        ReviewLog(other, "ada")
    assert review_path(other).read_bytes() == before


@pytest.mark.parametrize("content", [b"my notes", b"my notes\n", b"\0\0\0", b'{"a": 1}\n'])
def test_somebody_elses_file_is_left_alone(folder, content):
    review_path(folder).write_bytes(content)
    with pytest.raises(UsageError, match="no review that pr1 reads"):
        ReviewLog(folder, "ada")
    assert review_path(folder).read_bytes() == content


def test_a_second_process_is_refused(folder):
    code = f"""
from pathlib import Path
from pr1.review.log import ReviewLog
ReviewLog(Path({str(folder)!r}), "bob")
"""
    with ReviewLog(folder, "ada"):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "UsageError" in run.stderr
    assert "open in another `pr1 review`" in run.stderr
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_threads_share_a_review(folder):
    with ReviewLog(folder, "ada") as log:
        threads = [
            threading.Thread(target=lambda: [log.append(accept()) for _ in range(20)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [one.number for one in read_review(folder).decisions] == list(range(1, 81))


@pytest.mark.parametrize("who", ["", "  ", "\n", "x" * 101, "a\x1b[31m", "\ud800"])
def test_a_reviewer_has_a_name(folder, who):
    with pytest.raises(UsageError, match="--who"):
        ReviewLog(folder, who)
    assert not review_path(folder).exists()


class FullDisk:
    """Takes the first bytes of what is written, and then none."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        taken = self._file.write(bytes(data[: self._room]))
        self._room -= taken
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return taken

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 1, 40])
def test_a_full_disk_takes_no_half_decision(folder, room):
    with ReviewLog(folder, "ada") as log:
        log.append(accept())
        before, file = log.path.read_bytes(), log._file
        log._file = FullDisk(file, room)
        with pytest.raises(NotSaved, match=r"No space left on device.*not saved. Make room"):
            log.append(accept("p1"))
        assert log.path.read_bytes() == before
        assert (len(log), log.counting("p1")) == (1, [])
        log._file = file
        assert log.append(accept("p1")).number == 2
    assert len(read_review(folder).decisions) == 2


def test_nothing_follows_half_a_line_that_cannot_be_taken_back(folder, monkeypatch):
    def refused(*_):
        raise OSError(errno.EIO, "I/O error")

    with ReviewLog(folder, "ada") as log:
        monkeypatch.setattr(log_module.os, "fsync", refused)
        monkeypatch.setattr(log_module.os, "ftruncate", refused)
        with pytest.raises(NotSaved, match="I/O error"):
            log.append(accept())
        monkeypatch.undo()
        with pytest.raises(NotSaved):
            log.append(accept())
        assert len(log) == 0


def test_half_a_character_is_refused_and_not_written(folder):
    with ReviewLog(folder, "ada") as log:
        before = log.path.read_bytes()
        with pytest.raises(UsageError, match="half a character"):
            log.append(choose("p0", "accept", target="a\ud800"))
        assert log.path.read_bytes() == before
        assert len(log) == 0


def test_a_folder_that_cannot_be_written_is_told(folder, monkeypatch):
    whole = Path.open

    def refused(path, *how, **more):
        if path == review_path(folder):
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(UsageError, match=r"cannot be written.*copy the folder"):
        ReviewLog(folder, "ada")


def test_there_is_no_review_to_read(folder):
    with pytest.raises(UsageError, match=r"Make one with `pr1 review"):
        read_review(folder)


@pytest.mark.slow
def test_what_a_killed_process_confirmed_is_there(folder):
    code = f"""
from pathlib import Path
from pr1.review.decisions import Choice
from pr1.review.log import ReviewLog
log = ReviewLog(Path({str(folder)!r}), "ada")
while True:
    print(log.append(Choice(row="p0", action="comment", text="x" * 5000)).number, flush=True)
"""
    confirmed = 0
    for lines in (1, 7, 40):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        ) as it:
            for _ in range(lines):
                confirmed = int(it.stdout.readline())
            it.send_signal(signal.SIGKILL)
            confirmed = max([confirmed, *(int(line) for line in it.stdout if line.endswith("\n"))])
        numbers = [one.number for one in read_review(folder).decisions]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) in (confirmed, confirmed + 1)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["p0", "p1", " "]), TEXTS), max_size=8), st.integers(0, 400)
)
def test_any_text_comes_back_as_it_was(folder, decided, cut):
    path = review_path(folder)
    path.unlink(missing_ok=True)
    with ReviewLog(folder, "ada") as log:
        for row, text in decided:
            if row.strip():
                log.append(choose(row, "comment", text=text))
    made = read_review(folder).decisions
    assert [one.text for one in made] == [text for row, text in decided if row.strip()]
    assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])
    os.truncate(path, max(0, path.stat().st_size - cut))
    with ReviewLog(folder, "ada") as log:
        assert read_review(folder).decisions == made[: len(log)]


def test_a_review_that_cannot_be_read_is_told(folder, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    with ReviewLog(folder, "ada"):
        pass
    monkeypatch.setattr("pr1.review.file.header_of", lambda _: None)
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
        read_review(folder)
