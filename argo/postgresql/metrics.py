"""Metrics of the pool of PostgreSQL connections, of each process."""

from argo.pool import pool_metrics

POOL = pool_metrics("postgresql", "PostgreSQL")
