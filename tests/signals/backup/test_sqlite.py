"""The online backup of SQLite copies one moment, however much is written meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from signals.backup import BackupFailed, Installation, back_up, sqlite
from signals.backup.sqlite import SqliteDatabase
from tests.signals.backup.conftest import VERSION


def test_writes_during_the_copy_neither_get_into_it_nor_make_it_begin_again(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PAGES_PER_STEP", 1)
    assert isinstance(source.database, SqliteDatabase)
    steps: list[int] = []
    with closing(sqlite3.connect(source.database.path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE written (number integer)")
        (pages,) = writer.execute("PRAGMA page_count").fetchone()

        def write(count: int) -> None:
            steps.append(count)
            if count and len(steps) < 3 * pages:
                writer.execute("INSERT INTO written VALUES (?)", [len(steps)])

        source.database.snapshot(tmp_path / "copy.db", source.journal.identity, write)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM written").fetchone() == (0,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert pages - 1 <= len(steps) <= pages + 1


def test_a_database_that_is_not_there_is_not_made(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone.db"
    monkeypatch.setattr(SqliteDatabase, "path", gone)
    with pytest.raises(BackupFailed, match=r"gone\.db cannot be copied"):
        back_up(tmp_path / "backup", source, VERSION)
    assert not gone.exists()


def test_a_database_without_tables_says_what_to_do(
    source: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare.db"
    with closing(sqlite3.connect(bare)) as database:
        database.execute("CREATE TABLE other (number integer)")
    monkeypatch.setattr(SqliteDatabase, "path", bare)
    with pytest.raises(BackupFailed, match=r"no such table.*migrate"):
        back_up(tmp_path / "backup", source, VERSION)
    assert not (tmp_path / "backup").exists()
