"""A pool of connections for one process."""

import gc
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakSet

from django.db import OperationalError
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

WAIT_BOUNDS = (0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class PoolMetrics(NamedTuple):
    """What is counted of all pools of one kind."""

    size: Gauge
    in_use: Gauge
    wait: Histogram
    timeouts: Counter


def pool_metrics(engine: str, name: str) -> PoolMetrics:
    """Make the metrics of an engine's pools; `name` is the engine's for people."""
    return PoolMetrics(
        Gauge(
            f"argo_{engine}_pool_connections",
            f"{name} connections that the processes of this node may open",
            multiprocess_mode="livesum",
        ),
        Gauge(
            f"argo_{engine}_pool_in_use",
            f"{name} connections in use by the processes of this node",
            multiprocess_mode="livesum",
        ),
        Histogram(
            f"argo_{engine}_pool_wait_seconds",
            f"Time until the pool gives a connection to {name}",
            buckets=WAIT_BOUNDS,
        ),
        Counter(
            f"argo_{engine}_pool_timeouts",
            f"Requests for a connection to {name} that got none in time",
        ),
    )


class ConnectionPool:
    """At most `size` connections, which are reused and rolled back when they are returned.

    The gauge of connections in use is set in `lease` and `release`, not by an event of the pool:
    garbage collection may return a lease while this thread holds the lock of the gauge.
    `exhausted` is the error of a request that got no connection in time.

    `timeout` is how long a thread waits for a connection, in seconds. If a thread ends without
    closing its lease, the lease is garbage and returns by itself: at the latest when another
    thread has waited for half of the timeout.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        size: int,
        timeout: float,
        metrics: PoolMetrics,
        exhausted: str,
    ) -> None:
        self._metrics = metrics
        self._exhausted = exhausted
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
        self._metrics.size.inc(size)

    def lease(self) -> PoolProxiedConnection:
        """Lease a connection until its `close()`.

        Raises `OperationalError` if no connection is returned within `timeout` seconds.
        """
        with self._metrics.wait.time():
            lease = self._wait() or self._wait_again()
        self._leases.add(lease)
        self._metrics.in_use.set(self._pool.checkedout())
        return lease

    def release(self, lease: PoolProxiedConnection) -> None:
        """Return a connection to the pool. Raises what the database raises."""
        lease.close()
        self._metrics.in_use.set(self._pool.checkedout())

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
            self._metrics.timeouts.inc()
            raise OperationalError(self._exhausted) from error

    def everything(self) -> tuple[object, ...]:
        """Return every object that holds a connection, idle or leased, in any thread."""
        return self._pool, *self._leases

    def dispose(self) -> None:
        """Close the idle connections; leased ones close when they are returned."""
        self._pool.dispose()
        self._metrics.size.dec(self._size)
