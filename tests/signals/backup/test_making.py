"""A backup is complete, consistent and secret, or it is none."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argo.errors import InvalidInput
from signals.backup import BackupFailed, Installation, back_up, check_backup
from signals.backup.database import Database
from signals.journal import Journal
from signals.locks import FileLock, LockedByAnother
from signals.models import Signal
from signals.tracker import SignalTracker
from tests.samples import signals
from tests.signals.backup.conftest import ON_BOTH, ORIGIN, VERSION
from tests.signals.journal.helpers import lines_of


@ON_BOTH
def test_it_has_the_database_the_journal_and_the_keys(source: Installation, backup: Path) -> None:
    manifest = check_backup(backup)
    assert set(manifest.files) == {
        source.database.file_name, "signals-000001.log", "signals.log", "signals.id", "secret.key",
    }  # fmt: skip
    assert manifest.argo == VERSION
    assert manifest.journal == source.journal.identity
    assert "signals.0001_initial" in manifest.migrations
    assert {path.name for path in backup.iterdir()} == {*manifest.files, "manifest.json"}
    for name in set(manifest.files) - {source.database.file_name}:
        assert (backup / name).read_bytes() == (source.journal.path.parent / name).read_bytes()


def test_only_its_owner_can_read_it(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()} == {0o600}


def test_it_keeps_its_name_in_a_power_cut_if_a_killed_backup_made_its_folder(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups" / "one"
    folder.mkdir(parents=True)
    synced, real = set[str](), os.fsync

    def sync(descriptor: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    back_up(folder, source, VERSION)
    assert {str(folder), str(folder.parent)} <= synced


@dataclass(frozen=True)
class Busy:
    """A database during whose snapshot something else happens."""

    database: Database
    act: Callable[[], object]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the database has
        return getattr(self.database, name)

    def snapshot(self, *arguments: Any) -> Any:  # noqa: ANN401
        self.act()
        taken = self.database.snapshot(*arguments)
        self.act()
        return taken


def test_the_journal_has_every_line_that_the_snapshot_has_read(
    source: Installation, tracker: SignalTracker, tmp_path: Path
) -> None:
    """Signals that come before and after the snapshot are in the journal; and the cursor fits."""

    def log() -> None:
        tracker.log_signal(signals(1)[0])

    busy = Installation(Busy(source.database, log), source.journal)
    manifest = back_up(tmp_path / "backup", busy, VERSION)
    copy = Journal(tmp_path / "backup" / "signals.log")
    copy.check(manifest.cursor)
    assert copy.pending_bytes(manifest.cursor) > 0
    assert len(lines_of(copy)) == 6
    assert sum(len(chunk.lines) for chunk in copy.chunks(manifest.cursor)) == 1


def test_a_segment_that_is_sealed_while_it_is_copied_is_copied_once(
    source: Installation, tracker: SignalTracker, tmp_path: Path
) -> None:
    journal = source.journal

    def seal_and_log() -> None:
        journal.path.rename(journal.segments.sealed_path(journal.segments.active_number()))
        tracker.log_signal(signals(1)[0])

    busy = Installation(Busy(source.database, seal_and_log), journal)
    back_up(tmp_path / "backup", busy, VERSION)
    assert lines_of(Journal(tmp_path / "backup" / "signals.log")) == lines_of(journal)


def test_a_torn_line_is_left_out(source: Installation, tmp_path: Path) -> None:
    with source.journal.path.open("ab") as file:
        file.write(b'{"torn": ')
    back_up(tmp_path / "backup", source, VERSION)
    assert (tmp_path / "backup" / "signals.log").read_bytes().endswith(b"}\n")


def test_a_journal_that_lacks_what_the_database_has_read_is_refused(
    source: Installation, tmp_path: Path
) -> None:
    source.journal.path.unlink()
    with pytest.raises(BackupFailed, match=r"The journal lacks .*flush_signals"):
        back_up(tmp_path / "backup", source, VERSION)
    assert not (tmp_path / "backup").exists()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(
    source: Installation, backup: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in backup.iterdir()}
    with pytest.raises(InvalidInput, match="is not empty"):
        back_up(backup, source, VERSION)
    assert {path.name: path.read_bytes() for path in backup.iterdir()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    with pytest.raises(InvalidInput, match="is not empty"):
        back_up(tmp_path / "mine", source, VERSION)


def test_two_backups_into_one_folder_do_not_mix(source: Installation, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "backup.unfinished")
    (tmp_path / "backup").mkdir()
    lock = FileLock(tmp_path / "backup" / "backup.unfinished")
    lock.acquire()
    with pytest.raises(LockedByAnother, match=str(os.getpid())):
        back_up(tmp_path / "backup", source, VERSION)
    lock.release()
    back_up(tmp_path / "backup", source, VERSION)
    check_backup(tmp_path / "backup")


def test_a_failure_leaves_nothing_behind(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backup").mkdir()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BackupFailed, match=r"No space left on device.*Free disk space"):
            back_up(tmp_path / "backup", source, VERSION)
    assert list((tmp_path / "backup").iterdir()) == []


def test_too_little_space_is_noticed_before_anything_is_written(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Installation, "size", lambda _: 2**60)
    with pytest.raises(BackupFailed, match=r"are free in"):
        back_up(tmp_path / "backup", source, VERSION)
    assert not (tmp_path / "backup").exists()


def test_the_snapshot_has_read_the_whole_journal(source: Installation, backup: Path) -> None:
    assert Signal.objects.using(ORIGIN).count() == 4
    manifest = check_backup(backup)
    copy = Journal(backup / "signals.log")
    assert copy.pending_bytes(manifest.cursor) == 0
