"""Locks that all processes of one database share, on whatever machine they run."""

import os
import socket
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connections

from signals.dialect import is_shared, own_connection
from signals.locks import FileLock, LockedByAnother, LockLost

SPACE = 0x4172676F
"""The first of the two numbers that name an advisory lock of PostgreSQL: "Argo" in ASCII."""


class Kind(IntEnum):
    """What is locked. The number is the second of the two that name a lock: never change it.

    The number 1 belonged to the beat, which has a lease now.
    """

    REPLAY = 2
    PREPARE = 3


class DatabaseLock(Protocol):
    """A lock that a process holds until it releases it or ends."""

    def acquire(self) -> None:
        """Take the lock without waiting. Raises `LockedByAnother`."""

    def verify(self) -> None:
        """Check that this process still holds the lock. Raises `LockLost`."""

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""


def database_lock(kind: Kind, using: str = DEFAULT_DB_ALIAS) -> DatabaseLock:
    """Return the lock of this database, not taken yet.

    On SQLite the database is a file, and the lock is a file beside it.
    """
    if is_shared(using):
        return AdvisoryLock(kind, using)
    path = Path(str(connections[using].settings_dict["NAME"]))
    return FileLock(path.with_name(f"{kind.name.lower()}.lock"))


class AdvisoryLock:
    """A lock in PostgreSQL that belongs to a transaction on a connection of its own.

    The server releases it when the process ends, even by SIGKILL. Not to a session: behind a pooler
    in transaction mode, such as pgbouncer, the session is another process's after each transaction.
    The transaction has no snapshot, so it keeps no old rows.
    """

    def __init__(self, kind: Kind, using: str = DEFAULT_DB_ALIAS) -> None:
        self._kind = kind
        self._connection = own_connection(using)

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises:
            LockedByAnother: another process has it.
        """
        self._begin()
        if not self._query("SELECT pg_try_advisory_xact_lock(%s, %s)", SPACE, self._kind)[0]:
            holder = self._holder()
            self.release()
            raise LockedByAnother(f"PostgreSQL's lock for {self._name}", holder)

    def wait(self) -> None:
        """Take the lock; wait until another process releases it."""
        self._begin()
        self._query("SELECT pg_advisory_xact_lock(%s, %s)", SPACE, self._kind)

    def _begin(self) -> None:
        self._connection.set_autocommit(False)
        name = f"argo {self._name}, process {os.getpid()} on {socket.gethostname()}"
        self._query("SELECT set_config('application_name', %s, true)", name[:63])
        self._query("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")

    def verify(self) -> None:
        """Check that this process still has the lock.

        Raises:
            LockLost: the transaction that held it has ended, for example because the server
                stopped.
            django.db.Error: the server does not answer.
        """
        if not self._query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s "
            "AND objid = %s AND granted AND pid = pg_backend_pid()",
            SPACE, self._kind,
        )[0]:  # fmt: skip
            raise LockLost(
                f"PostgreSQL no longer holds the lock for {self._name}: its transaction ended."
            )

    def release(self) -> None:
        """End the transaction; do nothing if it is not open."""
        self._connection.close()

    @property
    def _name(self) -> str:
        return self._kind.name.lower()

    def _holder(self) -> str:
        row = self._query(
            "SELECT application_name, client_addr FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            SPACE, self._kind,
        )  # fmt: skip
        return f"{row[0]} (from {row[1] or 'the same machine'})" if row else "another session"

    def _query(self, sql: str, *parameters: str | int) -> Any:  # noqa: ANN401  # a row, or None
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone()
