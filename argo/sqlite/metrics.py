"""Metrics of the pool of SQLite connections, of each process."""

from prometheus_client import Counter, Gauge, Histogram

WAIT_BOUNDS = (0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZE = Gauge(
    "argo_sqlite_pool_connections",
    "SQLite connections that the processes of this node may open",
    multiprocess_mode="livesum",
)
IN_USE = Gauge(
    "argo_sqlite_pool_in_use",
    "SQLite connections in use by the processes of this node",
    multiprocess_mode="livesum",
)
WAIT = Histogram(
    "argo_sqlite_pool_wait_seconds", "Time until the pool gives a connection", buckets=WAIT_BOUNDS
)
TIMEOUTS = Counter("argo_sqlite_pool_timeouts", "Requests for a connection that got none in time")
