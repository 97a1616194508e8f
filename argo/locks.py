"""The locks of the data folder that a running Argo holds."""

from django.conf import settings

from signals.locks import UP, FileLock


def of_up() -> FileLock:
    """Return the lock that `up` holds while it runs, not taken yet."""
    return FileLock(settings.DATA_DIR / UP)


def of_beat() -> FileLock:
    """Return the lock that beat holds while it runs, not taken yet."""
    return FileLock(settings.DATA_DIR / "beat.lock")
