"""Spares Alpine, and everybody's attempts, while nobody answers there or the key is wrong."""

import logging
from datetime import datetime, timedelta
from enum import Enum

from sync.errors import SyncError
from sync.models import Breaker
from sync.persistent import persistent
from sync.retry import LEASE

logger = logging.getLogger(__name__)

THRESHOLD = 5
"""Transport failures in a row that open it."""
PROBES = (5, 10, 20, 30)
"""Seconds until the first, second, ... probe; the last one from then on."""


class Permit(Enum):
    """How many may be sent now."""

    ALL = "all"
    ONE = "one, to see"
    NONE = "none"


def state() -> Breaker:
    """The one row; it is written only once something has failed."""
    return Breaker.objects.filter(pk=1).first() or Breaker(pk=1)


@persistent
def permit(now: datetime, key_digest: str) -> Permit:
    """Whether to send. Where it answers ONE, the probe is this caller's alone."""
    row = state()
    if row.probe_at is None:
        return Permit.ALL
    is_new_key = row.refused_key not in ("", key_digest)
    if row.probe_at > now and not is_new_key:
        return Permit.NONE
    mine = Breaker.objects.filter(pk=1, probe_at=row.probe_at)
    taken = mine.update(probe_at=now + LEASE, refused_key="")
    return Permit.ONE if taken == 1 else Permit.NONE


@persistent
def probe_again(now: datetime) -> None:
    """The probe was not made: let the next who comes make it."""
    Breaker.objects.filter(pk=1).exclude(probe_at=None).update(probe_at=now)


@persistent
def succeeded() -> None:
    """Alpine answered: close, if it was open."""
    row = state()
    if row.failures == 0 and row.probe_at is None:
        return  # as nearly always: nothing to write
    _write(failures=0, probe_at=None, opened_at=None, reason="", refused_key="")
    if row.probe_at is not None:
        logger.warning("Alpine answers again: sending goes on")


@persistent
def failed(error: SyncError, now: datetime, key_digest: str, *, was_probe: bool) -> bool:
    """Count a failure that may not be the signal's own; whether the breaker is open now.

    What was under way when it opened counts no more.
    """
    row = state()
    if row.probe_at is not None and not was_probe:
        return True
    failures = row.failures + 1
    if not (was_probe or error.is_refused_key or failures >= THRESHOLD):
        _write(failures=failures)
        return False
    wait = PROBES[min(max(0, failures - THRESHOLD), len(PROBES) - 1)]
    _write(
        failures=failures,
        probe_at=now + timedelta(seconds=wait),
        opened_at=row.opened_at or now,
        reason=str(error)[:1000],
        refused_key=key_digest if error.is_refused_key else "",
    )
    _tell(error, wait, is_new=row.opened_at is None)
    return True


def _write(**values: object) -> None:
    Breaker.objects.update_or_create(pk=1, defaults=values)


def _tell(error: SyncError, wait: int, *, is_new: bool) -> None:
    if error.is_refused_key:
        logger.error(
            "Alpine refuses the key (%s). Correct ALPINE_API_KEY; nothing is lost meanwhile, and "
            "sending goes on by itself once the key works.",
            error,
        )
    elif is_new:
        logger.error(
            "Alpine does not answer (%s). Nothing is lost; looking again in %d s, and then ever "
            "less often, until it does. ALPINE_ENDPOINT names it.",
            error, wait,
        )  # fmt: skip
