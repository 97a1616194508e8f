"""Metrics of the pool of SQLite connections, of each process."""

from argo.pool import pool_metrics

POOL = pool_metrics("sqlite", "SQLite")
