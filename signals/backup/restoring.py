"""Puts a checked backup into an empty installation, and goes on if that was interrupted.

From the first change to the last, a mark in the data folder keeps Argo from starting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

import orjson

from argo.errors import FieldError, InvalidInput
from signals.backup.errors import NotRestored
from signals.backup.files import (
    Progress,
    draft_of,
    hashed,
    put_in_place,
    read_file,
    store,
    write_synced,
)
from signals.backup.making import Installation
from signals.backup.manifest import Manifest
from signals.files import sync_folder

MARK = "restore.unfinished"


def mark_of(data_folder: Path) -> Path:
    """Return the file that is in a data folder while a restore into it is not finished."""
    return data_folder / MARK


@dataclass(frozen=True)
class Restoration:
    """The restore of one backup, in `folder`, into one installation.

    Call `put_back`, then make the database usable, then `finish`. Each may be called again after a
    crash: what is in place already is left alone.
    """

    folder: Path
    manifest: Manifest
    target: Installation

    def put_back(self, progress: Progress = lambda count: None) -> None:
        """Restore every file and the database.

        Raises InvalidInput if there is other data here, and NotRestored if it cannot be written.
        """
        with self._explained():
            if self._is_put_back():
                return
            self._check_kind()
            self._check_empty()
            self._check_space()
            self._mark(is_put_back=False)
            for name in self._file_names():
                self._put_back(name, progress)
            if not self._holds_database():
                path = self.folder / self.target.database.file_name
                self.target.database.restore(path, progress)
            self._mark(is_put_back=True)

    def finish(self) -> None:
        """Let Argo start again. Raises NotRestored."""
        with self._explained():
            self._marked.unlink()
            sync_folder(self._marked.parent)

    @property
    def _data_folder(self) -> Path:
        return self.target.journal.path.parent

    @property
    def _marked(self) -> Path:
        return mark_of(self._data_folder)

    def _file_names(self) -> list[str]:
        """Return the files beside the database."""
        return [name for name in self.manifest.files if name != self.target.database.file_name]

    def _mark(self, *, is_put_back: bool) -> None:
        content = {"backup": self.manifest.checksum, "is_put_back": is_put_back}
        write_synced(self._marked, orjson.dumps(content))

    def _is_put_back(self) -> bool:
        """Return whether an interrupted restore of this backup had put everything back."""
        if not self._marked.exists():
            return False
        mark = orjson.loads(self._marked.read_bytes())
        if mark["backup"] != self.manifest.checksum:
            message = (
                f"a restore of another backup into {self._data_folder} was interrupted. Restore "
                "that one again, or set ARGO_DATA_DIR to a new folder"
            )
            raise InvalidInput([FieldError("DIR", message)])
        files = [self._data_folder / name for name in self._file_names()]
        is_there = self.target.database.occupied() and all(path.exists() for path in files)
        return bool(mark["is_put_back"] and is_there)

    def _check_kind(self) -> None:
        if self.manifest.database != self.target.database.kind:
            message = (
                f"the backup is of {self.manifest.database}, and DATABASE_URL names "
                f"{self.target.database.kind}. Correct DATABASE_URL; rebuild_signals moves the "
                "signals from one to the other later"
            )
            raise InvalidInput([FieldError("DIR", message)])

    def _check_empty(self) -> None:
        """Check that nothing here would be lost; what this restore put here may stay."""
        journals = self.target.journals
        there = [path for journal in journals for _, path in journal.segments.all()]
        foreign = [str(path) for path in there if not self._is_ours(path)]
        if not self._holds_database():
            foreign += self.target.database.occupied()
        if foreign:
            message = (
                f"there is data already: {', '.join(foreign)}. Move it away, or set ARGO_DATA_DIR "
                "to a new folder and DATABASE_URL to an empty database"
            )
            raise InvalidInput([FieldError("ARGO_DATA_DIR", message)])

    def _is_ours(self, path: Path) -> bool:
        wanted = self.manifest.files.get(path.name)
        return self._marked.exists() and wanted is not None and hashed(path) == wanted

    def _holds_database(self) -> bool:
        return self._marked.exists() and self.target.database.holds(self.manifest)

    def _check_space(self) -> None:
        free = disk_usage(self._data_folder).free
        if free < self.manifest.bytes:
            raise NotRestored(
                f"The backup has {self.manifest.bytes / 1e6:.0f} MB, and only {free / 1e6:.0f} MB "
                f"are free in {self._data_folder}. Free disk space, or set ARGO_DATA_DIR to a "
                "folder on another disk."
            )

    def _put_back(self, name: str, progress: Progress) -> None:
        path = self._data_folder / name
        if (
            store(read_file(self.folder / name), draft_of(path), progress)
            != (self.manifest.files[name])
        ):
            raise NotRestored(f"{self.folder / name} has changed since it was checked.")
        put_in_place(path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotRestored(
                f"The restore into {self._data_folder} was interrupted: {error.strerror or error}"
                f"{f' ({error.filename})' if error.filename else ''}. Free disk space or correct "
                "the permissions, then run it again."
            ) from error
