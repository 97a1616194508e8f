"""Asks whether an idle connection still works, mostly without asking the server."""

import select
import time
from typing import Any

import psycopg

CHECK_AFTER = 30.0
"""Seconds without use after which a network may have dropped a connection silently."""


def is_alive(connection: Any) -> bool:  # noqa: ANN401  # what a pool of any engine holds
    """Return whether the server answers on this connection.

    A server that restarts closes its side: then there is something to read, where nothing was asked
    for. Only then, and after a long rest, a statement is worth its round trip.
    """
    raw: psycopg.Connection[Any] = connection
    if raw.closed:
        return False
    now, last = time.monotonic(), getattr(raw, "argo_checked_at", 0.0)
    readable, _, _ = select.select([raw.fileno()], [], [], 0)
    if not readable and now - last < CHECK_AFTER:
        return True
    try:
        raw.execute("SELECT 1")
        if not raw.autocommit:
            raw.rollback()
    except psycopg.Error:
        raw.close()
        return False
    raw.argo_checked_at = now  # type: ignore[attr-defined]  # ours
    return True
