"""Runs a client against the mock chat server, each as a program of its own, and says what it took.

The mock server, the rows and the raw clients are not pr1's: they lie in a folder beside the
repository (`--shared`). The runner there writes beside itself, so a copy in a temporary folder is
what runs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared" / "bench"
ENGINE_ROWS = HERE / "engine_rows.py"

# As long as a real key: one letter would be found, and blotted out, in every answer.
KEYS = {"ANTHROPIC_API_KEY": "no-key-but-as-long-as-one", "VLLM_API_KEY": ""}

# What the rows say, in the form that `pr1 annotate` asks for.
FACTS = {
    "facts": [
        {
            "quote": "triangle ABC has a right angle at B",
            "statement": "Triangle ABC has a right angle at B",
            "kind": "angle",
        },
        {"quote": "AB is labeled 12 cm", "statement": "AB is labeled 12 cm", "kind": "length"},
        {"quote": "BC is labeled 5 cm", "statement": "BC is labeled 5 cm", "kind": "length"},
        {
            "quote": "A circle with centre O is tangent to AC",
            "statement": "A circle with centre O is tangent to AC",
            "kind": "relation",
        },
    ]
}


class Runner:
    """The mock server and the raw clients, in a folder of their own.

    Args:
        folder: an empty one, to write into.
        shared: holds `mockllm.c`, `bench.py`, `common.py` and `c_raw.py`.
    """

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder = folder
        compiler = shutil.which("cc")
        if compiler is None:
            raise SystemExit("the mock server is a C program: install a C compiler (cc).")
        if not (shared / "mockllm.c").exists():
            raise SystemExit(f"{shared} holds no mockllm.c. Name its folder with --shared.")
        for name in ("bench.py", "common.py", "c_raw.py"):
            shutil.copyfile(shared / name, folder / name)
        self.server = folder / "mockllm"
        source = str(shared / "mockllm.c")
        subprocess.run([compiler, "-O2", "-w", "-o", str(self.server), source, "-lm"], check=True)

    def run(
        self,
        client: str,
        *,
        rows: int,
        concurrency: int = 256,
        latency: str = "fixed:200",
        python: str = sys.executable,
        environment: Mapping[str, str] = KEYS,
        server: Mapping[str, str] | None = None,
        kill: float | None = None,
        port: int | None = None,
        timeout_s: float = 3600,
    ) -> dict[str, Any]:
        """What the runner measured.

        Args:
            client: the raw client's file, or arguments of `python`.
            rows: how many are asked for.
            concurrency: requests under way at once.
            latency: of the mock server, as its source explains.
            python: the program that runs the client.
            environment: put before the client's own.
            server: further options of the mock server.
            kill: share of the rows at whose answer the client is killed, and then started again.
            port: of the mock server; None takes a free one.
            timeout_s: seconds after which the client is killed.
        """
        command = [sys.executable, "bench.py", "--py", python, f"--script={client}"]
        command += ["-n", str(rows), "-c", str(concurrency), "--latency", latency]
        command += ["--port", str(port or free_port()), "--timeout", str(timeout_s)]
        command += ["--label", "client", "--kill", str(kill or 0)]
        command += ["--env", *(f"{name}={value}" for name, value in environment.items())]
        command += ["--srv", *(f"{name}={value}" for name, value in (server or {}).items())]
        home = os.environ | {"HOME": str(self.folder)}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=self.folder, env=home, stdout=pipe, text=True) as runner:
            try:
                said, _ = runner.communicate()
            finally:
                end_tree(runner.pid)
        if runner.returncode != 0:
            raise SystemExit(f"the runner ended with {runner.returncode}")
        return dict(json.loads(said))

    @property
    def log(self) -> str:
        """The end of what the last run's client said of its own."""
        return (self.work / "log.txt").read_text(errors="replace")[-1500:]

    @property
    def work(self) -> Path:
        """The folder of the last run's client."""
        folders = (self.folder / ".cache" / "llm-bench").iterdir()
        return max(folders, key=lambda folder: folder.stat().st_mtime)


@contextmanager
def prepared(shared: Path) -> Iterator[Runner]:
    """A runner in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        yield Runner(Path(folder), shared)


def engine_rows(provider: str) -> str:
    """The client that asks for the rows through the engine, as `Runner.run` takes it."""
    return f"{ENGINE_ROWS} {provider}"


def annotate_command(runner: Runner, rows: int, concurrency: int, port: int) -> str:
    """`pr1 annotate` over so many rows; writes its source and what the mock is to answer."""
    source = write_source(runner.folder, rows, str(runner.folder))
    return (
        f"-m pr1 annotate {source} --output out --model vllm/mock "
        f"--base-url http://127.0.0.1:{port}/v1 --concurrency {concurrency}"
    )


def write_source(folder: Path, rows: int, row_folder: str) -> Path:
    """A source of `pr1 annotate`: the rows, all with one small picture."""
    sys.path.insert(0, row_folder)
    from common import row

    Image.new("RGB", (64, 64), "white").save(folder / "figure.png")
    (folder / "facts.json").write_text(json.dumps(FACTS))
    source = folder / f"rows-{rows}.jsonl"
    with source.open("w") as out:
        for number in range(rows):
            problem = {
                "id": f"row-{number}",
                "question": "How long is AC?",
                "answer": "13",
                "image": "figure.png",
                "trajectory": row(number)["trajectory"],
            }
            out.write(json.dumps(problem) + "\n")
    return source


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def end_tree(pid: int) -> None:
    """End what a program started, and the program."""
    try:
        program = psutil.Process(pid)
        tree = [*program.children(recursive=True), program]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    packages = [name for name in ("aiohttp", "orjson", "pydantic", "uvloop") if find_spec(name)]
    return {
        "cpu": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in packages),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
