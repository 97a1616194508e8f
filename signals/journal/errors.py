"""The journal's errors."""

from pathlib import Path

from argo.errors import ArgoError, Unavailable


class JournalError(Unavailable):
    """A write failed and was undone: nothing of it is in the journal or was acknowledged."""


class JournalReplaced(ArgoError):
    """The file that a position points into is gone or was replaced."""


def unwritable(path: Path, error: OSError) -> JournalError:
    """Return the error for a journal that the operating system does not let us write."""
    return JournalError(
        f"Nothing was stored: {path} cannot be written ({error.strerror or error}). "
        "Free disk space or correct the folder's permissions, then send again."
    )
