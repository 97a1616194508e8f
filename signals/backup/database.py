"""The interface of a database that is backed up."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from signals.backup.files import Progress, StoredFile
from signals.backup.manifest import Kind, Manifest
from signals.journal import START, JournalPosition

MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"
CURSORS = "SELECT journal, segment, byte, fingerprint FROM journal_cursors"
Query = Callable[[str], Sequence[Sequence[Any]]]


class State(NamedTuple):
    """The applied migrations (`app.name`), and how far the database has read the journal."""

    migrations: list[str]
    cursor: JournalPosition


class Database(Protocol):
    """A database. `kind` is its name in a manifest, `file_name` the snapshot's in a backup."""

    @property
    def kind(self) -> Kind: ...

    @property
    def file_name(self) -> str: ...

    def size(self) -> int:
        """Return about how many bytes a snapshot takes; 0 if that is not known."""

    def snapshot(self, path: Path, journal: str, progress: Progress) -> tuple[StoredFile, State]:
        """Write a consistent snapshot to `path`; return its size and hash, and its state.

        `journal` is the journal's identity. Raises BackupFailed and OSError.
        """

    def occupied(self) -> list[str]:
        """Return what has to be moved away before a restore."""

    def holds(self, manifest: Manifest) -> bool:
        """Return whether exactly this snapshot is restored here, and nothing has changed since."""

    def restore(self, path: Path, progress: Progress) -> None:
        """Restore the snapshot in `path`, as a whole or not at all.

        Raises NotRestored and OSError.
        """


def read_state(query: Query, journal: str) -> State:
    """Return the state of the database that `query` reads; `journal` is the journal's identity."""
    migrations = [f"{app}.{name}" for app, name in query(MIGRATIONS)]
    cursors = {identity: JournalPosition(*position) for identity, *position in query(CURSORS)}
    return State(migrations, cursors.get(journal, START))
