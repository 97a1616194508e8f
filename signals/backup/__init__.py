"""Backs up an installation while it runs, and restores it.

A backup is a folder: a snapshot of the database, the journal, the keys, and a manifest that names
each file with its size and hash. The journal is copied after the snapshot, so it has every line
that the database has read.
"""

from signals.backup.databases import database
from signals.backup.errors import BackupFailed, NotABackup, NotRestored
from signals.backup.making import Installation, back_up
from signals.backup.manifest import Manifest
from signals.backup.reading import check_backup, check_version
from signals.backup.restoring import Restoration, mark_of

__all__ = [
    "BackupFailed",
    "Installation",
    "Manifest",
    "NotABackup",
    "NotRestored",
    "Restoration",
    "back_up",
    "check_backup",
    "check_version",
    "database",
    "mark_of",
]
