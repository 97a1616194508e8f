"""Django's SQLite backend with Argo's pragmas and pool."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from typing import Any, ClassVar

from django.db import connections
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.features import DatabaseFeatures
from sqlalchemy.pool import PoolProxiedConnection
from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

from argo.pool import ConnectionPool
from argo.sqlite.creation import DatabaseCreation
from argo.sqlite.metrics import POOL
from argo.sqlite.readers import Readers
from signals.files import make_once

PRAGMAS = (
    "PRAGMA busy_timeout=30000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit is on disk when it returns
    "PRAGMA mmap_size=0",  # with mmap an I/O error would kill the process (SIGBUS)
    "PRAGMA cache_size=-65536",  # 64 MiB: the upper pages of the indexes of millions of rows
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=16384",  # 64 MiB: fewer checkpoints rewrite the same index pages
    "PRAGMA journal_size_limit=67108864",  # a larger WAL is cut back to this size
)
EXHAUSTED = (
    "All {size} SQLite connections of this process are in use, and none was returned within "
    "{timeout:g} s. Look for a transaction or a thread that keeps its connection, or increase "
    "SIGNAL_POOL_TIMEOUT."
)


class Features(DatabaseFeatures):
    """Knows that SQLite has JSON: Django would find out in a transaction, and take a database that
    another process holds for one without JSON."""

    supports_json_field = True


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection from its process's pool; closing it returns it to the pool."""

    creation_class = DatabaseCreation
    features_class = Features
    _pools: ClassVar[dict[str, ConnectionPool]] = {}
    _readers: ClassVar[dict[str, Readers]] = {}
    _abandoned: ClassVar[list[object]] = []
    _lease: PoolProxiedConnection | None = None

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self._pool_size = params.pop("pool_size", 5)
        self._pool_timeout = params.pop("pool_timeout", 10.0)
        self.transaction_mode = "IMMEDIATE"  # a deferred transaction may fail when it first writes
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        if self.is_in_memory_db():
            return self._connect(conn_params)
        self._source = self._pool()
        self._lease = self._source.lease()
        connection: Connection = self._lease.dbapi_connection  # type: ignore[assignment]
        return connection

    def read(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT with `?` for parameters, outside of any transaction.

        For look-ups at nearly every request. Raises DatabaseError, also if the file is locked for
        longer than a tenth of a second.
        """
        name = str(self.settings_dict["NAME"])
        if (readers := self._readers.get(name)) is None:
            opener = type(self)(self.settings_dict, self.alias)
            params = opener.get_connection_params()
            readers = self._readers.setdefault(name, Readers(lambda: opener._connect(params)))
        with self.wrap_database_errors:
            return readers.read(statement, parameters)

    def dispose_pool(self) -> None:
        """Close the idle connections in the pool of this database."""
        name = str(self.settings_dict["NAME"])
        if pool := self._pools.pop(name, None):
            pool.dispose()
        if readers := self._readers.pop(name, None):
            readers.close()

    def _connect(self, conn_params: dict[str, Any]) -> Connection:
        if not self.is_in_memory_db():
            _make_private(Path(str(conn_params["database"])))
        connection: Connection = super().get_new_connection(conn_params)
        for pragma in PRAGMAS:
            _execute(connection, pragma)
        return connection

    def _pool(self) -> ConnectionPool:
        name = str(self.settings_dict["NAME"])
        if name not in self._pools:
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
            if self._pools.setdefault(name, pool) is not pool:
                pool.dispose()  # another thread was first
        return self._pools[name]

    def _close(self) -> None:
        if self._lease is None:
            super()._close()  # type: ignore[misc]  # stubs lack it
            return
        lease, self._lease = self._lease, None
        self.connection = None  # another thread may use it now, even if a transaction is open here
        with self.wrap_database_errors:
            self._source.release(lease)

    def _forget(self) -> None:
        self.connection = self._lease = None


def _make_private(path: Path) -> None:
    """Make the file, because SQLite would let others read it; it gives WAL and SHM the same mode.

    The new file gets its name when it is closed already: closing a file that another thread has
    opened here would take away the locks of SQLite.
    """
    if not path.exists() and path.parent.is_dir():
        with suppress(OSError):  # SQLite fails for the same reason, and reports it
            make_once(path, "")


@retry(
    retry=retry_if_exception_message("database is locked"),
    stop=stop_after_delay(10),
    wait=wait_random(0, 0.02),
    reraise=True,
)
def _execute(connection: Connection, pragma: str) -> None:
    """Run a pragma; retry if the database is locked.

    If several processes switch a new file to WAL at the same time, SQLite fails without waiting.
    """
    connection.execute(pragma).close()


def forget_connections() -> None:
    """Forget the parent's connections in a forked child: SQLite forbids using or closing them.

    Garbage collection would roll them back and close them. So they are kept, and so are those that
    other threads of the parent had leased.
    """
    pools = DatabaseWrapper._pools.values()
    DatabaseWrapper._abandoned += [pool.everything() for pool in pools]
    DatabaseWrapper._abandoned += [each.everything() for each in DatabaseWrapper._readers.values()]
    DatabaseWrapper._pools.clear()
    DatabaseWrapper._readers.clear()
    for wrapper in connections.all(initialized_only=True):
        if isinstance(wrapper, DatabaseWrapper):
            wrapper._forget()


os.register_at_fork(after_in_child=forget_connections)
