"""A question to the database is answered in time, or given up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections

from signals.ledger.in_time import Asking, NoAnswer

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def others_hold(count: int) -> Iterator[None]:
    """Let so many other threads hold a connection of the pool."""
    done, holding = threading.Event(), threading.Barrier(count + 1)

    def hold() -> None:
        connection.ensure_connection()
        holding.wait()
        done.wait()
        connections.close_all()

    threads = [threading.Thread(target=hold) for _ in range(count)]
    for thread in threads:
        thread.start()
    holding.wait()
    yield
    done.set()
    for thread in threads:
        thread.join()


def connect() -> None:
    """Open a connection of the thread that calls this."""
    connection.ensure_connection()


def test_if_all_connections_are_in_use_it_is_given_up_in_time() -> None:
    connections.close_all()
    with others_hold(5), pytest.raises(NoAnswer):
        Asking(1).within(0.05, "default", connect)
