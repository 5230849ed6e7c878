"""What should not be published is found, wherever it stands, and shown without being told."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from fake_hub import FakeHub
from published_sets import train_row, train_set, trained_model

from pr1.hub import Findings, push, write
from pr1.hub.scan import PATHS, SECRETS, scan
from pr1.outputs.folder import StageFolder
from pr1.schemas.config import RunConfig
from pr1.schemas.errors import UsageError
from pr1.schemas.records import (
    AnnotatedProblem,
    RejectedAnnotation,
    TrainAnnotation,
    TrainRow,
    Trajectory,
)

SECRET_TEXTS = [
    "sk-proj-" + "a1" * 20,
    "sk-ant-api03-" + "b2" * 20,
    "sk_live_" + "4eC39HqLyjWDarjtT1",
    "hf_" + "aB3" * 12,
    "ghp_" + "c4" * 18,
    "github_pat_" + "d5" * 20,
    "glpat-" + "e6" * 10,
    "AKIA" + "ABCDEFGH12345678",
    "AIza" + "f7" * 18,
    "ya29." + "g8" * 12,
    "gsk_" + "h9" * 16,
    "xai-" + "j1" * 12,
    "nvapi-" + "k2" * 12,
    "r8_" + "l3" * 16,
    "pplx-" + "m4" * 16,
    "xoxb-" + "12345678901-abcdef",
    "pypi-" + "n5" * 16,
    "npm_" + "o6" * 16,
    "dckr_pat_" + "p7" * 12,
    "-----BEGIN RSA PRIVATE KEY-----",
    "eyJ" + "q8" * 8 + ".eyJ" + "r9" * 8 + "." + "s1" * 8,
    "https://user:hunter2hunter2@example.org/x",
    "https://example.org/x.png?X-Amz-Signature=" + "t2" * 16,
    "https://example.org/x?api_key=" + "u3" * 8,
]
PATH_TEXTS = [
    "/home/ada/pictures/1.png",
    "/Users/ada/pictures/1.png",
    "/root/pictures/1.png",
    r"C:\Users\ada\1.png",
    "C:/Users/ada/1.png",
    r"C:\\Users\\ada\\1.png",
    "file:///mnt/pictures/1.png",
]
HARMLESS = [
    "",
    "sk-learn-compatible-estimators-for-risk-aversion",
    "the risk-weighted sum, xai-methods and hf_transformers",
    "https://example.org/home/ada/page.html",
    "see https://example.org/x?code=MATH101&page=2",
    "a/home/b, 3/4, /home is where /Users go",
    "AB = 5, CD // EF, x:\\ y",
    "mail ada@example.org about http://example.org/@ada",
    "key=5 and token=7",
]


def found(text: str, tmp_path: Path) -> Findings:
    path = tmp_path / "notes.md"
    path.write_text(text)
    return scan({"notes.md": path})


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_a_secret_is_found_and_not_told(text: str, tmp_path: Path) -> None:
    findings = found(f"first line\nbefore {text} after\n", tmp_path)
    assert (findings.secrets, findings.local_paths) == (1, 0)
    (finding,) = findings.shown
    assert (finding.kind, finding.file, finding.place) == ("secret", "notes.md", "line 2")
    assert "***" in finding.excerpt
    body = re.sub(r"^\S{8}", "", text.rpartition("=")[2].rpartition(":")[2])
    assert body not in finding.excerpt


@pytest.mark.parametrize("text", PATH_TEXTS)
def test_a_local_path_is_found_and_its_owner_not_told(text: str, tmp_path: Path) -> None:
    findings = found(f'{{"path": "{text}"}}', tmp_path)
    assert (findings.secrets, findings.local_paths) == (0, 1)
    assert "ada" not in findings.shown[0].excerpt
    assert "pictures" not in findings.shown[0].excerpt


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_so_is_let_through(text: str, tmp_path: Path) -> None:
    assert found(text, tmp_path) == Findings()


@pytest.mark.parametrize("text", [*SECRET_TEXTS, *PATH_TEXTS])
def test_what_is_found_has_its_sign(text: str) -> None:
    seen = [form for form in (*SECRETS, *PATHS) if form.whole.search(text)]
    assert seen
    for form in seen:
        assert any(sign in text for sign in form.signs)


def test_a_credential_of_this_machine_is_found_in_any_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_SERVER_KEY", "correct horse (battery)")
    findings = found("it is correct horse (battery), is it not", tmp_path)
    assert findings.secrets == 1
    assert "horse" not in findings.shown[0].excerpt


def test_neighbours_are_masked_and_no_cursor_is_moved(tmp_path: Path) -> None:
    two = f"\x1b[2J {SECRET_TEXTS[0]} {SECRET_TEXTS[3]}"
    findings = found(two, tmp_path)
    assert findings.secrets == 2
    for finding in findings.shown:
        assert finding.excerpt.isprintable()
        assert "a1a1a1" not in finding.excerpt
        assert "aB3aB3" not in finding.excerpt


def test_every_text_column_is_read_however_deep(tmp_path: Path) -> None:
    trajectory = Trajectory(
        id="t",
        problem_id="p",
        text=f"it says {SECRET_TEXTS[0]}",
        sampling={"note": SECRET_TEXTS[3]},
    )
    rejected = RejectedAnnotation(
        statement="x",
        quote="see /home/ada/notes.txt",
        trajectory_id="t",
        reason="malformed",
        extractor="rules",
    )
    row = AnnotatedProblem(
        id="p-7",
        question="q",
        answer="1",
        choices=["3", PATH_TEXTS[1]],
        trajectories=[trajectory],
        rejected=[rejected],
        metadata={"from": PATH_TEXTS[2]},
    )
    with StageFolder.start(
        tmp_path / "OUT",
        stage="annotate",
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=False,
        row_model=AnnotatedProblem,
        command="pr1 annotate",
    ) as folder:
        folder.write_row(row.model_copy(update={"id": "p-6", "choices": None, "metadata": {}}))
        folder.write_row(row)
        folder.finish(read=2)
    (rows,) = (tmp_path / "OUT/data").iterdir()
    findings = scan({"data/rows.parquet": rows})
    places = {finding.place for finding in findings.shown if "p-7" in finding.place}
    assert places == {
        "row 'p-7', column choices[1]",
        "row 'p-7', column trajectories[0].text",
        "row 'p-7', column trajectories[0].sampling",
        "row 'p-7', column rejected[0].quote",
        "row 'p-7', column metadata",
    }
    assert (findings.secrets, findings.local_paths) == (4, 4)


def test_a_secret_is_refused_and_there_is_no_way_around(hub: FakeHub, tmp_path: Path) -> None:
    rows = [train_row(n, question=f"with {SECRET_TEXTS[0]}?") for n in range(30)]
    folder = train_set(tmp_path / "OUT", *rows)
    with pytest.raises(UsageError, match=r"row 'row-0', column question: holds an OpenAI") as error:
        push(folder, "lab/set", allow_paths=True, allow_sources=["own bars"])
    assert "and 29 more" in str(error.value)
    assert "a1a1a1" not in str(error.value)
    with pytest.raises(UsageError, match="column question"):
        write(folder, tmp_path / "to", allow_paths=True)
    assert hub.requests == []
    assert not (tmp_path / "to").exists()


def test_a_local_path_is_refused_unless_allowed(hub: FakeHub, tmp_path: Path) -> None:
    folder = train_set(tmp_path / "OUT", train_row(question=f"What is in {PATH_TEXTS[0]}?"))
    with pytest.raises(UsageError, match=r"a home folder.*--allow-paths"):
        push(folder, "lab/set")
    assert hub.requests == []
    write(folder, tmp_path / "to", allow_paths=True)
    assert (tmp_path / "to/README.md").is_file()


@pytest.mark.parametrize("name", ["model/config.json", "model/tokenizer.json", "manifest.json"])
def test_a_models_text_files_are_read(tmp_path: Path, name: str) -> None:
    folder = trained_model(tmp_path / "RUN")
    path = folder / name
    if name == "manifest.json":
        path.write_text(path.read_text().replace("2026-01-01", "/home/ada/bars"))
    else:
        path.write_text('{"_name_or_path": "/home/ada/models/base"}')
    with pytest.raises(UsageError, match=rf"{Path(name).name}, line \d+: holds a home folder"):
        push(folder, "lab/model", dry_run=True)


@pytest.mark.slow
def test_a_large_set_is_read_in_bounded_memory(tmp_path: Path) -> None:
    facts = [TrainAnnotation(id=1, statement="AB = 5 " * 300, kind="length")]

    def rows(count: int) -> list[TrainRow]:
        return [train_row(number, annotations=facts) for number in range(count)]

    def peak(count: int) -> int:
        folder = train_set(tmp_path / str(count), *rows(count))
        files = {path.name: path for path in (folder / "data").glob("*.parquet")}
        tracemalloc.start()
        assert scan(files) == Findings()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(6_000) < 2 * peak(1_000) + 1_000_000
