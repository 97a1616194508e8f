"""Makes a backup in an empty folder."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import disk_usage

from argo.errors import FieldError, InvalidInput
from signals.backup.database import Database
from signals.backup.errors import BackupFailed
from signals.backup.files import (
    Progress,
    StoredFile,
    draft_of,
    read_file,
    read_from,
    remove,
    store,
)
from signals.backup.manifest import FILE_NAME, NAMES, Manifest
from signals.clock import Clock, utc_now
from signals.files import make_folder, sync_names
from signals.journal import START, Journal, JournalPosition, JournalReplaced
from signals.locks import FileLock
from signals.timestamps import utc_text

MARK = "backup.unfinished"
"""The file in the folder while a backup is made; its lock belongs to the process that makes it."""
KEYS = (
    "secret.key", "webhooks.key", "record.key", "record-next.key", "record-past.keys",
    "signals.salt",
)  # fmt: skip
"""Without `witness.key`: see `signals.witness.keys`."""


@dataclass(frozen=True)
class Installation:
    """What is backed up: a database, a journal with the keys beside it, and files of the same form
    that belong to it, such as that of alerts."""

    database: Database
    journal: Journal
    others: tuple[Journal, ...] = ()

    @property
    def journals(self) -> tuple[Journal, ...]:
        """Return the journal and the files of the same form."""
        return (self.journal, *self.others)

    def size(self) -> int:
        """Return about how many bytes a backup takes."""
        return self.database.size() + sum(each.pending_bytes(START) for each in self.journals)

    def key_files(self) -> list[Path]:
        """Return the files that hold the identity and the keys."""
        self.journal.identity  # noqa: B018  # makes the file, if there is none yet
        keys = [self.journal.path.with_name(name) for name in KEYS]
        identities = [journal.identity_path for journal in self.journals]
        return [path for path in (*identities, *keys) if path.exists()]


def back_up(
    folder: Path,
    source: Installation,
    version: str,
    progress: Progress = lambda count: None,
    clock: Clock = utc_now,
) -> Manifest:
    """Make a backup in `folder`, which must be new or empty, while Argo runs.

    `version` is Argo's. A folder in which a backup was interrupted is used again. Raises
    InvalidInput if the folder is not empty, and BackupFailed.
    """
    with _claimed(folder):
        _check_space(folder, source.size())
        manifest = _Making(folder, source, progress).run(version, clock)
        manifest.write(folder)
    return manifest


@dataclass(frozen=True)
class _Making:
    """A backup that is being made."""

    folder: Path
    source: Installation
    progress: Progress
    files: dict[str, StoredFile] = field(default_factory=dict)

    def run(self, version: str, clock: Clock) -> Manifest:
        """Copy everything: the journal after the database, so that it has all that it needs."""
        made_at = utc_text(clock())
        database, identity = self.source.database, self.source.journal.identity
        path = self.folder / database.file_name
        self.files[database.file_name], state = database.snapshot(path, identity, self.progress)
        self._copy_journal()
        self._check_journal(state.cursor)
        self._copy_keys()
        return Manifest(
            argo=version, made_at=made_at, database=database.kind, migrations=state.migrations,
            journal=identity, cursor=state.cursor, files=self.files,
        )  # fmt: skip

    def _copy_journal(self) -> None:
        journals = self.source.journals
        for segment in (each for journal in journals for each in journal.open_segments()):
            blocks = read_from(segment.descriptor, segment.size)
            self.files[segment.name] = store(blocks, self.folder / segment.name, self.progress)

    def _check_journal(self, cursor: JournalPosition) -> None:
        """Check that the copy has every line that the snapshot has read."""
        try:
            Journal(self.folder / self.source.journal.path.name).check(cursor)
        except JournalReplaced as error:
            raise BackupFailed(
                f"The journal lacks what the database has read: {error} See manage.py check "
                "--database default; run manage.py flush_signals, and then back up again."
            ) from error

    def _copy_keys(self) -> None:
        for path in self.source.key_files():
            self.files[path.name] = store(read_file(path), self.folder / path.name, self.progress)


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder while the backup is made; if that fails, remove what it has written."""
    with _explained(folder):
        is_new = _prepared(folder)
        lock = FileLock(folder / MARK)
        lock.acquire()
        remove(_leftovers(folder))
        try:
            yield
            lock.path.unlink()
            sync_names(folder)
        except BaseException:
            remove([*_leftovers(folder), folder / FILE_NAME, lock.path])
            if is_new:
                with suppress(OSError):
                    folder.rmdir()
            raise
        finally:
            lock.release()


def _prepared(folder: Path) -> bool:
    """Make the folder, readable by its owner only; return whether it is new.

    Raises InvalidInput if anything is in it but an interrupted backup.
    """
    is_new = not folder.exists()
    make_folder(folder)
    there = {path.name for path in folder.iterdir()}
    unknown = there - {MARK, *(path.name for path in _leftovers(folder))}
    if unknown or (there and MARK not in there):
        message = f"{folder} is not empty. Name a new folder for each backup"
        raise InvalidInput([FieldError("DIR", message)])
    return is_new


def _leftovers(folder: Path) -> list[Path]:
    """Return the files of a backup that has no manifest yet."""
    known = [path for path in folder.iterdir() if NAMES.fullmatch(path.name)]
    return [*known, draft_of(folder / FILE_NAME)]


def _check_space(folder: Path, needed: int) -> None:
    free = disk_usage(folder).free
    if free < needed:
        raise BackupFailed(
            f"The backup needs about {needed / 1e6:.0f} MB, and only {free / 1e6:.0f} MB are free "
            f"in {folder}. Free disk space, or name a folder on another disk."
        )


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(
            f"The backup in {folder} failed: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. Free disk space or correct the "
            "permissions, then run it again."
        ) from error
