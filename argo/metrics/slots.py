"""Gives each process files for its counters, which the next process continues.

prometheus-client keeps the counters of each process in memory-mapped files, named after a process.
Here they are named after a slot instead: each process takes the lowest free number, locked for as
long as it runs. So a killed process loses no count, its successor goes on from there, and the
number of files is bounded by how many processes run at once.
"""

import fcntl
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from prometheus_client import values

from signals.files import make_folder, open_private, private

logger = logging.getLogger(__name__)

ENVIRONMENT = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder for prometheus-client."""
FILE_BYTES = 512 * 1024
"""Reserved on disk for each file. If it were written for the first time on a full disk, the kernel
would kill the process. It holds some 2,000 values; Argo has 400."""
KINDS = ("counter", "histogram", "gauge_livesum")
"""The kinds of files, by the types of Argo's metrics."""


class _Slot:
    """The number of this process, and the lock that holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._number = -1

    def take(self) -> None:
        """Take the lowest free number. Raises OSError if its files cannot be made."""
        make_folder(self._folder)
        number, lock = _lowest_free(self._folder)
        try:
            _reserve(self._folder, number)
        except OSError:
            os.close(lock)
            raise
        self._number, self._lock = number, lock

    def number(self) -> int:
        """Return the number; a forked child takes its own first.

        If it gets none, it shares its parent's, and some counts may be lost.
        """
        if self._lock is None:
            with suppress(OSError):
                self.take()
        return self._number

    def forget(self) -> None:
        """Give up the number in a forked child: it belongs to the parent."""
        if self._lock is not None:
            os.close(self._lock)  # the parent's copy keeps the lock
            self._lock = None


def install(folder: Path) -> None:
    """Keep the counters that this process makes from now on in `folder`.

    If that cannot be written, they stay in memory, and the log says so.
    """
    slot = _Slot(folder)
    try:
        slot.take()
    except OSError as error:
        logger.warning(
            "The counters of this process are not in /metrics: %s cannot be written (%s)",
            folder, error,
        )  # fmt: skip
        return
    os.environ[ENVIRONMENT] = str(folder)
    values.ValueClass = values.MultiProcessValue(slot.number)  # type: ignore[no-untyped-call]
    os.register_at_fork(after_in_child=slot.forget)


def living_files(folder: Path) -> list[str]:
    """Return the files to add up: every count, but only the gauges of processes that run.

    A file that is not complete was given up because the disk was full.
    """
    free = {path.stem for path in folder.glob("*.lock") if _is_free(path)}
    complete = [path for path in folder.glob("*.db") if path.stat().st_size >= FILE_BYTES]
    return [
        str(path)
        for path in complete
        if not (path.name.startswith("gauge_live") and path.stem.rpartition("_")[2] in free)
    ]


def _lowest_free(folder: Path) -> tuple[int, int]:
    """Return the lowest number that no process has, and a descriptor that holds its lock."""
    number = 0
    while (lock := _locked(folder / f"{number}.lock")) is None:
        number += 1
    return number, lock


def _locked(path: Path) -> int | None:
    """Return a descriptor that holds the lock; None if another process holds it."""
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_free(path: Path) -> bool:
    descriptor = _locked(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


def _reserve(folder: Path, number: int) -> None:
    """Reserve the space of the files; empty those of gauges, which the last process left."""
    for kind in KINDS:
        path = folder / f"{kind}_{number}.db"
        if kind.startswith("gauge"):
            path.unlink(missing_ok=True)
        with private(path, "ab") as file:
            _allocate(file.fileno(), os.fstat(file.fileno()).st_size)


def _allocate(descriptor: int, size: int) -> None:
    missing = FILE_BYTES - size
    if missing <= 0:
        return
    if sys.platform == "linux":
        os.posix_fallocate(descriptor, size, missing)
    else:
        os.write(descriptor, bytes(missing))
