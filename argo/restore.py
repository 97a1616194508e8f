"""Restores a backup and makes it safe to run: the tables up to date, outside accounts halted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from argo import locks
from argo.errors import Conflict
from argo.logins.sessions import end_all
from argo.up.prepare import exclusive_database, migrate_database
from argo.version import version
from execution.accounts.halts import halt_restored
from signals import config, nodes
from signals.alerts.log import alerts_journal
from signals.backup import (
    Installation,
    Manifest,
    NotRestored,
    Restoration,
    check_backup,
    check_version,
    database,
)
from signals.backup.files import Progress
from signals.clock import utc_now
from signals.ledger.flush import FlushResult
from signals.locks import FileLock, LockedByAnother


class Restored(NamedTuple):
    """A finished restore.

    `flushed` counts the journal lines that came after the snapshot of the database; `halted` has
    the accounts that are halted because of the restore.
    """

    manifest: Manifest
    flushed: FlushResult
    halted: list[str]


def restore(folder: Path, progress: Progress) -> Restored:
    """Restore the backup in `folder` into the data folder and the database of the settings.

    An interrupted restore goes on where it was. Argo cannot start before the tables are up to date,
    the outside accounts are halted, and the journal is flushed. Everybody must log in again: the
    backup may have sessions that their users have ended since. Raises ArgoError if the backup is
    damaged or newer than this Argo, if there is data already, or if Argo runs; then nothing has
    changed.
    """
    with _stopped():
        manifest = check_backup(folder, progress)
        check_version(manifest, version(), _migrations())
        target = Installation(database(), config.journal(), (alerts_journal(),))
        restoration = Restoration(folder, manifest, target)
        restoration.put_back(progress)
        with exclusive_database():
            migrate_database()
            halted = halt_restored(manifest.made_at, utc_now())
            end_all()
        nodes.reset(target.journal)  # the claim is of the folder that was backed up
        flushed = config.flusher().flush()
        config.sequencer().assign()  # the record goes on once data/record is back
        restoration.finish()
    return Restored(manifest, flushed, halted)


@contextmanager
def _stopped() -> Iterator[None]:
    """Keep `up` and beat from starting. Raises Conflict if one of them runs."""
    taken: list[FileLock] = []
    try:
        for lock in (locks.of_up(), locks.of_beat()):
            lock.acquire()
            taken.append(lock)
        yield
    except LockedByAnother as error:
        raise Conflict(
            f"Argo runs on {settings.DATA_DIR}, as {error.holder}. Stop it first, or set "
            "ARGO_DATA_DIR to a new folder."
        ) from error
    except PermissionError as error:
        raise NotRestored(
            f"{error.filename} cannot be written. Correct its permissions, or set ARGO_DATA_DIR to "
            "another folder."
        ) from error
    finally:
        for lock in taken:
            lock.release()


def _migrations() -> set[str]:
    """Return every migration that this Argo has, as `app.name`."""
    loader = MigrationLoader(None)
    return {f"{app}.{name}" for app, name in loader.disk_migrations}
