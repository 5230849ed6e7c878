"""A proxy that lets some answers through drop by drop, slower than any client should wait.

async with dripping(server_port, share=0.05) as port:
    ...  # a client of 127.0.0.1:port waits in vain for one answer in twenty
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

DROP_EVERY_S = 0.2


@asynccontextmanager
async def dripping(server_port: int, share: float, seed: int = 0) -> AsyncIterator[int]:
    """The port of a proxy before the server on `server_port`; `share` (0..1) of the answers drip.

    The server has written these answers in full, so to it they are answers like all others.
    """
    chance = random.Random(seed)
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", server_port)
        asking = asyncio.create_task(_pass_on(reader, to_server))
        try:
            while answer := await from_server.read(1 << 16):
                if chance.random() < share:
                    await _drip(answer, writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        except OSError:  # one of the two hung up
            pass
        finally:
            asking.cancel()
            to_server.close()
            writer.close()
            connections.discard(task)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _drip(answer: bytes, writer: asyncio.StreamWriter) -> None:
    """One byte every so often, until the client hangs up."""
    for byte in answer:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(DROP_EVERY_S)
