"""Whatever the order of the answers, and however slow the first: rows in order, memory bounded."""

from __future__ import annotations

import base64
import io
import json
import random
import tracemalloc
from pathlib import Path

import pytest
from fake_server import Body, FakeServer, Reply, asked_text
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pr1.annotate import waiting
from pr1.annotate.run import annotate
from pr1.annotate.spool import Spool
from pr1.annotate.waiting import Ended, Waiting
from pr1.outputs.rows import read_rows
from pr1.schemas.config import AnnotateConfig, Execution, ModelConfig, SourceConfig
from pr1.schemas.errors import RunStopped
from pr1.schemas.manifest import Dropped, Failure
from pr1.schemas.progress import Progress
from pr1.schemas.records import AnnotatedProblem, ProblemImage, Trajectory

FACTS = json.dumps({"facts": [{"quote": "AB = 5", "statement": "AB = 5", "kind": "length"}]})
NO_FACTS = '{"facts": []}'


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    return buffer.getvalue()


def write(folder: Path, count: int) -> SourceConfig:
    """A source of problems `0`, `1`, ...; every tenth has no picture, and ends at once."""
    picture = {"bytes": base64.b64encode(png()).decode()}
    path = folder / "set.jsonl"
    with path.open("w") as file:
        for number in range(count):
            record = {
                "id": f"{number}",
                "question": "How long is AB?",
                "answer": "5",
                "image": None if number % 10 == 9 else picture,
                "trajectory": f"number {number}: AB = 5. The answer is 5.",
            }
            file.write(json.dumps(record) + "\n")
    return SourceConfig(path=str(path))


@pytest.mark.parametrize("bytes_in_memory", [0, 50_000, 2**25])
async def test_answers_in_any_order_end_in_order(
    tmp_path: Path,
    fake_server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    bytes_in_memory: int,
) -> None:
    monkeypatch.setattr(waiting, "BYTES_IN_MEMORY", bytes_in_memory)
    chance = random.Random(7)

    def answer(body: Body) -> Reply:
        text = asked_text(body)
        if "number 0:" in text:
            return Reply(FACTS, delay_s=0.5)
        return Reply(NO_FACTS if "3:" in text else FACTS, delay_s=chance.uniform(0, 0.02))

    fake_server.answer = answer
    model = ModelConfig(name="vllm/m", base_url=fake_server.openai_url)
    config = AnnotateConfig(
        source=write(tmp_path, 100), model=model, execution=Execution(concurrency=8)
    )
    seen: list[Progress] = []

    manifest = await annotate(config, tmp_path / "out", on_progress=seen.append)

    numbers = [int(row.id) for row in read_rows(tmp_path / "out", AnnotatedProblem)]
    assert numbers == [n for n in range(100) if n % 10 not in (3, 9)]
    dropped = (tmp_path / "out" / "dropped.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in dropped] == [
        f"{n}" for n in range(100) if n % 10 in (3, 9)
    ]
    assert manifest.counts.dropped_by_reason == {"no_annotation": 10, "no_image": 10}
    assert [progress.done for progress in seen] == list(range(1, 101))
    assert {progress.total for progress in seen} == {100}


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.builds(
    AnnotatedProblem,
    id=TEXT.map(lambda text: f"p{text}"),
    question=TEXT,
    choices=st.none() | st.lists(TEXT, max_size=2),
    answer=st.just("5"),
    images=st.lists(st.builds(ProblemImage, bytes=st.binary(), path=st.none() | TEXT), max_size=2),
    metadata=st.dictionaries(TEXT, TEXT, max_size=2),
    trajectories=st.lists(
        st.builds(
            Trajectory,
            id=st.just("t"),
            problem_id=st.just("p"),
            text=TEXT,
            sampling=st.none()
            | st.dictionaries(TEXT, st.none() | st.integers() | st.floats() | TEXT, max_size=2),
        ),
        max_size=2,
    ),
)
DROPS = st.builds(
    Dropped, id=st.just("d"), stage=st.just("read"), reason=st.just("no"), detail=TEXT
)
FAILURES = st.builds(
    Failure, id=st.just("f"), stage=st.just("read"), error=st.just("broken"), message=TEXT
)


@given(outcome=ROWS | DROPS | FAILURES, records=st.integers(1, 9))
def test_what_waits_on_the_disk_comes_back_as_it_was(
    outcome: waiting.Outcome, records: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "BYTES_IN_MEMORY", 0)
        room = Waiting()
        room.put(3, Ended(outcome, records))
        assert room.take(2) is None
        back = room.take(3)
        assert room.take(3) is None
        room.close()
    assert back is not None
    assert type(back.outcome) is type(outcome)
    assert repr(back) == repr(Ended(outcome, records))  # NaN equals itself in no other way


def test_memory_does_not_grow_with_what_waits() -> None:
    text = "AB = 5. " * 200
    room = Waiting()

    def wait(numbers: range) -> None:
        for number in numbers:
            trajectory = Trajectory(id="t", problem_id="p", text=f"{number} {text}")
            row = AnnotatedProblem(id="p", question="", answer="5", trajectories=[trajectory])
            room.put(number, Ended(row, 1))

    wait(range(1, 3_000))
    tracemalloc.start()
    wait(range(3_000, 8_000))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
    assert [room.take(n) is not None for n in (0, 1, 2_999, 7_999, 8_000)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    room.close()


def test_a_full_temporary_folder_says_what_to_do() -> None:
    spool = Spool("CREATE TABLE texts (text TEXT)")
    spool.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RunStopped, match=r"temporary files cannot be written \(.*Set TMPDIR"):
        spool.execute("INSERT INTO texts VALUES (?)", ("x" * 1_000_000,))
    spool.close()
