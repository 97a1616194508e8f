"""The journal's errors."""

from argo.errors import ArgoError, Unavailable


class JournalError(Unavailable):
    """A write failed and was undone: nothing of it is in the journal or was acknowledged."""


class JournalReplaced(ArgoError):
    """The file that a position points into is gone or was replaced."""
