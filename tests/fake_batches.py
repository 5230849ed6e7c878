"""OpenAI's and Anthropic's batch APIs on this machine, as strict as their documentation says.

    def test_something(fake_batches):
        fake_batches.answer = lambda body: '{"facts": []}'
        fake_batches.fates = [Fate("expired", done=2)]         # of the first batch; then completed
        run(base_url=fake_batches.openai_url)
        assert len(fake_batches.batches) == 2

Each look at a batch takes it one state further: OpenAI's `validating`, `in_progress`, `finalizing`,
then the end of its fate; Anthropic's `in_progress` (or `canceling`), `ended`. Unknown fields, a
wrong purpose, lines that are no JSON, repeated ids and too many requests are rejected where and as
the services do it. The online endpoints are served as well, by the same `answer`.

Sources:
    https://developers.openai.com/api/docs/guides/batch
    https://developers.openai.com/api/reference/resources/batches
    https://developers.openai.com/api/reference/resources/files
    https://platform.claude.com/docs/en/build-with-claude/batch-processing
    https://platform.claude.com/docs/en/api/messages/batches
The codes of OpenAI's rejected files are those that users report: `invalid_json_line`,
`duplicate_custom_id`, `url_mismatch`, `model_mismatch`, `empty_file`, `too_many_tasks`,
`token_limit_exceeded`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from fake_server import Answer, Body, Reply, anthropic_message, openai_completion
from loopback import served

KEY = "sk-planted-0123456789abcdef"
NOW = 1_790_000_000
OPENAI_BODY = set(
    "model messages max_completion_tokens temperature seed response_format logprobs"
    " top_logprobs".split()
)
ANTHROPIC_BODY = set("model max_tokens messages system output_config".split())
ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass
class Fate:
    """How a batch ends.

    Attributes:
        end: completed, expired, cancelled; or failed, for `problems` or whatever is wrong.
        done: requests that were run before it expired or was cancelled.
        looks: how often it must be looked at until it ends; by default as often as it has states.
        problems: `(line, code, message)` of a file that is rejected.
    """

    end: str = "completed"
    done: int = 0
    looks: int | None = None
    problems: list[tuple[int | None, str, str]] = field(default_factory=list)


@dataclass
class FakeBatch:
    """A batch at the service.

    Attributes:
        requests: id -> body, in the order in which they came.
        looks_left: it ends when this is 0.
    """

    id: str
    requests: dict[str, Body]
    fate: Fate
    looks_left: int
    metadata: dict[str, str] | None = None
    input_file: str = ""
    files: dict[str, str | None] = field(default_factory=lambda: {"output": None, "error": None})
    counts: dict[str, int] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.looks_left <= 0


class FakeBatches:
    """What a test sees of the services.

    Attributes:
        answer: of the model, online and in a batch: a text or a `Reply` for a request's body.
        fates: of the next batches; later ones are completed.
        batches: all that were made, in order.
        online: bodies of the requests that came one by one.
        faults: path -> statuses with which the next calls of it are answered; 0 does what was asked
            and then breaks the connection.
        queue_tokens: OpenAI's limit, a token for four bytes of a file.
        has_results: Anthropic still keeps the results of what has ended.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answer: Answer = lambda body: "an answer"
        self.fates: list[Fate] = []
        self.batches: list[FakeBatch] = []
        self.files: dict[str, bytes] = {}
        self.online: list[Body] = []
        self.faults: dict[str, list[int]] = {}
        self.most_requests = 50_000
        self.most_bytes = 200_000_000
        self.queue_tokens = 10**9
        self.has_results = True
        self._number = 0

    @property
    def openai_url(self) -> str:
        """The base URL for `openai/...`."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for `anthropic/...`."""
        return self.url

    def asked(self) -> list[str]:
        """The ids of all requests in all batches, in order."""
        return [key for batch in self.batches for key in batch.requests]

    def new_id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number}"

    def make(self, requests: dict[str, Body], states: int, prefix: str) -> FakeBatch:
        fate = self.fates.pop(0) if self.fates else Fate()
        looks = states if fate.looks is None else fate.looks
        batch = FakeBatch(self.new_id(prefix), requests, fate, looks)
        self.batches.append(batch)
        return batch

    def reply(self, body: Body) -> Reply:
        answered = self.answer(body)
        return Reply(answered) if isinstance(answered, str) else answered

    def find(self, batch_id: str) -> FakeBatch:
        for batch in self.batches:
            if batch.id == batch_id:
                return batch
        raise problem(404, f"No batch found with id '{batch_id}'.")


FAKE = web.AppKey("fake", FakeBatches)


