"""`pr1 doctor`: what this machine has and lacks, and the command that mends each lack.

A check *fails* when something is broken that was asked for (an endpoint given by name, a model to
fetch) or that everything needs. What is merely absent, and needed by some commands only, is a
warning or skipped.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from .schemas.config import Execution, ModelConfig
from .schemas.errors import Malformed, ModelError, Pr1Error, Refused, Truncated

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from rich.table import Table

Status = Literal["ok", "warn", "fail", "skip"]

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN")
FETCH = "pr1 doctor --fetch"
ENDPOINT_TIMEOUT_S = 60.0
LEAST_FREE_DISK = 2_000_000_000
LEAST_MEMORY = 3_000_000_000

_COLOURS: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "dim"}


class Check(NamedTuple):
    """One thing looked at.

    Attributes:
        fix: the command that mends it; empty when nothing needs mending, or no command could.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


def run_checks(
    *, model: ModelConfig | None = None, fetch: bool = False, store: Path | None = None
) -> list[Check]:
    """All checks, in the order in which they are shown.

    Args:
        model: one to send a tiny request to, so as to see whether it honours a JSON schema.
        fetch: get the embedded model if it is missing, and hash it anew if it is there.
        store: the output folder of a run whose response store is to be read through.
    """
    return [*_checks(model, fetch, store)]


def exit_code(checks: list[Check]) -> int:
    """What the command exits with: 1 when a check failed, else 0."""
    return int(any(check.status == "fail" for check in checks))


