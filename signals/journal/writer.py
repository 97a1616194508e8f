"""Appends to the active segment: locks, writes and syncs; undoes a failed write; seals when full.

It locks the data file itself and waits for the lock. It does not use `signals.locks`, whose lock
files are held until a process ends.
"""

import fcntl
import logging
import os
import shutil
from pathlib import Path

from signals.files import make_folder, open_private, private, sync_folder, sync_names
from signals.journal.errors import unwritable
from signals.journal.segments import Segments, fingerprint

logger = logging.getLogger(__name__)


class Writer:
    """One process's writer. Not thread-safe: threads write through `GroupCommit`."""

    def __init__(self, segments: Segments, *, segment_bytes: int) -> None:
        self._segments = segments
        self._path = segments.active
        self._name = os.fspath(self._path)
        self._limit = segment_bytes
        self._descriptor: int | None = None
        self._inode = (0, 0)
        self._known_end = -1

    def has_synced(self, status: os.stat_result) -> bool:
        """Return whether this writer has synced all bytes of this file; ask while it is locked."""
        return _inode(status) == self._inode and status.st_size == self._known_end

    def write(self, data: bytes) -> None:
        """Append `data` (complete lines) and return once it is on disk.

        Raises JournalError if that failed; the journal is then as it was before.
        """
        try:
            while not self._appended(data):
                logger.error("%s was replaced during a write; writing again", self._path)
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Close the file; if it was deleted or moved away, put it back first."""
        try:
            if self._descriptor is not None and not self._is_active():
                self._unlock(self._lock()[0])  # `_lock` first puts a deleted or moved file back
        except OSError as error:
            raise unwritable(self._path, error) from error
        self.release()

    def release(self) -> None:
        """Close the file and do nothing else: a forked child's parent still writes to it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._known_end = None, -1

    def _appended(self, data: bytes) -> bool:
        """Append; return False if the file was no longer the active one at the end."""
        descriptor, status = self._lock()
        try:
            start = self._end_of_lines(descriptor, status.st_size)
            try:
                _write_all(descriptor, data)
                os.fdatasync(descriptor)
            except OSError:
                os.ftruncate(descriptor, start)
                raise
            self._known_end = start + len(data)
            return self._is_active()
        finally:
            self._unlock(descriptor)

    def _end_of_lines(self, descriptor: int, size: int) -> int:
        """Return the end of the last line; cut off what follows, which was never acknowledged."""
        if size == self._known_end:  # no other process has written since
            return size
        if size < self._known_end:
            logger.error(
                "%s was cut from %d to %d bytes while Argo was running; lines are missing. "
                "Find out why, and restore them from a backup.",
                self._path, self._known_end, size,
            )  # fmt: skip
        end = end_of_lines(descriptor, size)
        if end != size:
            os.ftruncate(descriptor, end)
        return end

    def _lock(self) -> tuple[int, os.stat_result]:
        """Lock the active segment, after sealing full ones; return its descriptor and status."""
        descriptor, status = self._lock_active()
        while status.st_size >= self._limit:
            self._seal(descriptor, status.st_size)
            descriptor, status = self._lock_active()
        return descriptor, status

    def _unlock(self, descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _lock_active(self) -> tuple[int, os.stat_result]:
        """Lock the active file with few system calls: after each, this thread may have to wait."""
        while True:
            descriptor = self._open()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = self._status()
            if status is not None and _inode(status) == self._inode:
                return descriptor, status
            self._leave(descriptor)

    def _open(self) -> int:
        if self._descriptor is not None:
            return self._descriptor
        make_folder(self._path.parent)
        descriptor = open_private(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._use(descriptor)
        sync_names(self._path.parent)
        return descriptor

    def _use(self, descriptor: int) -> None:
        """Write to this open file from now on; its inode is nobody else's while it is open."""
        self._descriptor, self._known_end = descriptor, -1
        self._inode = _inode(os.fstat(descriptor))

    def _is_active(self) -> bool:
        """Return whether the active segment is still the file that is open."""
        status = self._status()
        return status is not None and _inode(status) == self._inode

    def _status(self) -> os.stat_result | None:
        """Return the status of the active segment; None if there is no such file."""
        try:
            return os.stat(self._name)
        except FileNotFoundError:
            return None

    def _leave(self, descriptor: int) -> None:
        """Close a file that is no longer the active one: another process sealed or removed it.

        If its lines cannot be put back now, keep it open and try again at the next write.
        """
        self._descriptor, self._known_end = None, -1
        try:
            if not self._is_sealed(descriptor):
                self._rescue(descriptor)
        except OSError:
            self.release()  # the new file
            self._use(descriptor)
            raise
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was just forked has it open too
        os.close(descriptor)

    def _is_sealed(self, descriptor: int) -> bool:
        sealed = self._segments.sealed().values()
        return any(os.path.samestat(os.fstat(descriptor), path.stat()) for path in sealed)

    def _seal(self, descriptor: int, size: int) -> None:
        try:
            self._end_of_lines(descriptor, size)
            os.fdatasync(descriptor)
            self._path.rename(self._segments.sealed_path(self._segments.active_number()))
        finally:
            self.release()

    def _rescue(self, lost: int) -> None:
        """Put back a file that was deleted or moved away while it was open, as a sealed segment."""
        active, _ = self._lock()
        try:
            end = end_of_lines(lost, os.fstat(lost).st_size)
            if end == 0 or self._is_rescued(lost, end):
                return
            target = self._segments.sealed_path(self._segments.active_number(), rescued=True)
            _copy(lost, end, target)
        finally:
            self._unlock(active)
        logger.error(
            "%s was deleted or replaced while Argo was running; its lines are kept as %s. "
            "Find out why, then rename the file without '-rescued'.",
            self._path,
            target.name,
        )

    def _is_rescued(self, lost: int, end: int) -> bool:
        return any(
            path.stat().st_size >= end and _fingerprint_of(path, end) == fingerprint(lost, end)
            for path in self._segments.sealed().values()
        )


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def end_of_lines(descriptor: int, size: int) -> int:
    """Return the byte after the last newline before `size`; 0 if there is none."""
    step = 65536
    while size > 0:
        start = max(0, size - step)
        newline = os.pread(descriptor, size - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        size = start
    return 0


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _copy(descriptor: int, size: int, target: Path) -> None:
    draft = target.with_name(f"{target.name}.draft")
    with os.fdopen(os.dup(descriptor), "rb") as source, private(draft, "wb") as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy)
        copy.truncate(size)
        copy.flush()
        os.fsync(copy.fileno())
    draft.rename(target)
    sync_folder(target.parent)


def _fingerprint_of(path: Path, end: int) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return fingerprint(descriptor, end)
    finally:
        os.close(descriptor)