def problem(status: int, message: str, code: str | None = None) -> web.HTTPException:
    kind = ANTHROPIC_ERRORS.get(status, "invalid_request_error")
    error = {"type": kind, "message": message, "param": None, "code": code}
    text = json.dumps({"type": "error", "error": error})
    names = {400: web.HTTPBadRequest, 401: web.HTTPUnauthorized, 404: web.HTTPNotFound}
    names |= {429: web.HTTPTooManyRequests, 500: web.HTTPInternalServerError}
    if status == 413:
        return web.HTTPRequestEntityTooLarge(0, 0, text=text, content_type="application/json")
    return names[status](text=text, content_type="application/json")


def only(values: Any, allowed: set[str], required: set[str]) -> None:
    """Reject anything but an object with these fields."""
    if not isinstance(values, dict) or not required <= values.keys() <= allowed:
        raise problem(400, f"unknown or missing parameters in {sorted(values)}")


@web.middleware
async def checked(request: web.Request, handler: Any) -> web.StreamResponse:
    fake: FakeBatches = request.app[FAKE]
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise problem(401, f"Incorrect API key provided: {request.headers.get('authorization')}")
    planned = fake.faults.get(f"{request.method} {request.path}", [])
    status = planned.pop(0) if planned else 200
    if status not in (0, 200):
        raise problem(status, "planned fault")
    response = await handler(request)
    if status == 0:
        assert request.transport is not None
        request.transport.abort()
    return response


