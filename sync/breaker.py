"""The circuit breaker: no attempt is wasted while Alpine does not answer or refuses the key."""

import logging
from datetime import datetime, timedelta
from enum import Enum

from signals.ahead import is_ahead
from sync.models import Breaker
from sync.retry import DELIVERY_LEASE, SyncError, retry_database_errors

logger = logging.getLogger(__name__)

FAILURE_THRESHOLD = 5
"""The number of transport failures in a row that opens the breaker."""
PROBE_WAITS = (5, 10, 20, 30)
"""Seconds until the first, second, ... probe; the last value repeats."""


class Permit(Enum):
    """How many signals may be sent now."""

    ALL = "all"
    ONE = "one, as a probe"
    NONE = "none"


def state() -> Breaker:
    """Return the breaker's one row; it is written only after the first failure."""
    return Breaker.objects.filter(pk=1).first() or Breaker(pk=1)


@retry_database_errors
def permit(now: datetime, key_digest: str) -> Permit:
    """Return what may be sent. `Permit.ONE` gives the probe to this caller alone.

    A new key ends the wait after a refused one.
    """
    row = state()
    if row.probe_at is None:
        return Permit.ALL
    is_new_key = row.refused_key not in ("", key_digest)
    is_due = row.probe_at <= now or is_ahead(row.probe_at, now, DELIVERY_LEASE)
    if not is_due and not is_new_key:
        return Permit.NONE
    unclaimed = Breaker.objects.filter(pk=1, probe_at=row.probe_at)
    claimed = unclaimed.update(probe_at=now + DELIVERY_LEASE, refused_key="")
    return Permit.ONE if claimed == 1 else Permit.NONE


@retry_database_errors
def release_probe(now: datetime) -> None:
    """Give back a probe that was not sent, so that the next worker may send it."""
    Breaker.objects.filter(pk=1).exclude(probe_at=None).update(probe_at=now)


@retry_database_errors
def succeeded() -> None:
    """Close the breaker if it is open: Alpine answered."""
    row = state()
    if row.failures == 0 and row.probe_at is None:
        return  # the usual case writes nothing
    _write(failures=0, probe_at=None, opened_at=None, reason="", refused_key="")
    if row.probe_at is not None:
        logger.warning("Alpine answers again; sending continues")


@retry_database_errors
def failed(error: SyncError, now: datetime, key_digest: str, *, was_probe: bool) -> bool:
    """Count a failure that may affect every signal; return whether the breaker is open now.

    Requests that were under way when it opened are not counted.
    """
    row = state()
    if row.probe_at is not None and not was_probe:
        return True
    failures = row.failures + 1
    if not (was_probe or error.is_refused_key or failures >= FAILURE_THRESHOLD):
        _write(failures=failures)
        return False
    wait = PROBE_WAITS[min(max(0, failures - FAILURE_THRESHOLD), len(PROBE_WAITS) - 1)]
    _write(
        failures=failures,
        probe_at=now + timedelta(seconds=wait),
        opened_at=row.opened_at or now,
        reason=str(error)[:1000],
        refused_key=key_digest if error.is_refused_key else "",
    )
    _log(error, wait, is_new=row.opened_at is None)
    return True


def _write(**values: object) -> None:
    Breaker.objects.update_or_create(pk=1, defaults=values)


def _log(error: SyncError, wait: int, *, is_new: bool) -> None:
    if error.is_refused_key:
        logger.error(
            "Alpine refuses the key (%s). Correct ALPINE_API_KEY. Nothing is lost meanwhile, and "
            "sending continues by itself once the key works.",
            error,
        )
    elif is_new:
        logger.error(
            "Alpine does not answer (%s). Nothing is lost. The next try is in %d s; later tries "
            "are further apart. Check ALPINE_ENDPOINT.",
            error, wait,
        )  # fmt: skip
