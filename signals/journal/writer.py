"""Appends to the active segment: locked, synced, undone where it fails, sealed when full."""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from signals.journal.errors import JournalError
from signals.journal.segments import Segments, fingerprint, sync_folder

logger = logging.getLogger(__name__)


class Writer:
    """One process's hand on the journal. Not for several threads at once: `GroupCommit` is."""

    def __init__(self, segments: Segments, *, segment_bytes: int) -> None:
        self._segments = segments
        self._limit = segment_bytes
        self._descriptor: int | None = None
        self._known_end = -1

    def write(self, data: bytes) -> None:
        """Append `data` (whole lines) and return once it is on disk.

        Raises JournalError where that failed; the journal is then as it was before.
        """
        with self._explained():
            while not self._appended(data):
                logger.error("%s was replaced while it was written to; writing again", self._path)

    def close(self) -> None:
        """Let go of the file; one that was deleted or moved away meanwhile is put back first."""
        if self._descriptor is not None and not self._is_active(os.fstat(self._descriptor)):
            with self._explained(), self._locked():
                pass  # to lock the active file means to leave the other one properly
        self.let_go()

    def let_go(self) -> None:
        """Close the file and do no more: a forked child's parent still writes to it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._known_end = None, -1

    @property
    def _path(self) -> Path:
        return self._segments.active

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"Nothing was stored: {self._path} cannot be written ({error.strerror or error}). "
                "Free disk space or correct the folder's permissions, then send again."
            ) from error

    def _appended(self, data: bytes) -> bool:
        """Append; False where the file turned out to be no longer the active one."""
        with self._locked() as (descriptor, status):
            start = self._end_of_lines(descriptor, status.st_size)
            try:
                _write_all(descriptor, data)
                os.fdatasync(descriptor)
            except OSError:
                os.ftruncate(descriptor, start)
                raise
            self._known_end = start + len(data)
            return self._is_active(status)

    def _end_of_lines(self, descriptor: int, size: int) -> int:
        """The end of the last whole line; what stands behind it was never acknowledged."""
        if size == self._known_end:  # nobody else wrote since
            return size
        if size < self._known_end:
            logger.error(
                "%s was cut from %d to %d bytes under a running system; lines are missing. "
                "Find out who did that, and restore them from a backup.",
                self._path, self._known_end, size,
            )  # fmt: skip
        end = end_of_lines(descriptor, size)
        if end != size:
            os.ftruncate(descriptor, end)
        return end

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, os.stat_result]]:
        """The active segment, below the limit, under an exclusive lock; and its status."""
        descriptor, status = self._lock_active()
        while status.st_size >= self._limit:
            self._seal(descriptor, status.st_size)
            descriptor, status = self._lock_active()
        try:
            yield descriptor, status
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _lock_active(self) -> tuple[int, os.stat_result]:
        """Few system calls: with each of them other threads get the interpreter, and we wait."""
        while True:
            descriptor = self._open()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if self._is_active(status):
                return descriptor, status
            self._leave(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
            self._descriptor = os.open(self._path, flags, 0o640)
            self._known_end = -1
            sync_folder(self._path.parent)
        return self._descriptor

    def _is_active(self, status: os.stat_result) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(status, os.stat(self._path))
        return False

    def _leave(self, descriptor: int) -> None:
        """Turn from a file that is no longer the active one: sealed by another, or taken away.

        Where its lines cannot be put back now, we keep hold of it and try at the next write.
        """
        self._descriptor, self._known_end = None, -1
        try:
            if not self._is_sealed(descriptor):
                self._rescue(descriptor)
        except OSError:
            self.let_go()  # of the new file
            self._descriptor = descriptor
            raise
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child forked meanwhile holds it open too
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
            self.let_go()

    def _rescue(self, lost: int) -> None:
        """Put back, as a sealed segment, a file that was deleted or moved away under us."""
        with self._locked():
            end = end_of_lines(lost, os.fstat(lost).st_size)
            if end == 0 or self._is_rescued(lost, end):
                return
            target = self._segments.sealed_path(self._segments.active_number(), rescued=True)
            _copy(lost, end, target)
        logger.error(
            "%s was deleted or replaced under a running system; its lines are kept as %s. "
            "Find out who did that, then rename the file without '-rescued'.",
            self._path,
            target.name,
        )

    def _is_rescued(self, lost: int, end: int) -> bool:
        return any(
            path.stat().st_size >= end and _fingerprint_of(path, end) == fingerprint(lost, end)
            for path in self._segments.sealed().values()
        )


def end_of_lines(descriptor: int, size: int) -> int:
    """The byte after the last newline before `size`."""
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
    with os.fdopen(os.dup(descriptor), "rb") as source, draft.open("wb") as copy:
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
