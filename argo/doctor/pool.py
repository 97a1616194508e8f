"""The connections to the database: those in use, and requests that got none."""

from django.conf import settings

from argo.doctor.check import Finding, milliseconds, ok, problem
from argo.doctor.known import Known
from argo.metrics.samples import present
from signals.dialect import connections_in_use, is_shared
from signals.status_text import counted

TIMEOUTS = "argo_sqlite_pool_timeouts_total"
WAIT = "argo_sqlite_pool_wait_seconds"
IN_USE, SIZE = "argo_sqlite_pool_in_use", "argo_sqlite_pool_connections"
FEW_LEFT = 0.9
"""The share of PostgreSQL's connections that may be in use."""
SQLITE_ADVICE = (
    "Look in the log for the process that says so: a transaction or a thread keeps its connection. "
    "Restart that process; set SIGNAL_POOL_SIZE to 5 if it is less."
)
SERVER_ADVICE = (
    "Increase max_connections of PostgreSQL, or find the programs that keep connections in "
    "pg_stat_activity."
)


def exhausted(known: Known) -> Finding:
    """Report requests for a connection that got none within the last hour."""
    if is_shared("default"):
        return _of_server()
    if known.growth is None:
        return ok(f"{settings.SIGNAL_POOL_SIZE} a process; no worker has counted the waits yet")
    timeouts = known.growth.of(TIMEOUTS)
    if timeouts:
        requests = counted(timeouts, "request", "requests")
        text = f"{requests} for a connection got none {known.period()}."
        return problem(text, SQLITE_ADVICE)
    return ok(f"{settings.SIGNAL_POOL_SIZE} a process; every request got one {known.period()}")


def use(known: Known) -> Finding:
    """Return how many connections are in use, and how long a request waits for one."""
    if is_shared("default"):
        return _of_server()
    now = dict(present(settings.METRICS_DIR, (IN_USE, SIZE)))
    text = f"{now.get(IN_USE, 0):.0f} of {now.get(SIZE, 0):.0f} of all processes in use"
    mean = known.growth.mean(WAIT) if known.growth else None
    if mean is None:
        return ok(text)
    return ok(f"{text}; a request waited {milliseconds(mean)} on average {known.period()}")


def _of_server() -> Finding:
    used, allowed = connections_in_use("default") or (0, 1)
    text = f"{used} of {allowed} connections of PostgreSQL in use"
    return problem(f"{text}.", SERVER_ADVICE) if used > FEW_LEFT * allowed else ok(text)
