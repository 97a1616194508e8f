"""Lets one report be made at a time in a process: each takes seconds of a processor, and memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argo.errors import Unavailable

WAIT = 5.0
"""Seconds to wait for the report before."""
MOST_WAITING = 1
"""Requests that wait at once: each has a thread and a connection that others need."""
_making = threading.BoundedSemaphore(1)
_room = threading.BoundedSemaphore(1 + MOST_WAITING)


class TooManyReports(Unavailable):
    """Other reports are being made."""

    def __init__(self) -> None:
        super().__init__("Other reports are being made: try again in some seconds.")


@contextmanager
def report_turn() -> Iterator[None]:
    """Wait for the turn to make a report, and hold it. Raises `TooManyReports`."""
    if not _room.acquire(blocking=False):
        raise TooManyReports
    try:
        if not _making.acquire(timeout=WAIT):
            raise TooManyReports
        try:
            yield
        finally:
            _making.release()
    finally:
        _room.release()
