"""A hub on this machine: the endpoints that the real client calls for a push, and their faults.

It keeps branches, large files and pull requests as the hub does: large files by their sha256,
other files by their git blob, a commit only on top of its parent. What goes wrong is told to it
beforehand: `hub.fail("/commit/", 503)`, or `hub.cut("/lfs/")` for a connection that breaks within a
body.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

TOKEN = "hf_" + "T1" * 17
OWNER = "lab"
LARGE = (".parquet", ".safetensors", ".png")


@dataclass
class Branch:
    """What one branch or pull request holds; `sha` changes with every commit."""

    files: dict[str, bytes] = field(default_factory=dict)
    sha: str = "0" * 40


@dataclass
class Repository:
    kind: str
    private: bool
    branches: dict[str, Branch] = field(default_factory=lambda: {"main": Branch()})
    pull_requests: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        return self.branches["main"].files


@dataclass
class _Fault:
    part: str
    status: int | None
    times: int


class FakeHub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.commits = 0
        self.rejects_card: str | None = None
        self.warns_of_card: str | None = None
        self.before_commit: Any = None
        self.ignored: tuple[str, ...] = ()
        self._faults: list[_Fault] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fail(self, part: str, status: int, times: int = 1_000) -> None:
        """Answer with this status whatever path holds `part`."""
        self._faults.append(_Fault(part, status, times))

    def cut(self, part: str, times: int = 1_000) -> None:
        """Close the connection within the body of a request whose path holds `part`."""
        self._faults.append(_Fault(part, None, times))

    def mend(self) -> None:
        self._faults.clear()

    def fault(self, path: str) -> _Fault | None:
        for one in self._faults:
            if one.part in path and one.times > 0:
                one.times -= 1
                return one
        return None

    def asked(self, part: str) -> int:
        """How many requests went to a path that holds `part`."""
        return sum(part in request for request in self.requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut on purpose is nothing to print."""


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def _answer(self) -> None:
        hub = self.server
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        hub.requests.append(f"{self.command} {path}")
        fault = hub.fault(path)
        if fault and fault.status is None:
            self.rfile.read(10)
            self.close_connection = True
            self.connection.close()
            return
        body = self._body()
        hub.bodies.append(body)
        if fault:
            self._send(fault.status or 0, {"error": "as told"})
        elif path.startswith("/lfs/"):
            self._take_object(path.removeprefix("/lfs/"), body)
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"error": "Invalid username or password."})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._validate_card(json.loads(body))
        elif match := re.fullmatch(r"/(datasets/)?([\w.-]+/[\w.-]+)\.git/info/lfs/.*", path):
            self._batch(match[2], json.loads(body))
        elif match := re.fullmatch(r"/api/(dataset|model)s/([\w.-]+/[\w.-]+)(?:/(.*))?", path):
            self._about(match[1], match[2], match[3] or "", query, body)
        else:
            self._send(404, {"error": "unknown"})

    do_GET = do_POST = do_PUT = _answer  # noqa: N815

    def _about(
        self, kind: str, repo_id: str, rest: str, query: dict[str, list[str]], body: bytes
    ) -> None:
        repository = self.server.repositories.get(repo_id)
        if repository is None or repository.kind != kind:
            return self._send(404, {"error": "Repository not found"}, "RepoNotFound")
        what, _, name = rest.partition("/")
        if what in {"", "revision"}:
            return self._info(repo_id, repository, name or "main")
        if what == "discussions":
            return self._discussions(repo_id, repository)
        if not repo_id.startswith(f"{OWNER}/") and "create_pr" not in query:
            return self._send(403, {"error": "Forbidden: you must be a member"})
        if what == "branch":
            return self._make_branch(repository, name)
        if what == "preupload":
            return self._preupload(repository, name, json.loads(body))
        if what == "commit":
            return self._commit(repo_id, repository, name, "create_pr" in query, body)
        return self._send(404, {"error": "unknown"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _create(self, body: dict[str, Any]) -> None:
        hub = self.server
        repo_id = f"{body['organization']}/{body['name']}"
        page = f"{hub.endpoint}/{'datasets/' if body['type'] == 'dataset' else ''}{repo_id}"
        if body["organization"] != OWNER:
            return self._send(403, {"error": "You don't have the rights to create here"})
        if repo_id in hub.repositories:
            return self._send(409, {"error": "You already created this repo", "url": page})
        hub.repositories[repo_id] = Repository(body["type"], body["visibility"] == "private")
        return self._send(200, {"url": page})

    def _info(self, repo_id: str, repository: Repository, revision: str) -> None:
        branch = repository.branches.get(revision)
        if branch is None:
            return self._send(404, {"error": "Invalid rev id"}, "RevisionNotFound")
        siblings = [
            {"rfilename": name, "size": len(content), **_oids(name, content)}
            for name, content in branch.files.items()
        ]
        about = {"id": repo_id, "private": repository.private, "sha": branch.sha}
        return self._send(200, {**about, "siblings": siblings})

    def _discussions(self, repo_id: str, repository: Repository) -> None:
        listed = [
            {
                "num": number,
                "title": title,
                "author": {"name": OWNER},
                "createdAt": "2026-01-01T00:00:00.000Z",
                "status": "open",
                "repo": {"name": repo_id, "type": repository.kind},
                "isPullRequest": True,
            }
            for number, title in enumerate(repository.pull_requests, 1)
        ]
        self._send(200, {"count": len(listed), "start": 0, "discussions": listed})

    def _make_branch(self, repository: Repository, name: str) -> None:
        if name in repository.branches:
            return self._send(409, {"error": "Reference already exists"})
        main = repository.branches["main"]
        repository.branches[name] = Branch(dict(main.files), main.sha)
        return self._send(200, {})

    def _preupload(self, repository: Repository, revision: str, body: dict[str, Any]) -> None:
        there = repository.branches[revision].files
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": file["path"].startswith(self.server.ignored),
                "oid": _blob(there[file["path"]]) if file["path"] in there else None,
            }
            for file in body["files"]
        ]
        self._send(200, {"files": files})

    def _batch(self, repo_id: str, body: dict[str, Any]) -> None:
        if repo_id not in self.server.repositories:
            return self._send(404, {"error": "Repository not found"}, "RepoNotFound")
        there = self.server.objects
        objects = [
            item
            if item["oid"] in there
            else {**item, "actions": {"upload": {"href": f"{self._endpoint}/lfs/{item['oid']}"}}}
            for item in body["objects"]
        ]
        return self._send(200, {"transfer": "basic", "objects": objects})

    def _take_object(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            return self._send(400, {"error": "not what was announced"})
        self.server.objects[oid] = body
        return self._send(200, {})

    def _validate_card(self, body: dict[str, Any]) -> None:
        hub = self.server
        errors = [hub.rejects_card] if hub.rejects_card else []
        fields = yaml.safe_load(body["content"].split("---\n")[1])
        if not isinstance(fields, dict) or not fields.get("license"):
            errors.append('"license" is missing')
        shown = {"errors": [{"message": message} for message in errors]}
        warned = [{"message": hub.warns_of_card}] if hub.warns_of_card else []
        self._send(400 if errors else 200, {**shown, "warnings": warned})

    def _commit(
        self, repo_id: str, repository: Repository, revision: str, is_proposed: bool, body: bytes
    ) -> None:
        hub = self.server
        if hub.before_commit:
            hub.before_commit(repository)
        lines = [json.loads(line) for line in body.splitlines()]
        head = next(line["value"] for line in lines if line["key"] == "header")
        branch = repository.branches[revision]
        if head.get("parentCommit", branch.sha) != branch.sha:
            return self._send(412, {"error": "A commit has happened since"})
        hub.commits += 1
        pages = f"{hub.endpoint}/{'datasets/' if repository.kind == 'dataset' else ''}{repo_id}"
        answer = {"commitOid": f"{hub.commits:040}", "success": True}
        if is_proposed:
            branch = Branch(dict(branch.files))
            repository.pull_requests.append(head["summary"])
            number = len(repository.pull_requests)
            repository.branches[f"refs/pr/{number}"] = branch
            answer["pullRequestUrl"] = f"{pages}/discussions/{number}"
        self._apply(branch, lines)
        branch.sha = f"{hub.commits:040}"
        return self._send(200, {**answer, "commitUrl": f"{pages}/commit/{branch.sha}"})

    def _apply(self, branch: Branch, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                branch.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                branch.files[value["path"]] = self.server.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del branch.files[value["path"]]

    @property
    def _endpoint(self) -> str:
        return self.server.endpoint

    def _send(self, status: int, values: dict[str, Any], code: str | None = None) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", values["error"])
        self.end_headers()
        self.wfile.write(data)


def _oids(name: str, content: bytes) -> dict[str, Any]:
    if not name.endswith(LARGE):
        return {"blobId": _blob(content)}
    large = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return {"blobId": "f" * 40, "lfs": {**large, "pointerSize": 130}}


def _blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
