"""A table of callers in a file that the processes of a machine share.

A memory-mapped file takes some microseconds for each request, where a row of a database takes
hundreds. The kernel frees its lock if a process is killed.
"""

import fcntl
import logging
import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from signals.files import open_private

logger = logging.getLogger(__name__)
SLOTS = 4096
"""Callers that are told apart at the same time: keys, each with its scopes."""
PROBES = 16
"""Slots that a caller may have. If others have all of them, it takes over the least busy one."""
SLOT = struct.Struct("<8sd")
NAME_BYTES = 8


class SharedTable:
    """Keeps one number, a time, for each caller. Nothing is opened before the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._slots: mmap.mmap | bytearray | None = None

    def update(self, name: bytes, change: Callable[[float], float]) -> None:
        """Replace the number of the caller `name` by what `change` makes of it; 0 if it is new.

        `name` has 8 bytes that tell callers apart. Other threads and processes wait meanwhile.
        """
        with self._lock:
            slots = self._opened()
            with self._locked():
                place = _place(slots, name)
                found, value = SLOT.unpack_from(slots, place)
                SLOT.pack_into(slots, place, name, change(value if found == name else 0.0))

    def _opened(self) -> mmap.mmap | bytearray:
        if self._slots is None:
            self._slots = self._mapped()
        return self._slots

    def _mapped(self) -> mmap.mmap | bytearray:
        """Map the file; if that is impossible, each process counts by itself."""
        size = SLOTS * SLOT.size
        try:
            descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
            os.posix_fallocate(descriptor, 0, size)  # writing to a hole of a full disk would kill
        except OSError as error:
            logger.warning(
                "Rate limits are counted by each process alone: %s (%s)", self.path, error
            )
            return bytearray(size)
        self._descriptor = descriptor
        return mmap.mmap(descriptor, size)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._descriptor is None:
            yield
            return
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


def _place(slots: mmap.mmap | bytearray, name: bytes) -> int:
    """Return the byte where the caller's slot begins: its own, or the one with the lowest number,
    which an empty slot has."""
    first = int.from_bytes(name, "little")
    best, lowest = 0, float("inf")
    for probe in range(PROBES):
        place = (first + probe) % SLOTS * SLOT.size
        found, value = SLOT.unpack_from(slots, place)
        if found == name:
            return int(place)
        if value < lowest:
            best, lowest = place, value
    return int(best)
