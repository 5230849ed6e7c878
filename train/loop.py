"""An event loop in a thread of its own.

What lives in an event loop (sessions, locks, a response store's thread) dies with it. TRL makes one
loop for each trainer, and a script may call `asyncio.run` at each step; the judge outlives both.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """An event loop that runs from the first coroutine until `close`. Safe in threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lock = threading.Lock()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """What the coroutine will return, run in the loop."""
        with self._lock:
            if self._loop.is_closed():
                coroutine.close()
                raise RuntimeError("this loop is closed")
            if not self._thread.is_alive():
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """Cancels what still runs, awaits `last()` in the loop, and stops the thread."""
        with self._lock:
            if self._loop.is_closed():
                return
            if self._thread.is_alive():
                try:
                    asyncio.run_coroutine_threadsafe(_wind_down(last), self._loop).result()
                finally:
                    self._loop.call_soon_threadsafe(self._loop.stop)
                    self._thread.join()
            self._loop.close()


async def _wind_down(last: Callable[[], Awaitable[None]]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await last()
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
