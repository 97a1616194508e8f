"""A forked child never touches its parent's connections, and opens its own."""

import gc
import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from tests.argo.sqlite.helpers import PATIENCE, in_threads, value

pytestmark = pytest.mark.django_db(transaction=True)
fork = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    value(connection, "CREATE TABLE forked (who TEXT NOT NULL)")
    yield
    value(connection, "DROP TABLE forked")


def in_children(count: int, act: Callable[[], object]) -> list[int | None]:
    """Run `act` in forked children, and return their exit codes."""
    children = [fork.Process(target=act) for _ in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join(PATIENCE)
    return [child.exitcode for child in children]


def insert(who: str) -> None:
    with transaction.atomic():
        value(connection, f"INSERT INTO forked VALUES ('{who}')")


def test_parent_and_children_continue_to_write() -> None:
    insert("parent")
    inherited = connection.connection

    def child() -> None:
        assert connection.connection is None
        for _ in range(10):
            insert("child")
        assert connection.connection is not inherited

    assert in_children(4, child) == [0] * 4
    assert connection.connection is inherited
    insert("parent")
    assert value(connection, "SELECT count(*) FROM forked") == 42
    assert value(connection, "PRAGMA integrity_check") == "ok"


def test_a_child_uses_no_idle_connection_of_its_parents_pool() -> None:
    together = threading.Barrier(3)

    def use() -> object:
        connection.ensure_connection()
        together.wait(PATIENCE)
        raw = connection.connection
        connection.close()
        return raw

    idle = in_threads(use, use, use)
    assert len(set(idle)) == 3

    def child() -> None:
        assert not set(idle) & set(in_threads(use, use, use))

    assert in_children(2, child) == [0, 0]
    assert set(idle) & set(in_threads(use, use, use))


def test_a_transaction_of_another_thread_is_left_alone_even_by_the_garbage_collector() -> None:
    """In the child the thread is gone, so its connection looks like a returned one."""
    begun, forked = threading.Event(), threading.Event()
    open_in_thread: list[sqlite3.Connection] = []

    def write() -> None:
        with transaction.atomic():
            for number in range(1000):
                value(connection, f"INSERT INTO forked VALUES ('{number}')")
            open_in_thread.append(connection.connection)
            begun.set()
            assert forked.wait(PATIENCE)
        connection.close()

    def child() -> None:
        gc.collect()
        assert open_in_thread[0].in_transaction
        assert value(connection, "SELECT count(*) FROM forked") == 0
        connection.close()

    def fork_meanwhile() -> list[int | None]:
        assert begun.wait(PATIENCE)
        try:
            return in_children(2, child)
        finally:
            forked.set()

    assert [answer for answer in in_threads(write, fork_meanwhile) if answer] == [[0, 0]]
    assert value(connection, "SELECT count(*) FROM forked") == 1000
    assert value(connection, "PRAGMA integrity_check") == "ok"


def test_a_child_of_a_child_works_too() -> None:
    def child() -> None:
        insert("child")
        assert in_children(2, lambda: insert("grandchild")) == [0, 0]
        insert("child")

    insert("parent")
    assert in_children(2, child) == [0, 0]
    assert value(connection, "SELECT count(*) FROM forked") == 9


def test_a_child_that_dies_inside_a_transaction_leaves_nothing() -> None:
    def child() -> None:
        with transaction.atomic():
            value(connection, "INSERT INTO forked VALUES ('child')")
            os.kill(os.getpid(), 9)

    assert in_children(3, child) == [-9] * 3
    assert value(connection, "SELECT count(*) FROM forked") == 0
    insert("parent")
    assert value(connection, "PRAGMA integrity_check") == "ok"
