"""No connection stays with a thread that no longer uses it, and none is shared."""

import multiprocessing
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.utils import ConnectionHandler

from tests.argo.sqlite.databases import wrapper_for
from tests.argo.sqlite.helpers import PATIENCE, in_threads, value

pytestmark = pytest.mark.django_db(transaction=True)
fork = multiprocessing.get_context("fork")


def handler_for(folder: Path, **options: float) -> ConnectionHandler:
    """Return a handler like `django.db.connections`: it keeps each thread's wrapper until the
    thread ends."""
    return ConnectionHandler({"default": wrapper_for(folder, **options).settings_dict})


def test_threads_that_end_without_closing_give_their_connections_back(tmp_path: Path) -> None:
    """So does the thread that opened the pool, and no test code calls the garbage collector."""
    handler = handler_for(tmp_path, pool_timeout=2.0)

    def use_and_end() -> Any:  # noqa: ANN401
        return value(handler["default"], "SELECT 1")

    for _ in range(3):
        assert in_threads(*[use_and_end] * 5) == [1] * 5
    handler["default"].close()


def test_many_threads_share_five_connections_one_at_a_time(tmp_path: Path) -> None:
    used: set[object] = set()
    seen: set[object] = set()

    def work() -> None:
        for _ in range(20):
            wrapper = wrapper_for(tmp_path)
            wrapper.ensure_connection()
            raw = wrapper.connection
            assert raw not in used
            used.add(raw)
            seen.add(raw)
            value(wrapper, "SELECT 1")
            used.remove(raw)
            wrapper.close()

    assert in_threads(*[work] * 20) == [None] * 20
    assert len(seen) <= 5


def test_a_lease_that_is_closed_twice_is_returned_once(tmp_path: Path) -> None:
    wrapper = wrapper_for(tmp_path, pool_size=2)
    wrapper.ensure_connection()
    wrapper.close()
    wrapper.close()
    others = [wrapper_for(tmp_path), wrapper_for(tmp_path)]
    for other in others:
        other.ensure_connection()
    assert others[0].connection is not others[1].connection
    for other in others:
        other.close()


def test_a_failed_statement_leaves_no_transaction_behind(tmp_path: Path) -> None:
    """Fault 3: after a NOT NULL failure the connection went back inside its transaction."""
    wrapper = wrapper_for(tmp_path, pool_size=1)
    value(wrapper, "CREATE TABLE t (value INTEGER NOT NULL)")
    value(wrapper, "BEGIN IMMEDIATE")
    value(wrapper, "INSERT INTO t VALUES (1)")
    with pytest.raises(DatabaseError, match="NOT NULL"):
        value(wrapper, "INSERT INTO t VALUES (NULL)")
    used = wrapper.connection
    wrapper.close()

    def look() -> tuple[bool, bool, int]:
        other = wrapper_for(tmp_path)
        other.ensure_connection()
        raw = other.connection
        assert isinstance(raw, sqlite3.Connection)
        found = raw is used, raw.in_transaction, value(other, "SELECT count(*) FROM t")
        other.close()
        return found

    assert in_threads(look) == [(True, False, 0)]


def test_a_connection_that_was_closed_inside_a_transaction_is_not_used_any_more() -> None:
    """Another thread may have it by then."""

    def close_and_go_on() -> None:
        with transaction.atomic():
            connection.close()
            assert connection.connection is None
            value(connection, "SELECT 1")

    with pytest.raises(DatabaseError):
        close_and_go_on()
    assert value(connection, "SELECT 1") == 1


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """SQLite does not wait for the lock when it switches a file to WAL."""
    for attempt in range(6):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        together, answers = fork.Barrier(8), fork.SimpleQueue()
        act = partial(open_new, folder, together, answers)
        children = [fork.Process(target=act) for _ in range(8)]
        for child in children:
            child.start()
        assert [answers.get() for _ in children] == ["wal"] * 8
        for child in children:
            child.join(PATIENCE)


def open_new(folder: Path, together: Any, answers: Any) -> None:  # noqa: ANN401
    together.wait(PATIENCE)
    try:
        answers.put(value(wrapper_for(folder), "PRAGMA journal_mode"))
    except Exception as error:  # noqa: BLE001  # sent to the parent
        answers.put(repr(error))


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    writer = wrapper_for(tmp_path)
    value(writer, "CREATE TABLE t (value INTEGER)")
    value(writer, "BEGIN IMMEDIATE")
    value(writer, "INSERT INTO t VALUES (1)")

    def read() -> Any:  # noqa: ANN401
        reader = wrapper_for(tmp_path)
        try:
            return value(reader, "SELECT count(*) FROM t")
        finally:
            reader.close()

    assert in_threads(read) == [0]
    value(writer, "COMMIT")
    assert in_threads(read) == [1]
    writer.close()
