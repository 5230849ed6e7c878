"""Starts the real vLLM server on this machine's CPU and stops it again.

    with running_server(python, folder / "text", ["--max-num-seqs", "8"], key) as server:
        client = open_client(ModelConfig(name="vllm/text", base_url=server.openai_url), Execution())

The server's own lines go to a file beside the model's folder.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 300.0
STOP_S = 30.0
# A model of random weights would choose white space between JSON's signs again and again.
NO_WHITE_SPACE = (
    "--structured-outputs-config",
    '{"disable_any_whitespace": true, "backend": "xgrammar"}',
)
_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


class VllmServer:
    """A vLLM server in processes of its own.

    Args:
        python: the interpreter of the environment that vLLM is installed in.
        model: the model's folder; its name is the name that the model is served under.
        options: of the server, beside those that a CPU needs.
        key: what it asks for.
    """

    def __init__(self, python: Path, model: Path, options: list[str], key: str) -> None:
        self.log = model.parent / f"{model.name}.log"
        self.url = f"http://127.0.0.1:{_unused_port()}"
        self.openai_url = f"{self.url}/v1"
        self._command: list[str | Path] = [
            python,
            "-m",
            "vllm.entrypoints.openai.api_server",
            "--model",
            model,
        ]
        self._command += [
            "--served-model-name",
            model.name,
            "--enforce-eager",
            "--dtype",
            "bfloat16",
        ]
        self._command += ["--host", "127.0.0.1", "--port", self.url.rpartition(":")[2], *options]
        self._environment = os.environ | _ENVIRONMENT | {"VLLM_API_KEY": key}

    def start(self) -> None:
        """Start it; after `kill` or `stop` once more, at the same address."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> float:
        """Seconds until the server answers.

        Raises:
            RuntimeError: it ended, or did not answer within `START_S`; its last lines say why.
        """
        started = time.monotonic()
        while time.monotonic() < started + START_S and self._process.poll() is None:
            try:
                self._get("/health")
            except OSError:
                time.sleep(0.5)
            else:
                return time.monotonic() - started
        last_lines = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the server did not start; {self.log} ends with:\n{last_lines}")

    def metric(self, name: str, label: str = "") -> float:
        """The sum of the server's own counter or gauge over the lines that hold `label`."""
        pattern = rf"^vllm:{name}\{{(.*)\}} (\S+)$"
        found = re.findall(pattern, self._get("/metrics"), re.MULTILINE)
        return sum(float(value) for labels, value in found if label in labels)

    def statuses(self) -> dict[str, int]:
        """HTTP status -> how many chat requests the server's log says it answered so."""
        said = re.findall(r'"POST /v1/\S+ HTTP/1.1" (\d+)', self.log.read_text(errors="replace"))
        return {status: said.count(status) for status in sorted(set(said))}

    def kill(self) -> None:
        """End all of its processes at once, as a crash does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C does, then whatever is left of it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def running_server(python: Path, model: Path, options: list[str], key: str) -> Iterator[VllmServer]:
    """A server that answers; stopped at the end."""
    server = VllmServer(python, model, options, key)
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
