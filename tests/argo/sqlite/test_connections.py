"""Every connection opens with the right library, the pragmas and immediate transactions."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.sqlite3 import base

from argo.sqlite.base import DatabaseWrapper
from argo.sqlite.library import FIRST_FIXED
from tests.argo.sqlite.databases import in_thread, wrapper_for

pytestmark = pytest.mark.django_db(transaction=True)
EXPECTED = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "foreign_keys": 1,
    "mmap_size": 0,
    "busy_timeout": 30000,
    "cache_size": -65536,
}


def _pragmas(wrapper: DatabaseWrapper) -> dict[str, object]:
    with wrapper.cursor() as cursor:
        return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in EXPECTED}


def test_every_import_finds_the_fixed_library() -> None:
    assert sqlite3.sqlite_version_info >= FIRST_FIXED
    library = vars(base)["Database"]  # the library that Django imported
    assert library.sqlite_version_info == sqlite3.sqlite_version_info
    assert library.connect is sqlite3.connect


def test_the_configured_database_has_the_pragmas() -> None:
    assert isinstance(connection, DatabaseWrapper) or connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in EXPECTED}
    assert found == EXPECTED


def test_every_connection_has_the_pragmas_not_only_the_first(tmp_path: Path) -> None:
    """Fault 5."""
    first = wrapper_for(tmp_path)
    found = [_pragmas(first)]  # it stays open, so the next connection is another one
    for _ in range(3):
        found.append(in_thread(lambda: _pragmas(wrapper_for(tmp_path))))
    assert found == [EXPECTED] * 4
    first.close()


def test_a_writer_waits_for_another_from_the_start(tmp_path: Path) -> None:
    """A deferred transaction that reads first fails with "database is locked" when it writes."""
    setup = wrapper_for(tmp_path)
    setup.cursor().execute("CREATE TABLE counts (n INTEGER)")
    setup.cursor().execute("INSERT INTO counts VALUES (0)")
    setup.close()
    threads = [threading.Thread(target=_count_up, args=(tmp_path,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert setup.cursor().execute("SELECT n FROM counts").fetchone() == (200,)
    setup.close()


def _count_up(folder: Path) -> None:
    wrapper = wrapper_for(folder)
    for _ in range(50):
        _in_transaction(wrapper, _read_then_write)
    wrapper.close()


def _in_transaction(wrapper: DatabaseWrapper, work: Callable[[DatabaseWrapper], None]) -> None:
    wrapper.ensure_connection()
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    work(wrapper)
    wrapper.commit()
    wrapper.set_autocommit(True)


def _read_then_write(wrapper: DatabaseWrapper) -> None:
    (number,) = wrapper.cursor().execute("SELECT n FROM counts").fetchone()
    wrapper.cursor().execute("UPDATE counts SET n = %s", [number + 1])


def test_a_transaction_begins_with_the_write_lock() -> None:
    with transaction.atomic():
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_only_its_owner_can_read_a_new_database_and_its_wal(tmp_path: Path) -> None:
    wrapper = wrapper_for(tmp_path)
    before = os.umask(0)
    try:
        with wrapper.cursor() as cursor:
            cursor.execute("CREATE TABLE x (y)")
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
        wrapper.close()
    assert found == {"own.db": 0o600, "own.db-wal": 0o600, "own.db-shm": 0o600}


def test_a_database_whose_folder_is_missing_is_an_error_as_before(tmp_path: Path) -> None:
    wrapper = wrapper_for(tmp_path / "missing")
    with pytest.raises(OperationalError, match="unable to open"):
        wrapper.ensure_connection()
    assert not (tmp_path / "missing").exists()
