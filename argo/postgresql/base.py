"""Django's PostgreSQL backend with Argo's pool; it works behind pgbouncer in transaction mode."""

import os
from typing import Any, ClassVar

import psycopg
from django.db import connections
from django.db.backends.postgresql import base
from sqlalchemy.pool import PoolProxiedConnection

from argo.pool import ConnectionPool
from argo.postgresql.creation import DatabaseCreation
from argo.postgresql.liveness import is_alive
from argo.postgresql.metrics import POOL

EXHAUSTED = (
    "All {size} PostgreSQL connections of this process are in use, and none was returned within "
    "{timeout:g} s. Look for a transaction or a thread that keeps its connection, or increase "
    "DATABASE_POOL_SIZE (the server's max_connections must allow it) or SIGNAL_POOL_TIMEOUT."
)

LOST_CLIENTS = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2; "
    "SET tcp_user_timeout = 15000"
)
"""Lets the server end the session of a machine that the network has lost, and free its locks."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection from its process's pool; closing it returns it to the pool.

    With `pool_size` 0 it is a connection of its own.
    """

    creation_class = DatabaseCreation
    _pools: ClassVar[dict[tuple[object, ...], ConnectionPool]] = {}
    _own_sessions: ClassVar[dict[tuple[object, ...], bool]] = {}
    _abandoned: ClassVar[list[object]] = []
    _lease: PoolProxiedConnection | None = None

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self._pool_size = params.pop("pool_size", 0)
        self._pool_timeout = params.pop("pool_timeout", 10.0)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401  # psycopg's
        if not self._pool_size:
            return self._connect(conn_params)
        self._source = self._pool()
        self._lease = self._live_lease()
        return self._lease.dbapi_connection

    def chunked_cursor(self) -> Any:  # noqa: ANN401  # a cursor
        """Return a cursor of the server, which sends rows in parts.

        Outside a transaction it needs a session of its own. Behind a pooler that lends sessions by
        the transaction the rows come at once.
        """
        if self.in_atomic_block or self.has_own_session():
            return super().chunked_cursor()
        return self.cursor()

    def has_own_session(self) -> bool:
        """Return False if a pooler such as pgbouncer is between: it names a process of its own."""
        if (known := self._own_sessions.get(self._key())) is None:
            with self.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (process,) = cursor.fetchone()
            known = process == self.connection.info.backend_pid
            self._own_sessions[self._key()] = known
        return known

    def dispose_pool(self) -> None:
        """Close the idle connections in the pool of this database."""
        if pool := self._pools.pop(self._key(), None):
            pool.dispose()

    def _live_lease(self) -> PoolProxiedConnection:
        """Return a lease whose connection answers; one that the server has closed is replaced."""
        for _ in range(self._pool_size):
            lease = self._source.lease()
            if is_alive(lease.dbapi_connection):
                return lease
            lease.invalidate()
            self._source.release(lease)
        return self._source.lease()

    def _key(self) -> tuple[object, ...]:
        return tuple(str(self.settings_dict[name]) for name in ("HOST", "PORT", "NAME", "USER"))

    def _pool(self) -> ConnectionPool:
        key = self._key()
        if key not in self._pools:
            # A separate wrapper opens the connections: if the pool referred to a thread's wrapper,
            # neither it nor its lease would ever be garbage.
            opener = type(self)(self.settings_dict, self.alias)
            params = opener.get_connection_params()
            pool = ConnectionPool(
                lambda: opener._connect(params),
                size=self._pool_size,
                timeout=self._pool_timeout,
                metrics=POOL,
                exhausted=EXHAUSTED.format(size=self._pool_size, timeout=self._pool_timeout),
            )
            if self._pools.setdefault(key, pool) is not pool:
                pool.dispose()  # another thread was first
        return self._pools[key]

    def _connect(self, params: dict[str, Any]) -> Any:  # noqa: ANN401  # psycopg's
        raw = super().get_new_connection(params)
        _prepare_session(raw)
        return raw

    def _close(self) -> None:
        if self._lease is None:
            super()._close()  # type: ignore[misc]  # stubs lack it
            return
        lease, self._lease = self._lease, None
        raw: psycopg.Connection[Any] | None = lease.dbapi_connection  # type: ignore[assignment]
        self.connection = None  # another thread may use it now
        if raw is None or not _is_clean(raw):
            lease.invalidate()
        with self.wrap_database_errors:
            self._source.release(lease)

    def _forget(self) -> None:
        self.connection = self._lease = None


def _is_clean(raw: "psycopg.Connection[Any]") -> bool:
    """End an open transaction; return False if the connection is lost."""
    try:
        raw.rollback()
    except psycopg.Error:
        return False
    return not raw.closed


def forget_connections() -> None:
    """Forget the parent's connections in a forked child: both would talk on one socket.

    They are kept, because closing one would end the parent's session.
    """
    DatabaseWrapper._abandoned += [pool.everything() for pool in DatabaseWrapper._pools.values()]
    DatabaseWrapper._pools.clear()
    for wrapper in connections.all(initialized_only=True):
        if isinstance(wrapper, DatabaseWrapper):
            DatabaseWrapper._abandoned.append(wrapper.connection)
            wrapper._forget()


os.register_at_fork(after_in_child=forget_connections)


def _prepare_session(raw: "psycopg.Connection[Any]") -> None:
    """Set what holds for the whole session, unless a pooler lends it to others, too."""
    raw.autocommit = True
    found = raw.execute("SELECT pg_backend_pid()").fetchone()
    if found and found[0] == raw.info.backend_pid:
        raw.execute(LOST_CLIENTS)
    raw.autocommit = False
