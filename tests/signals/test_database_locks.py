"""A lock that belongs to the database, not to the machine."""

from pathlib import Path

import pytest
from django.db import OperationalError, connections
from pytest_django import Settings

from signals.database_locks import AdvisoryLock, DatabaseLock, Kind, database_lock
from signals.locks import LockedByAnother, LockLost
from tests.databases import both_databases

pytestmark = both_databases


@pytest.fixture
def lock(using: str) -> DatabaseLock:
    return database_lock(Kind.REPLAY, using)


def test_a_second_holder_is_refused_until_the_first_releases_it(
    lock: DatabaseLock, using: str, settings: Settings, tmp_path: Path
) -> None:
    """Another data folder makes no difference: both processes use one database."""
    lock.acquire()
    settings.DATA_DIR = tmp_path / "another machine's"
    other = database_lock(Kind.REPLAY, using)
    with pytest.raises(LockedByAnother, match="process"):
        other.acquire()
    lock.verify()
    lock.release()
    other.acquire()
    other.release()


def test_locks_of_different_kinds_do_not_meet(lock: DatabaseLock, using: str) -> None:
    other = database_lock(Kind.PREPARE, using)
    lock.acquire()
    other.acquire()
    other.release()
    lock.release()


@pytest.mark.services("postgresql")
def test_a_session_that_ended_has_lost_the_lock() -> None:
    lock = AdvisoryLock(Kind.REPLAY, "postgresql")
    lock.acquire()
    with connections["postgresql"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND objid = %s AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())",
            [Kind.REPLAY],
        )
    with pytest.raises((LockLost, OperationalError)):
        lock.verify()
    lock.release()
    with pytest.raises(LockLost):  # a new session does not have it
        lock.verify()
    lock.release()
