"""Connections that only read, beside the pool."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from argo.sqlite.base import DatabaseWrapper
from signals.models import JournalCursor

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = "SELECT count(*) FROM journal_cursors"


def read(statement: str = COUNT, *parameters: object) -> list[tuple[Any, ...]]:
    default: Any = connections["default"]
    found: list[tuple[Any, ...]] = default.read(statement, parameters)
    return found


def idle() -> int:
    readers = DatabaseWrapper._readers.get(str(connection.settings_dict["NAME"]))
    return len(readers.everything()) if readers else 0


def test_each_look_sees_what_was_committed_before() -> None:
    assert read() == [(0,)]
    JournalCursor.objects.create(journal="one")
    assert read() == [(1,)]
    assert read("SELECT journal FROM journal_cursors WHERE journal = ?", "one") == [("one",)]


def test_many_threads_read_and_few_connections_are_kept() -> None:
    gate = threading.Barrier(8)

    def one(_: int) -> list[tuple[Any, ...]]:
        gate.wait()
        return [row for _ in range(20) for row in read()]

    with ThreadPoolExecutor(8) as pool:
        assert all(rows == [(0,)] * 20 for rows in pool.map(one, range(8)))
    assert 1 <= idle() <= 4


def test_a_fault_is_djangos_and_its_connection_is_not_used_again() -> None:
    read()
    before = idle()
    with pytest.raises(DatabaseError, match="no such table"):
        read("SELECT * FROM no_such")
    assert idle() == before - 1
    assert read() == [(0,)]


def test_a_forked_child_has_connections_of_its_own() -> None:
    read()
    if (pid := os.fork()) == 0:
        os._exit(0 if idle() == 0 and read() == [(0,)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert read() == [(0,)]


def test_they_are_closed_with_the_pool() -> None:
    read()
    default: Any = connections["default"]
    default.dispose_pool()
    assert idle() == 0
