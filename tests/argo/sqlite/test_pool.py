"""A pool of at most five connections: reused, waited for, returned clean, safe across forks."""

import gc
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import OperationalError

from argo.sqlite.base import DatabaseWrapper
from tests.argo.sqlite.databases import in_thread, wrapper_for

pytestmark = pytest.mark.django_db(transaction=True)


def _opened(folder: Path, count: int, **options: float) -> list[DatabaseWrapper]:
    wrappers = [wrapper_for(folder, **options) for _ in range(count)]
    for wrapper in wrappers:
        wrapper.ensure_connection()
    return wrappers


def test_a_connection_is_used_again(tmp_path: Path) -> None:
    wrapper = wrapper_for(tmp_path)
    wrapper.ensure_connection()
    first = wrapper.connection
    wrapper.close()
    other = wrapper_for(tmp_path)
    other.ensure_connection()
    assert other.connection is first
    other.close()


def test_the_sixth_thread_waits_until_a_connection_is_returned(tmp_path: Path) -> None:
    wrappers = _opened(tmp_path, 5)
    connections = {id(wrapper.connection) for wrapper in wrappers}
    assert len(connections) == 5
    got: list[int] = []
    sixth = threading.Thread(target=lambda: got.append(id(_connected(tmp_path).connection)))
    sixth.start()
    sixth.join(0.3)
    assert sixth.is_alive()
    wrappers[2].close()
    sixth.join(30)
    assert got[0] in connections
    for wrapper in wrappers:
        wrapper.close()


def _connected(folder: Path) -> DatabaseWrapper:
    (wrapper,) = _opened(folder, 1)
    return wrapper


def test_the_error_of_an_exhausted_pool_says_what_to_do(tmp_path: Path) -> None:
    wrappers = _opened(tmp_path, 2, pool_size=2, pool_timeout=0.1)
    with pytest.raises(OperationalError, match=r"All 2 SQLite connections.*SIGNAL_POOL_TIMEOUT"):
        _opened(tmp_path, 1)
    for wrapper in wrappers:
        wrapper.close()
    _connected(tmp_path).close()


def test_an_open_transaction_is_rolled_back_before_the_next_use(tmp_path: Path) -> None:
    """Fault 3: the connection was returned to the pool inside a transaction."""
    wrapper = _connected(tmp_path)
    wrapper.cursor().execute("CREATE TABLE t (n)")
    wrapper.cursor().execute("BEGIN IMMEDIATE")
    wrapper.cursor().execute("INSERT INTO t VALUES (1)")
    raw = wrapper.connection
    wrapper.close()
    assert isinstance(raw, sqlite3.Connection)
    assert not raw.in_transaction
    assert wrapper.cursor().execute("SELECT count(*) FROM t").fetchone() == (0,)
    wrapper.close()


def test_a_thread_that_ends_without_closing_gives_its_connection_back(tmp_path: Path) -> None:
    for _ in range(7):
        in_thread(lambda: _connected(tmp_path).connection is not None)
        gc.collect()
    _connected(tmp_path).close()


def test_a_forked_child_has_connections_of_its_own(tmp_path: Path) -> None:
    parent = _connected(tmp_path)
    parent.cursor().execute("CREATE TABLE t (who TEXT)")
    idle = _connected(tmp_path)
    idle.close()
    child = os.fork()
    if child == 0:
        _exit_with(lambda: _insert_all(tmp_path, "child"))
    _insert_all(tmp_path, "parent")
    assert os.waitpid(child, 0)[1] == 0
    counts = parent.cursor().execute("SELECT who, count(*) FROM t GROUP BY who").fetchall()
    assert counts == [("child", 50), ("parent", 50)]
    assert parent.cursor().execute("PRAGMA integrity_check").fetchone() == ("ok",)
    parent.close()


def _insert_all(folder: Path, who: str) -> None:
    wrapper = _connected(folder)
    for _ in range(50):
        wrapper.cursor().execute("INSERT INTO t VALUES (%s)", [who])
    wrapper.close()


def _exit_with(work: object) -> None:
    """End a forked child at once, without running the parent's test code."""
    code = 1
    with suppress(BaseException):
        work()  # type: ignore[operator]
        code = 0
    os._exit(code)


def test_a_child_forgets_its_parents_connections(tmp_path: Path) -> None:
    parent = _connected(tmp_path)
    before = parent.connection
    child = os.fork()
    if child == 0:
        _exit_with(lambda: _differs(tmp_path, before))
    assert os.waitpid(child, 0)[1] == 0
    parent.close()


def _differs(folder: Path, inherited: object) -> None:
    fresh = _connected(folder)
    assert fresh.connection is not inherited
    assert not any(fresh.connection is item for item in DatabaseWrapper._abandoned)
