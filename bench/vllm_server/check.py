"""pr1's clients and engine against the real vLLM server: `python check.py SERVER_PYTHON`.

SERVER_PYTHON is the interpreter of an environment with vLLM (`make check-vllm` makes it). Tiny
random models are made and served on this machine's CPU; each check prints one row of a Markdown
table. Ends with 1 when one is not met.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from asking import KEY, Table
from check_answers import check_answers
from check_faults import (
    check_before_start,
    check_kill,
    check_leaving,
    check_rejections,
    check_resumption,
    check_time_limit,
)
from check_load import check_load
from check_pictures import check_pictures
from serve import NO_WHITE_SPACE, VllmServer, running_server

# Prompts are computed whole: version 0.32.0 on a CPU dies of a seed where one is computed in parts.
WHOLE_PROMPTS = ("--no-enable-chunked-prefill", "--max-num-batched-tokens", "8192")
FEW_AT_ONCE = ("--max-num-seqs", "8")
TEXT = [*FEW_AT_ONCE, *WHOLE_PROMPTS, *NO_WHITE_SPACE, "--max-model-len", "8192"]
VISION = [*FEW_AT_ONCE, *WHOLE_PROMPTS, "--max-model-len", "2048"]


def main() -> None:
    """Make the models, serve them one after the other, and check."""
    parser = argparse.ArgumentParser(description="pr1's clients against the real vLLM server.")
    parser.add_argument("server_python", type=Path, help="interpreter of vLLM's environment")
    python = parser.parse_args().server_python
    logging.disable(logging.WARNING)
    table = Table()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        making = [python, Path(__file__).with_name("models.py"), folder]
        subprocess.run(making, check=True, stderr=subprocess.DEVNULL)
        asyncio.run(check_text_server(table, python, folder))
        with running_server(python, folder / "vision", VISION, KEY) as server:
            asyncio.run(check_pictures(table, server, folder))
    print(f"\nNot met: {', '.join(table.missed) or 'none'}.")
    sys.exit(bool(table.missed))


async def check_text_server(table: Table, python: Path, folder: Path) -> None:
    """All checks without pictures, the server's death and return among them."""
    server = VllmServer(python, folder / "text", TEXT, KEY)
    server.start()
    try:
        await check_before_start(table, server)
        table.add("start of the server", "answers `/health`", f"after {server.wait():.0f} s")
        await check_answers(table, server, folder)
        await check_rejections(table, server)
        await check_load(table, server, folder)
        await check_time_limit(table, server)
        await check_leaving(table, server, folder)
        kept = await check_kill(table, server, folder)
        server.start()
        server.wait()
        await check_resumption(table, server, folder, kept)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
