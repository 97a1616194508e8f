"""Snapshots of SQLite, by its online backup."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from signals.backup.database import State, read_state
from signals.backup.errors import BackupFailed
from signals.backup.files import (
    Progress,
    StoredFile,
    create,
    draft_of,
    hashed,
    put_in_place,
    read_file,
    store,
)
from signals.backup.manifest import Kind, Manifest
from signals.files import make_folder

PAGES_PER_STEP = 2048
"""8 MiB: often enough for a progress bar."""
COMPANIONS = ("-wal", "-shm", "-journal")
"""The ends of the names of files that belong to a database."""
BUSY_TIMEOUT = 30.0
"""Seconds."""


@dataclass(frozen=True)
class SqliteDatabase:
    """The file of a Django database; Argo may read and write it meanwhile."""

    using: str = "default"
    kind: Kind = "sqlite"
    file_name: str = "signals.db"

    @property
    def path(self) -> Path:
        return Path(str(connections[self.using].settings_dict["NAME"]))

    def size(self) -> int:
        """Return the size of the file; 0 if there is none."""
        return self.path.stat().st_size if self.path.exists() else 0

    def snapshot(self, path: Path, journal: str, progress: Progress) -> tuple[StoredFile, State]:
        """Copy the database as it is now, while others write. Raises BackupFailed and OSError."""
        with self._explained():
            create(path).close()
            self._copy(path, progress)
            state = _state(path, journal)
        _sync(path)
        return hashed(path), state

    def occupied(self) -> list[str]:
        """Return the files of a database that is already here."""
        files = [self.path, *(self._companion(end) for end in COMPANIONS)]
        return [str(file) for file in files if file.exists()]

    def holds(self, manifest: Manifest) -> bool:
        """Return whether the file is the snapshot, byte for byte."""
        wanted = manifest.files[self.file_name]
        return self.size() == wanted.bytes and hashed(self.path) == wanted

    def restore(self, path: Path, progress: Progress) -> None:
        """Copy the snapshot to its place. Raises OSError."""
        make_folder(self.path.parent)
        store(read_file(path), draft_of(self.path), progress)
        put_in_place(self.path)

    def _companion(self, end: str) -> Path:
        return self.path.with_name(self.path.name + end)

    def _copy(self, path: Path, progress: Progress) -> None:
        """Copy every page of one moment.

        The open transaction holds the snapshot. Without it, each write of another process would
        make the online backup begin again. Writers do not wait; the WAL grows by what they write.
        """
        address = f"{self.path.resolve().as_uri()}?mode=rw"  # a missing file is not created
        source = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
        with closing(source), closing(sqlite3.connect(path)) as copy:
            copy.execute("PRAGMA journal_mode=OFF")  # an unfinished copy is thrown away
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
            left: int | None = None

            def report(_: int, remaining: int, total: int) -> None:
                nonlocal left
                progress(((total if left is None else left) - remaining) * page_bytes)
                left = remaining

            source.backup(copy, pages=PAGES_PER_STEP, progress=report)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise BackupFailed(
                f"{self.path} cannot be copied ({error}). Free disk space if the disk is full; "
                "run manage.py migrate if tables are missing."
            ) from error


def _state(path: Path, journal: str) -> State:
    """Read the snapshot's state; `immutable` leaves no other file beside it."""
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as copy:
        return read_state(lambda sql: copy.execute(sql).fetchall(), journal)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
