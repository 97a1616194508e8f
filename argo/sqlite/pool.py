"""A small pool of SQLite connections for one process."""

import gc
from collections.abc import Callable
from sqlite3 import OperationalError
from typing import Any
from weakref import WeakSet

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from argo.sqlite import metrics


class ConnectionPool:
    """At most `size` connections, which are reused and rolled back when they are returned.

    The gauge of connections in use is set in `lease` and `release`, not by an event of the pool:
    garbage collection may return a lease while this thread holds the lock of the gauge.

    `timeout` is how long a thread waits for a connection, in seconds. If a thread ends without
    closing its lease, the lease is garbage and returns by itself: at the latest when another
    thread has waited for half of the timeout.
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
        metrics.SIZE.inc(size)

    def lease(self) -> PoolProxiedConnection:
        """Lease a connection until its `close()`.

        Raises `OperationalError` if no connection is returned within `timeout` seconds.
        """
        with metrics.WAIT.time():
            lease = self._wait() or self._wait_again()
        self._leases.add(lease)
        metrics.IN_USE.set(self._pool.checkedout())
        return lease

    def release(self, lease: PoolProxiedConnection) -> None:
        """Return a connection to the pool. Raises what the database raises."""
        lease.close()
        metrics.IN_USE.set(self._pool.checkedout())

    def _wait(self) -> PoolProxiedConnection | None:
        try:
            return self._pool.connect()
        except PoolTimeout:
            gc.collect()  # a dead thread's lease is in a reference cycle with Django's wrapper
            return None

    def _wait_again(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except PoolTimeout as error:
            metrics.TIMEOUTS.inc()
            raise OperationalError(
                f"All {self._size} SQLite connections of this process are in use, and none was "
                f"returned within {self._timeout:g} s. Look for a transaction or a thread that "
                "keeps its connection, or increase SIGNAL_POOL_TIMEOUT."
            ) from error

    def everything(self) -> tuple[object, ...]:
        """Return every object that holds a connection, idle or leased, in any thread."""
        return self._pool, *self._leases

    def dispose(self) -> None:
        """Close the idle connections; leased ones close when they are returned."""
        self._pool.dispose()
        metrics.SIZE.dec(self._size)
