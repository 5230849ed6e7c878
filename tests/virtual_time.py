"""An event loop whose clock stands still while anything runs and jumps when all wait.

Coroutines that sleep for hours end at once and always in the same order. No threads and no sockets:
nothing outside can wake the loop.
"""

import asyncio
import functools
import selectors


class _NothingToSelect(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("all tasks wait for ever")
        self._loop.moment += timeout + 1e-9  # timers rely on time that never stands quite still
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.moment = 1000.0
        super().__init__(_NothingToSelect(self))

    def time(self):
        return self.moment


def run(coroutine):
    """What the coroutine returns; no task of it may be left over."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        left = asyncio.all_tasks(runner.get_loop())
        assert not left, left
        return result


def in_virtual_time(test):
    """The asynchronous test as one whose pauses, however long, end at once."""

    @functools.wraps(test)
    def run_test(*arguments, **named):
        run(test(*arguments, **named))

    return run_test


def now():
    return asyncio.get_running_loop().time()