class OpenAI:
    """OpenAI's side."""

    def __init__(self, fake: FakeBatches) -> None:
        self.fake = fake

    async def upload(self, request: web.Request) -> web.Response:
        fields: dict[str, Any] = {}
        async for part in await request.multipart():
            fields[part.name] = (part.filename, await part.read(decode=False))
        if fields.keys() != {"file", "purpose"} or fields["purpose"][1] != b"batch":
            raise problem(400, f"unknown parameters or a wrong purpose in {sorted(fields)}")
        name, content = fields["file"]
        if not name.endswith(".jsonl"):
            raise problem(400, "Invalid file format for Batch API. Must be .jsonl")
        if len(content) > self.fake.most_bytes:
            raise problem(413, "The file is too large.")
        file_id = self.fake.new_id("file-")
        self.fake.files[file_id] = content
        return web.json_response(self._file(file_id, name, "batch"))

    def _file(self, file_id: str, name: str, purpose: str) -> dict[str, Any]:
        size = len(self.fake.files[file_id])
        return {
            "id": file_id,
            "object": "file",
            "bytes": size,
            "created_at": NOW,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }

    async def content(self, request: web.Request) -> web.Response:
        content = self.fake.files.get(request.match_info["id"])
        if content is None:
            raise problem(404, "No such File object")
        return web.Response(body=content, content_type="application/octet-stream")

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        required = {"input_file_id", "endpoint", "completion_window"}
        only(body, required | {"metadata", "output_expires_after"}, required)
        if body["endpoint"] != "/v1/chat/completions" or body["completion_window"] != "24h":
            raise problem(400, "a wrong endpoint or window")
        if body["input_file_id"] not in self.fake.files:
            raise problem(400, "no such file")
        for name, value in body.get("metadata", {}).items():
            assert len(name) <= 64
            assert len(value) <= 512
        requests, problems = self._validated(self.fake.files[body["input_file_id"]])
        batch = self.fake.make(requests, states=3, prefix="batch_")
        if problems or batch.fate.end == "failed":
            looks = 1 if batch.fate.looks is None else batch.fate.looks
            batch.fate = Fate("failed", problems=batch.fate.problems or problems)
            batch.looks_left = looks
        batch.metadata = body.get("metadata")
        batch.input_file = body["input_file_id"]
        return web.json_response(self._batch(batch, "validating"))

    def _validated(self, content: bytes) -> tuple[dict[str, Body], list[Any]]:
        requests: dict[str, Body] = {}
        problems: list[Any] = []
        models = set()
        lines = content.split(b"\n")
        if lines.pop() != b"" or not lines:
            problems.append((None, "empty_file", "The file ends within a line, or is empty."))
        if len(lines) > self.fake.most_requests:
            problems.append((None, "too_many_tasks", "The batch has too many tasks."))
        for number, raw in enumerate(lines, 1):
            try:
                line = json.loads(raw)
            except ValueError:
                problems.append((number, "invalid_json_line", "This line is no valid JSON."))
                continue
            if line.keys() != {"custom_id", "method", "url", "body"} or line["method"] != "POST":
                problems.append((number, "missing_required_parameter", "A wrong line."))
                continue
            if line["url"] != "/v1/chat/completions":
                problems.append((number, "url_mismatch", "Another URL than the batch's."))
            if line["custom_id"] in requests:
                problems.append((number, "duplicate_custom_id", "Used before."))
            models.add(line["body"]["model"])
            requests[line["custom_id"]] = line["body"]
        if len(models) > 1:
            problems.append((None, "model_mismatch", "More than one model."))
        queued = sum(
            len(self.fake.files.get(b.input_file, b""))
            for b in self.fake.batches
            if not b.has_ended
        )
        if (queued + len(content)) // 4 > self.fake.queue_tokens:
            said = "Enqueued token limit reached for m in organization org-1. Limit: "
            said += f"{self.fake.queue_tokens:,} enqueued tokens. Please try again once some "
            said += "in_progress batches have been completed."
            problems = [(None, "token_limit_exceeded", said)]
        return requests, problems

    async def retrieve(self, request: web.Request) -> web.Response:
        batch = self.fake.find(request.match_info["id"])
        batch.looks_left -= 1
        if not batch.has_ended:
            return web.json_response(
                self._batch(batch, "finalizing" if batch.looks_left == 1 else "in_progress")
            )
        if not batch.counts and batch.fate.end != "failed":
            self._run(batch)
        return web.json_response(self._batch(batch, batch.fate.end))

    async def list(self, request: web.Request) -> web.Response:
        assert request.query.keys() <= {"limit", "after"}
        ids = [batch.id for batch in reversed(self.fake.batches)]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        limit = min(int(request.query.get("limit", 20)), 100)
        page = [self._batch(self.fake.find(i), "in_progress") for i in ids[start : start + limit]]
        return web.json_response(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": start + limit < len(ids),
            }
        )

    def _run(self, batch: FakeBatch) -> None:
        """Answers the requests: successes into one file, errors into the other, last one first."""
        done = len(batch.requests) if batch.fate.end == "completed" else batch.fate.done
        output, errors = [], []
        for number, (key, body) in enumerate(batch.requests.items()):
            if number >= done:
                code = f"batch_{batch.fate.end}"
                error = {"code": code, "message": "This request could not be executed."}
                errors.append({"custom_id": key, "response": None, "error": error})
                continue
            status, answer = self.answered(body, number)
            response = {"status_code": status, "request_id": f"req_{number}", "body": answer}
            line = {"custom_id": key, "response": response, "error": None}
            (output if status == 200 else errors).append(line)
        batch.counts = {"completed": len(output), "failed": len(errors)}
        for kind, lines in (("output", output), ("error", errors)):
            if lines:
                file_id = batch.files[kind] = self.fake.new_id("file-")
                # Characters outside ASCII are written as they are, line separators included.
                written = [json.dumps(line, ensure_ascii=False) + "\n" for line in lines]
                self.fake.files[file_id] = "".join(reversed(written)).encode()

    def answered(self, body: Body, number: int) -> tuple[int, Any]:
        if not body.keys() <= OPENAI_BODY:
            return 400, {"error": {"message": f"unknown {sorted(body)}", "code": None}}
        reply = self.fake.reply(body)
        if reply.status != 200:
            assert reply.raw is not None
            return reply.status, json.loads(reply.raw)
        return 200, openai_completion(reply, number) if reply.raw is None else {"junk": True}

    async def online(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.fake.online.append(body)
        status, answer = self.answered(body, len(self.fake.online))
        return web.json_response(answer, status=status)

    def _batch(self, batch: FakeBatch, status: str) -> dict[str, Any]:
        errors = [
            {"line": line, "code": code, "message": message, "param": None}
            for line, code, message in batch.fate.problems
        ]
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": {"object": "list", "data": errors} if status == "failed" else None,
            "input_file_id": batch.input_file,
            "completion_window": "24h",
            "status": status,
            "output_file_id": batch.files["output"],
            "error_file_id": batch.files["error"],
            "created_at": NOW,
            "expires_at": NOW + 86_400,
            "request_counts": {"total": len(batch.requests), "completed": 0, "failed": 0}
            | batch.counts,
            "metadata": batch.metadata,
        }


