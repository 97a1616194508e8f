"""A lock on a file that a process holds until it ends, and that names its holder."""

import fcntl
import os
from pathlib import Path

from argo.errors import ArgoError
from signals.files import open_private

UP = "up.lock"
"""The file in a data folder that `up` locks while it runs."""


class LockedByAnother(ArgoError):
    """Another process holds the lock; `holder` says which."""

    def __init__(self, what: str, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{what} is held by {holder}.")


class LockLost(ArgoError):
    """This process held the lock, but no longer does."""


class FileLock:
    """An exclusive `flock` on a file that contains the id of the process that holds it.

    The kernel releases it when the process ends, even by SIGKILL; the file stays. The journal and
    the folder broker lock their own files: they wait for the lock, hold it for one write, and keep
    data in the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises `LockedByAnother` if a living process holds it, and `OSError` if the file cannot be
        written.
        """
        self._descriptor = self._lock()
        while not self._is_in_place():  # deleted between opening and locking it
            self.release()
            self._descriptor = self._lock()
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            self.release()  # a lock that nobody knows of would never be released
            raise

    def verify(self) -> None:
        """Check that this process still holds the lock.

        Raises `LockLost` if the file was deleted or replaced: then another process can lock it.
        """
        if not self._is_in_place():
            raise LockLost(f"{self.path} was deleted or replaced while it was locked.")

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self) -> int:
        descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            os.close(descriptor)
            raise LockedByAnother(
                str(self.path), f"process {holder}" if holder else "another process"
            ) from None
        return descriptor

    def _is_in_place(self) -> bool:
        if self._descriptor is None or not self.path.exists():
            return False
        return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
