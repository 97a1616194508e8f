"""Sends statements to PostgreSQL without waiting for the result of each.

A few rows in several tables are mostly round trips; in a pipeline they cost as many as the block
has results that it reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def pipelined(using: str) -> Iterator[None]:
    """Send the block's statements at once; one that is read from waits for all before it.

    A failure is raised by a later statement, or at the end of the block. COPY is impossible
    within it, and a `rowcount` is unknown until a row is read. On SQLite it does nothing.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def is_pipelined(using: str) -> bool:
    """Return whether the caller is in a block of `pipelined`."""
    connection = connections[using]
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.pgconn.pipeline_status)
