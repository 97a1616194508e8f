"""A small pool of SQLite connections for one process."""

import gc
from collections.abc import Callable
from sqlite3 import OperationalError
from typing import Any
from weakref import WeakSet

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool


class ConnectionPool:
    """At most `size` connections, reused, waited for, rolled back before they go back.

    A lease that is garbage (its thread ended without closing) returns by itself, at the latest
    when another one has waited for half the time.
    """

    def __init__(self, connect: Callable[[], Any], *, size: int, timeout: float) -> None:
        self._size = size
        self._timeout = timeout
        self._leases: WeakSet[PoolProxiedConnection] = WeakSet()
        self._pool = QueuePool(
            connect,
            pool_size=size,
            max_overflow=0,
            timeout=timeout / 2,
            reset_on_return="rollback",
            use_lifo=True,  # the connection used last has the warmest cache
        )

    def lease(self) -> PoolProxiedConnection:
        """A connection until its `close()`.

        Raises OperationalError where none comes back within `timeout` seconds.
        """
        lease = self._wait() or self._wait_again()
        self._leases.add(lease)
        return lease

    def _wait(self) -> PoolProxiedConnection | None:
        try:
            return self._pool.connect()
        except PoolTimeout:
            gc.collect()  # the lease of a thread that ended is in a cycle with Django's wrapper
            return None

    def _wait_again(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except PoolTimeout as error:
            raise OperationalError(
                f"All {self._size} SQLite connections of this process are in use, and none came "
                f"back within {self._timeout:g} s. Look for a transaction or a thread that keeps "
                "its connection, or raise SIGNAL_POOL_TIMEOUT."
            ) from error

    def everything(self) -> tuple[object, ...]:
        """All that holds a connection, idle or on lease, in any thread."""
        return self._pool, *self._leases

    def dispose(self) -> None:
        """Close the idle connections; those on lease close when they come back."""
        self._pool.dispose()
