"""The cyclic garbage collector, kept out of the way of work that makes no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """For work on thousands of rows at a time, of which the collector would find none to free.

    Each pass would walk all of them again: up to a third of a flush. What must be freed is freed
    by its reference count as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