class Anthropic:
    """Anthropic's side."""

    def __init__(self, fake: FakeBatches) -> None:
        self.fake = fake

    async def create(self, request: web.Request) -> web.Response:
        assert request.headers["anthropic-version"] == "2026-10-21"
        raw = await request.read()
        if len(raw) > self.fake.most_bytes:
            raise problem(413, "Request exceeds the maximum size")
        body = json.loads(raw)
        only(body, {"requests"}, {"requests"})
        if not 1 <= len(body["requests"]) <= self.fake.most_requests:
            raise problem(400, "requests: a wrong number of items")
        requests: dict[str, Body] = {}
        for number, item in enumerate(body["requests"]):
            only(item, {"custom_id", "params"}, {"custom_id", "params"})
            if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", item["custom_id"]):
                raise problem(400, f"requests.{number}.custom_id: String should match pattern")
            if item["custom_id"] in requests:
                raise problem(400, f"requests.{number}.custom_id: must be unique")
            requests[item["custom_id"]] = item["params"]
        batch = self.fake.make(requests, states=2, prefix="msgbatch_")
        return web.json_response(self._batch(batch))

    async def retrieve(self, request: web.Request) -> web.Response:
        batch = self.fake.find(request.match_info["id"])
        batch.looks_left -= 1
        if batch.has_ended and not batch.results:
            self._run(batch)
        return web.json_response(self._batch(batch))

    async def list(self, request: web.Request) -> web.Response:
        assert request.query.keys() <= {"limit", "after_id", "before_id"}
        ids = [batch.id for batch in reversed(self.fake.batches)]
        start = ids.index(request.query["after_id"]) + 1 if "after_id" in request.query else 0
        limit = min(int(request.query.get("limit", 20)), 1000)
        page = [self._batch(self.fake.find(i)) for i in ids[start : start + limit]]
        return web.json_response(
            {
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": start + limit < len(ids),
            }
        )

    async def results(self, request: web.Request) -> web.Response:
        batch = self.fake.find(request.match_info["id"])
        if not batch.has_ended:
            raise problem(404, "The batch has not ended.")
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in batch.results)
        return web.Response(body=text.encode(), content_type="application/x-jsonl")

    async def online(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.fake.online.append(body)
        reply = self.fake.reply(body)
        if reply.status != 200:
            return web.Response(status=reply.status, body=reply.raw)
        return web.json_response(anthropic_message(reply, len(self.fake.online)))

    def _run(self, batch: FakeBatch) -> None:
        """Answers the requests, the last one first."""
        for number, (key, body) in reversed(list(enumerate(batch.requests.items()))):
            result = self._result(batch, number, body)
            batch.results.append({"custom_id": key, "result": result})

    def _result(self, batch: FakeBatch, number: int, body: Body) -> dict[str, Any]:
        if batch.fate.end != "completed" and number >= batch.fate.done:
            return {"type": "canceled" if batch.fate.end == "cancelled" else "expired"}
        reply = self.fake.reply(body) if body.keys() <= ANTHROPIC_BODY else Reply(status=400)
        if reply.status != 200:
            error = {"type": ANTHROPIC_ERRORS[reply.status], "message": "it broke"}
            return {"type": "errored", "error": {"type": "error", "error": error}}
        message = anthropic_message(reply, number) if reply.raw is None else {"junk": True}
        return {"type": "succeeded", "message": message}

    def _batch(self, batch: FakeBatch) -> dict[str, Any]:
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        if batch.has_ended:
            for line in batch.results:
                counts[line["result"]["type"]] += 1
        else:
            counts["processing"] = len(batch.requests)
        is_canceling = batch.fate.end == "cancelled" and not batch.has_ended
        url = f"{self.fake.url}/v1/messages/batches/{batch.id}/results"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended"
            if batch.has_ended
            else ("canceling" if is_canceling else "in_progress"),
            "request_counts": counts,
            "created_at": "2026-09-21T14:13:20Z",
            "expires_at": "2026-09-22T14:13:20Z",
            "ended_at": "2026-09-21T15:13:20Z" if batch.has_ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": url if batch.has_ended and self.fake.has_results else None,
        }


@contextmanager
def running_batches() -> Iterator[FakeBatches]:
    """The services, while the block runs."""
    fake = FakeBatches()
    openai, anthropic = OpenAI(fake), Anthropic(fake)
    app = web.Application(client_max_size=1 << 30, middlewares=[checked])
    app[FAKE] = fake
    app.router.add_post("/v1/files", openai.upload)
    app.router.add_get("/v1/files/{id}/content", openai.content)
    app.router.add_post("/v1/batches", openai.create)
    app.router.add_get("/v1/batches", openai.list)
    app.router.add_get("/v1/batches/{id}", openai.retrieve)
    app.router.add_post("/v1/chat/completions", openai.online)
    app.router.add_post("/v1/messages/batches", anthropic.create)
    app.router.add_get("/v1/messages/batches", anthropic.list)
    app.router.add_get("/v1/messages/batches/{id}", anthropic.retrieve)
    app.router.add_get("/v1/messages/batches/{id}/results", anthropic.results)
    app.router.add_post("/v1/messages", anthropic.online)
    with served(app) as fake.url:
        yield fake
