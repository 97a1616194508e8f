"""Asks whether an idle connection still works, mostly without asking the server."""

import select
import time
from typing import Any

import psycopg

CHECK_AFTER = 30.0
"""Seconds since the last look after which a network may have dropped it silently."""


def is_alive(connection: Any) -> bool:  # noqa: ANN401  # what a pool of any engine holds
    """Return whether the server answers on this connection.

    A server that restarts closes its side: then there is something to read, where nothing was asked
    for. Only then, and from time to time, a statement is worth its round trip.
    """
    raw: psycopg.Connection[Any] = connection
    if raw.closed:
        return False
    now, last = time.monotonic(), getattr(raw, "argo_checked_at", 0.0)
    if not _is_readable(raw.fileno()) and now - last < CHECK_AFTER:
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


def _is_readable(descriptor: int) -> bool:
    """Return whether a socket has something to read; `select` would fail from number 1,024 on."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
