"""The errors of backups."""

from argo.errors import ArgoError


class BackupFailed(ArgoError):
    """No backup was made; what had been written of it is removed."""


class NotABackup(ArgoError):
    """The folder holds no complete backup, or it was damaged or altered."""


class NotRestored(ArgoError):
    """The backup is good, but cannot be restored here as things are."""
