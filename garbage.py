"""Python's garbage collector, kept from walking what lives on again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_UNTIL_COLLECTION = 20_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector run after every 20,000 new objects until the block ends, and not every 700.

    Hundreds of requests under way are tens of thousands of live objects, and a trainer's libraries
    alone are half a million: to walk all those takes 0.3 s (docs/performance.md).
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_UNTIL_COLLECTION)
    try:
        yield
    finally:
        gc.set_threshold(*before)
