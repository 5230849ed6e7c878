from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from pr1.hub import PushResult, push_dataset
from pr1.outputs.folder import StageFolder
from pr1.schemas.config import RunConfig
from pr1.schemas.errors import ServiceDown, UsageError
from pr1.schemas.manifest import Dropped, Failure
from pr1.schemas.records import ProblemImage, TrainRow

# The client's older upload protocol, which is the one that a loopback server can answer.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

TOKEN = "hf_" + "T" * 34
REPO = "lab/geometry"
PUBLISHED = ["README.md", "data/train-00000-of-00001.parquet", "manifest.json"]


def without_digests(paths: Iterable[str]) -> list[str]:
    """The paths in order, shards without the digest in their names."""
    return sorted(re.sub(r"-[0-9a-f]{8}\.parquet$", ".parquet", path) for path in paths)


class FakeHub(ThreadingHTTPServer):
    """The few endpoints of the hub that a push needs, and what they were told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.headers_seen: list[dict[str, str]] = []
        self.refusals: dict[str, int] = {}
        self.private: bool | None = None
        self.files: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.commits = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def _answer(self) -> None:
        hub = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        path = self.path.partition("?")[0]
        hub.requests.append(f"{self.command} {path}")
        hub.bodies.append(body)
        hub.headers_seen.append(dict(self.headers))
        status = next((code for part, code in hub.refusals.items() if part in path), None)
        if status:
            self._send(status, {"error": "no"})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == f"/api/datasets/{REPO}":
            if hub.private is None:
                return self._send(404, {"error": "not found"})
            siblings = [{"rfilename": name} for name in hub.files]
            self._send(200, {"id": REPO, "private": hub.private, "siblings": siblings})
        elif path == "/api/validate-yaml":
            self._send(200, {"errors": [], "warnings": []})
        elif path == f"/api/datasets/{REPO}/preupload/main":
            self._preupload(json.loads(body))
        elif path == f"/datasets/{REPO}.git/info/lfs/objects/batch":
            self._batch(json.loads(body))
        elif path.startswith("/lfs/"):
            assert hashlib.sha256(body).hexdigest() == path.removeprefix("/lfs/")
            hub.objects[path.removeprefix("/lfs/")] = body
            self._send(200, {})
        elif path == f"/api/datasets/{REPO}/commit/main":
            self._commit(body)
        else:
            self._send(404, {"error": "unknown"})
        return None

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _create(self, body: dict[str, Any]) -> None:
        hub = self.server
        assert (body["organization"], body["name"], body["type"]) == (*REPO.split("/"), "dataset")
        if hub.private is not None:
            return self._send(409, {"error": "exists", "url": f"{hub.endpoint}/datasets/{REPO}"})
        hub.private = body["visibility"] == "private"
        return self._send(200, {"url": f"{hub.endpoint}/datasets/{REPO}"})

    def _preupload(self, body: dict[str, Any]) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular",
                "shouldIgnore": False,
            }
            for file in body["files"]
        ]
        self._send(200, {"files": files})

    def _batch(self, body: dict[str, Any]) -> None:
        objects = [
            {**item, "actions": {"upload": {"href": f"{self.server.endpoint}/lfs/{item['oid']}"}}}
            for item in body["objects"]
        ]
        self._send(200, {"transfer": "basic", "objects": objects})

    def _commit(self, body: bytes) -> None:
        hub = self.server
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                hub.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                hub.files[value["path"]] = hub.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del hub.files[value["path"]]
        hub.commits += 1
        url = f"{hub.endpoint}/datasets/{REPO}/commit/{hub.commits:040}"
        self._send(200, {"commitUrl": url, "commitOid": f"{hub.commits:040}", "success": True})

    def _send(self, status: int, values: dict[str, Any]) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    # A machine that runs the tests may be logged in.
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    # The newer upload protocol runs in native code that no loopback server can answer.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def dataset(out: Path, rows: int = 2) -> Path:
    with StageFolder.start(
        out,
        stage="filter",
        config=RunConfig(),
        parents={},
        prompts={},
        overwrite=True,
        row_model=TrainRow,
        command="pr1 filter",
    ) as folder:
        for number in range(rows):
            folder.write_row(
                TrainRow(
                    id=str(number),
                    question="q",
                    answer="1",
                    images=[ProblemImage(bytes=b"x")],
                    annotations=[],
                )
            )
        folder.drop(Dropped(id="d", stage="filter", reason="secret-drop"))
        folder.fail(Failure(id="f", stage="read", error="e", message="secret-failure"))
        folder.store_path.write_bytes(b"secret-store")
        folder.finish(read=rows + 2)
    (out / "notes.txt").write_text("secret-notes")
    (out / "data" / "other.csv").write_text("secret-csv")
    return out


def test_only_the_card_the_rows_and_the_manifest_travel(hub: FakeHub, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "OUT")
    result = push_dataset(folder, REPO)
    assert without_digests(hub.files) == PUBLISHED
    for name, content in hub.files.items():
        assert content == (folder / name).read_bytes()
    assert hub.private is True
    assert result.is_sent
    assert result.url == f"{hub.endpoint}/datasets/{REPO}"
    assert result.commit == f"{hub.endpoint}/datasets/{REPO}/commit/{1:040}"
    assert sum(file.size for file in result.files) == sum(
        len(content) for content in hub.files.values()
    )
    everything = b"".join(hub.bodies)
    for secret in (b"secret-failure", b"secret-store", b"secret-notes", b"secret-csv"):
        assert secret not in everything
        assert base64.b64encode(secret)[:-4] not in everything
    assert TOKEN.encode() not in everything


def test_the_paths_sent_are_those_of_the_dry_run(hub: FakeHub, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "OUT")
    planned = push_dataset(folder, REPO, dry_run=True)
    assert hub.requests == []
    assert without_digests(file.path for file in planned.files) == PUBLISHED
    assert planned.files == push_dataset(folder, REPO).files
    assert hub.commits == 1


def test_a_dry_run_needs_no_token(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    result = push_dataset(dataset(tmp_path / "OUT"), REPO, dry_run=True)
    assert (result.is_sent, result.commit, result.private) == (False, None, True)
    assert hub.requests == []


def test_pushing_again_removes_the_shards_that_are_no_more(hub: FakeHub, tmp_path: Path) -> None:
    hub.private = True
    hub.files = {
        "data/train-00000-of-00002.parquet": b"old",
        "data/train-00001-of-00002.parquet": b"old",
        "data/extra.txt": b"the owner's",
        "README.md": b"old",
    }
    push_dataset(dataset(tmp_path / "OUT"), REPO)
    assert without_digests(hub.files) == sorted([*PUBLISHED, "data/extra.txt"])
    assert hub.commits == 1


def test_a_public_repository_is_not_filled_by_default(hub: FakeHub, tmp_path: Path) -> None:
    hub.private = False
    folder = dataset(tmp_path / "OUT")
    with pytest.raises(UsageError, match=r"exists and is public.*--public"):
        push_dataset(folder, REPO)
    assert hub.files == {}
    push_dataset(folder, REPO, private=False)
    assert without_digests(hub.files) == PUBLISHED


def test_public_is_made_public(hub: FakeHub, tmp_path: Path) -> None:
    push_dataset(dataset(tmp_path / "OUT"), REPO, private=False)
    assert hub.private is False


def test_without_a_token_nothing_is_asked(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UsageError, match=r"hf auth login.*HF_TOKEN"):
        push_dataset(dataset(tmp_path / "OUT"), REPO)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("part", "status", "error", "message"),
    [
        ("/api/repos/create", 401, UsageError, "does not accept the token"),
        ("/api/repos/create", 403, UsageError, "may not write to lab/geometry"),
        ("/api/repos/create", 400, UsageError, r"refused lab/geometry \(400\)"),
        ("/preupload/", 403, UsageError, "may not write to lab/geometry"),
        ("/lfs/", 403, UsageError, "may not write to lab/geometry"),
        ("/commit/", 403, UsageError, "may not write to lab/geometry"),
        ("/commit/", 500, ServiceDown, r"could not take lab/geometry \(500\)"),
    ],
)
def test_what_the_hub_refuses_is_explained(
    hub: FakeHub,
    tmp_path: Path,
    part: str,
    status: int,
    error: type[Exception],
    message: str,
) -> None:
    hub.refusals[part] = status
    with pytest.raises(error, match=message) as caught:
        push_dataset(dataset(tmp_path / "OUT"), REPO)
    assert hub.files == {}
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_connection_is_a_service_that_is_down(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ServiceDown, match="Check the connection"):
        push_dataset(dataset(tmp_path / "OUT"), REPO)


@pytest.mark.parametrize(
    "repo_id",
    [
        "",
        "geometry",
        "a/b/c",
        "lab/geo metry",
        "lab/.geo",
        "datasets/lab/x",
        "lab/x--y",
        "../x",
        "https://huggingface.co/datasets/lab/x",
        "lab/" + "x" * 97,
        "lab/x\n",
    ],
)
def test_a_bad_repository_id_is_refused_first(tmp_path: Path, repo_id: str) -> None:
    with pytest.raises(UsageError, match="owner/name"):
        push_dataset(tmp_path / "none", repo_id, dry_run=True)


def dry(folder: Path) -> PushResult:
    return push_dataset(folder, REPO, dry_run=True)


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        dry(tmp_path / "none")
    with pytest.raises(UsageError, match="no pr1 command made it"):
        dry(tmp_path)
    folder = dataset(tmp_path / "OUT")
    (folder / "manifest.json").rename(folder / "aside.json")
    (folder / ".pr1" / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="is unfinished"):
        dry(folder)
    (folder / "aside.json").rename(folder / "manifest.json")
    (rows,) = (folder / "data").glob("train-*.parquet")
    rows.rename(folder / "data" / "aside")
    with pytest.raises(UsageError, match="does not hold the 2 rows"):
        dry(folder)
    rows.write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="cannot be read"):
        dry(folder)
    rows.unlink()
    (folder / "data" / "aside").rename(rows)
    (folder / "README.md").unlink()
    with pytest.raises(UsageError, match=r"has lost its README\.md"):
        dry(folder)