def as_table(checks: list[Check]) -> Table:
    """The checks as a table that fits 80 columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False, width=80)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(
            Text(check.status, style=_COLOURS[check.status]),
            Text(check.name),
            Text(check.detail) + (Text(f"\n→ {check.fix}", style="bold") if check.fix else ""),
        )
    return table


def _checks(model: ModelConfig | None, fetch: bool, store: Path | None) -> Iterator[Check]:
    yield _python()
    yield from _packages()
    yield from _keys()
    yield _embedded_model(fetch)
    if model is not None:
        yield from check_endpoint(model)
    if store is not None:
        yield from check_store(store)
    yield _disk()
    yield _memory()
    yield _gpu()


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", "ok", detail)


def _packages() -> Iterator[Check]:
    """pr1 with what it always needs, then each extra."""
    from packaging.requirements import Requirement

    requirements = [Requirement(line) for line in metadata.requires("pr1") or []]
    core = [it for it in requirements if it.marker is None or it.marker.evaluate({"extra": ""})]
    if missing := [str(it) for it in core if not _is_installed(it)]:
        fix = f"pip install {' '.join(repr(name) for name in missing)}"
        yield Check("pr1", "fail", f"{metadata.version('pr1')}; lacks {', '.join(missing)}", fix)
    else:
        yield Check("pr1", "ok", f"{metadata.version('pr1')} with {_versions(core)}")
    for extra in metadata.metadata("pr1").get_all("Provides-Extra") or []:
        if extra == "dev":
            continue
        marked = [it for it in requirements if it.marker and it not in core]
        wanted = [it for it in marked if it.marker and it.marker.evaluate({"extra": extra})]
        if all(_is_installed(it) for it in wanted):
            yield Check(f"pr1[{extra}]", "ok", _versions(wanted))
        else:
            # The embedded model is the default of the commands; the other extras are for some.
            status: Status = "warn" if extra == "embedded" else "skip"
            yield Check(f"pr1[{extra}]", status, "not installed", f"pip install 'pr1[{extra}]'")


def _is_installed(requirement: Requirement) -> bool:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _versions(requirements: list[Requirement]) -> str:
    return ", ".join(f"{it.name} {metadata.version(it.name)}" for it in requirements)


def _keys() -> Iterator[Check]:
    for name in KEYS:
        if os.environ.get(name, "").strip():
            yield Check(name, "ok", "set")
        elif name == "HF_TOKEN" and _has_stored_token():
            yield Check(name, "ok", "stored by `hf auth login`")
        else:
            yield Check(name, "skip", "not set", f"export {name}=...")


def _has_stored_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _embedded_model(fetch: bool) -> Check:
    from .llm.model_file import EMBEDDED_MODEL, find_model, find_or_fetch

    name = "embedded model"
    fix = "unset PR1_EMBEDDED_MODEL" if "PR1_EMBEDDED_MODEL" in os.environ else FETCH
    try:
        path = find_model(rehash=fetch)
        if path is None and fetch:
            path = find_or_fetch()
    except Pr1Error as error:
        return Check(name, "fail", str(error), fix)
    if path is None:
        size = f"{EMBEDDED_MODEL.size / 1e9:.1f} GB"
        return Check(name, "warn", f"{EMBEDDED_MODEL.name} is not here yet ({size})", FETCH)
    return Check(name, "ok", f"{path}, sha256 {EMBEDDED_MODEL.sha256[:12]}…")


def check_endpoint(model: ModelConfig) -> list[Check]:
    """Whether the model answers, and whether it honours a JSON schema.

    The schema asks for a word that nobody would say unasked, so that a server which ignores
    schemas silently is found out.
    """
    import asyncio

    return asyncio.run(_ask_endpoint(model))


async def _ask_endpoint(model: ModelConfig) -> list[Check]:
    from pydantic import BaseModel

    from .llm.chat import ChatMessage, ChatRequest
    from .llm.models import open_client
    from .llm.sending import read_answer

    class Greeting(BaseModel):
        greeting: Literal["quixotic-marmalade-7319", "quixotic-marmalade-9137"]

    request = ChatRequest(
        messages=(ChatMessage("user", ("Greet me. Answer in JSON.",)),),
        purpose="control",
        max_tokens=512,
        response_model=Greeting,
    )
    where = f"{model.name} at {model.base_url}" if model.base_url else model.name
    schema_fix = "use a server that enforces response_format json_schema, e.g. vllm serve MODEL"
    try:
        client = open_client(model, Execution(timeout_s=ENDPOINT_TIMEOUT_S))
    except Pr1Error as error:
        return [Check("endpoint", "fail", str(error)), _unasked]
    try:
        response = await client.complete(request)
    except ModelError as error:
        fix = f"curl {model.base_url}/models" if model.base_url else ""
        return [Check("endpoint", "fail", str(error), fix), _unasked]
    finally:
        await client.aclose()
    reached = Check("endpoint", "ok", f"{where} answers as {response.model or model.model}")
    try:
        read_answer(response, Greeting)
    except Malformed:
        detail = f"ignored: it answered {response.text[:60]!r}"
        return [reached, Check("json_schema", "fail", detail, schema_fix)]
    except (Truncated, Refused) as error:
        return [reached, Check("json_schema", "warn", f"not decided: {error}")]
    return [reached, Check("json_schema", "ok", "honoured")]


_unasked = Check("json_schema", "skip", "not asked: the endpoint does not answer")


def check_store(folder: Path) -> list[Check]:
    """Whether the response store of a run's output folder is whole, and what is in it.

    Every answer is read, and nothing is changed; a run may be writing at the same time.
    """
    from .llm.store_check import read_store
    from .outputs.rows import RUN_STATE, STORE

    path = folder / STORE
    try:
        report = read_store(path)
    except Pr1Error as error:
        fix = f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.damaged')}"
        return [Check("store", "fail", str(error), fix if path.exists() else "")]
    is_unfinished = (folder / RUN_STATE).is_file()
    state = "; the run is unfinished, and its command goes on from here" if is_unfinished else ""
    whole = f"{path}: {report.answers.total():,} answers, all whole, {report.size / 1e6:.1f} MB"
    return [
        Check("store", "ok", whole + state),
        Check("store answers", "ok", report.answers_text()),
        Check("store spent", "ok", report.spent_text()),
    ]


def _disk() -> Check:
    from .llm.model_file import cache_folder

    folder = cache_folder()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.0f} GB free for {folder}"
    if free < LEAST_FREE_DISK:
        return Check("disk", "warn", detail, "export PR1_CACHE=/a/folder/with/room")
    return Check("disk", "ok", detail)


def _memory() -> Check:
    from .llm.cores import usable_cores

    cores = f"{usable_cores()} of {os.cpu_count()} CPU cores usable"
    memory = _memory_bytes()
    if memory is None:
        return Check("machine", "ok", cores)
    detail = f"{cores}, {memory / 1e9:.0f} GB of memory"
    if memory < LEAST_MEMORY:
        detail += "; the embedded model wants 3 GB"
        return Check("machine", "warn", detail, "pr1 annotate SOURCE -o OUT --model rules")
    return Check("machine", "ok", detail)


def _memory_bytes() -> int | None:
    """The machine's memory or the container's limit; None where the system does not tell."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return machine


def _gpu() -> Check:
    if shutil.which("nvidia-smi") is None:
        return Check("GPU", "skip", "none found; only training and serving need one")
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Check("GPU", "warn", f"nvidia-smi fails ({error})", "nvidia-smi")
    return Check("GPU", "ok", "; ".join(run.stdout.strip().splitlines()) or "none")
