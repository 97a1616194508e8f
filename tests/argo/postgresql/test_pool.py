"""The pool of PostgreSQL connections of a process."""

import gc
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from argo.postgresql import base, liveness
from tests.argo.sqlite.helpers import PATIENCE, in_threads, value
from tests.databases import both_databases

pytestmark = [
    pytest.mark.services("postgresql"),
    both_databases,
]
fork = multiprocessing.get_context("fork")


def pooled(size: int, timeout: float = PATIENCE) -> ConnectionHandler:
    """Return connections to the tests' database as Argo makes them."""
    plain = connections["postgresql"].settings_dict
    own = {"pool_size": size, "pool_timeout": timeout}
    return ConnectionHandler(
        {"default": {**plain, "ENGINE": "argo.postgresql", "CONN_MAX_AGE": 0, "OPTIONS": own}}
    )


@pytest.fixture
def handler() -> Iterator[ConnectionHandler]:
    handler = pooled(2)
    yield handler
    handler["default"].close()
    handler["default"].dispose_pool()  # type: ignore[attr-defined]


@pytest.fixture
def database(handler: ConnectionHandler) -> BaseDatabaseWrapper:
    return handler["default"]


def process_of(database: BaseDatabaseWrapper) -> int:
    return int(value(database, "SELECT pg_backend_pid()"))


def end(process: int) -> None:
    """End a session of the server, and wait until it is gone."""
    plain = connections["postgresql"]
    value(plain, f"SELECT pg_terminate_backend({process})")
    until = time.monotonic() + PATIENCE
    while value(plain, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {process}"):
        assert time.monotonic() < until


def test_a_connection_that_is_closed_is_used_again(database: BaseDatabaseWrapper) -> None:
    first = process_of(database)
    database.close()
    assert process_of(database) == first


@contextmanager
def many_files() -> Iterator[None]:
    """Let the next file that this process opens have a number above 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    with ExitStack() as stack:
        while stack.enter_context(open(os.devnull)).fileno() < 1024:
            pass
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_with_a_thousand_files_uses_its_connections_again(
    database: BaseDatabaseWrapper,
) -> None:
    with many_files():
        first = process_of(database)
        database.close()
        assert process_of(database) == first


def test_without_a_pool_a_closed_connection_ends(handler: ConnectionHandler) -> None:
    plain = pooled(0)["default"]
    first = process_of(plain)
    plain.close()
    assert process_of(plain) != first
    plain.close()


def test_threads_have_at_most_the_size_of_the_pool(handler: ConnectionHandler) -> None:
    def use() -> int:
        found = process_of(handler["default"])
        time.sleep(0.01)
        handler["default"].close()
        return found

    found = in_threads(*[use] * 12)
    assert len(found) == 12
    assert len(set(found)) <= 2, found


def test_an_exhausted_pool_says_what_to_do_after_its_time() -> None:
    handler = pooled(1, timeout=0.2)
    handler["default"].ensure_connection()
    began = time.monotonic()
    (error,) = in_threads(lambda: process_of(handler["default"]))
    assert isinstance(error, OperationalError)
    assert "DATABASE_POOL_SIZE" in str(error)
    assert 0.2 <= time.monotonic() - began < PATIENCE / 2
    handler["default"].close()
    handler["default"].dispose_pool()  # type: ignore[attr-defined]


def test_a_thread_that_ends_without_closing_leaves_its_connection_to_others() -> None:
    handler = pooled(1, timeout=10)
    assert isinstance(in_threads(lambda: process_of(handler["default"]))[0], int)
    assert isinstance(in_threads(lambda: process_of(handler["default"]))[0], int)
    gc.collect()  # it returns only now, and the pool is to close it
    handler["default"].dispose_pool()  # type: ignore[attr-defined]


def test_an_open_transaction_is_rolled_back(database: BaseDatabaseWrapper) -> None:
    value(database, "DELETE FROM journal_cursors")
    database.set_autocommit(False)
    value(database, "INSERT INTO journal_cursors (journal, segment, byte, fingerprint) "
                    "VALUES ('lost', 1, 0, '')")  # fmt: skip
    first = process_of(database)
    database.close()
    assert process_of(database) == first
    assert value(database, "SELECT count(*) FROM journal_cursors WHERE journal = 'lost'") == 0


def test_a_connection_that_the_server_has_ended_is_replaced(database: BaseDatabaseWrapper) -> None:
    """After a restart of the server nobody gets an error for each connection that was idle."""
    first = process_of(database)
    database.close()
    end(first)
    assert process_of(database) != first


def test_every_idle_connection_is_replaced_after_a_restart(handler: ConnectionHandler) -> None:
    together = threading.Barrier(2)

    def use() -> int:
        found = process_of(handler["default"])
        together.wait(PATIENCE)
        handler["default"].close()
        return found

    before = in_threads(use, use)
    for process in before:
        end(process)
    after = in_threads(use, use)
    assert len(set(before) | set(after)) == 4, (before, after)


def test_a_connection_that_rested_long_is_asked(
    database: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network may drop it without a word."""
    process_of(database)
    raw = database.connection
    database.close()
    monkeypatch.setattr(liveness, "CHECK_AFTER", 0.0)
    asked: list[str] = []
    real = type(raw).execute

    def note(self: object, sql: str) -> object:
        asked.append(sql)
        return real(self, sql)

    monkeypatch.setattr(type(raw), "execute", note)
    database.ensure_connection()
    assert asked == ["SELECT 1"]


def test_one_that_ended_in_use_raises_once_and_is_replaced(database: BaseDatabaseWrapper) -> None:
    first = process_of(database)
    end(first)
    with pytest.raises(OperationalError):
        process_of(database)
    database.close()
    assert process_of(database) != first


def in_child(act: Callable[[], object]) -> int | None:
    child = fork.Process(target=act)
    child.start()
    child.join(PATIENCE)
    return child.exitcode


def test_a_forked_child_has_connections_of_its_own(
    handler: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes on one session would read each other's answers."""
    monkeypatch.setattr(base, "connections", handler)
    database = handler["default"]
    parents = process_of(database)

    def child() -> None:
        assert database.connection is None
        assert process_of(database) != parents
        database.close()

    assert in_child(child) == 0
    assert process_of(database) == parents
