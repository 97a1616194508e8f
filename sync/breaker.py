"""The circuit breakers: no attempt is wasted while a receiver does not answer.

Each target has its own: Alpine, and each subscription. One that is open holds back no other.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from signals.ahead import is_ahead
from sync.models import Breaker
from sync.models import breaker as names
from sync.retry import DELIVERY_LEASE, SyncError, retry_database_errors

logger = logging.getLogger(__name__)

FAILURE_THRESHOLD = 5
"""The number of transport failures in a row that opens a breaker."""
PROBE_WAITS = (5, 10, 20, 30)
"""Seconds until the first, second, ... probe; the last value repeats."""
EVENT_WAITS = (*PROBE_WAITS, 60, 300)
"""The same of events: a receiver that is away for days is asked every five minutes."""


class Permit(Enum):
    """How many deliveries may be sent now."""

    ALL = "all"
    ONE = "one, as a probe"
    NONE = "none"


@dataclass(frozen=True)
class CircuitBreaker:
    """The breaker of one target, whose row is written only after the first failure.

    `title` names the target in the log, and `setting` is what a person may have to correct.
    """

    target: str
    title: str
    setting: str
    waits: tuple[int, ...] = PROBE_WAITS

    def state(self) -> Breaker:
        """Return the target's row, or a new one that is not stored."""
        return Breaker.objects.filter(target=self.target).first() or Breaker(target=self.target)

    @retry_database_errors
    def permit(self, now: datetime, key_digest: str) -> Permit:
        """Return what may be sent. `Permit.ONE` gives the probe to this caller alone.

        A new key ends the wait after a refused one.
        """
        row = self.state()
        if row.probe_at is None:
            return Permit.ALL
        is_new_key = row.refused_key not in ("", key_digest)
        longest = max(DELIVERY_LEASE, timedelta(seconds=self.waits[-1]))
        is_due = row.probe_at <= now or is_ahead(row.probe_at, now, longest)
        if not is_due and not is_new_key:
            return Permit.NONE
        unclaimed = Breaker.objects.filter(target=self.target, probe_at=row.probe_at)
        claimed = unclaimed.update(probe_at=now + DELIVERY_LEASE, refused_key="")
        return Permit.ONE if claimed == 1 else Permit.NONE

    @retry_database_errors
    def release_probe(self, now: datetime) -> None:
        """Give back a probe that was not sent, so that the next worker may send it."""
        row = Breaker.objects.filter(target=self.target)
        row.exclude(probe_at=None).update(probe_at=now)

    @retry_database_errors
    def succeeded(self) -> None:
        """Close the breaker if it is open: the receiver answered."""
        row = self.state()
        if row.failures == 0 and row.probe_at is None:
            return  # the usual case writes nothing
        self._write(failures=0, probe_at=None, opened_at=None, reason="", refused_key="")
        if row.probe_at is not None:
            logger.warning("%s answers again; sending continues", self.title)

    @retry_database_errors
    def failed(self, error: SyncError, now: datetime, key_digest: str, *, was_probe: bool) -> bool:
        """Count a failure that may affect everything; return whether the breaker is open now.

        Requests that were under way when it opened are not counted.
        """
        row = self.state()
        if row.probe_at is not None and not was_probe:
            return True
        failures = row.failures + 1
        if not (was_probe or error.is_refused_key or failures >= FAILURE_THRESHOLD):
            self._write(failures=failures)
            return False
        wait = self.waits[min(max(0, failures - FAILURE_THRESHOLD), len(self.waits) - 1)]
        self._write(
            failures=failures,
            probe_at=now + timedelta(seconds=wait),
            opened_at=row.opened_at or now,
            reason=str(error)[:1000],
            refused_key=key_digest if error.is_refused_key else "",
        )
        self._log(error, wait, is_new=row.opened_at is None)
        return True

    def _write(self, **values: object) -> None:
        Breaker.objects.update_or_create(target=self.target, defaults=values)

    def _log(self, error: SyncError, wait: int, *, is_new: bool) -> None:
        if error.is_refused_key:
            logger.error(
                "%s refuses the key (%s). Correct ALPINE_API_KEY. Nothing is lost meanwhile, and "
                "sending continues by itself once the key works.",
                self.title, error,
            )  # fmt: skip
        elif is_new:
            logger.error(
                "%s does not answer (%s). Nothing is lost. The next try is in %d s; later tries "
                "are further apart. Check %s.",
                self.title, error, wait, self.setting,
            )  # fmt: skip


ALPINE = CircuitBreaker(names.ALPINE, "Alpine", "ALPINE_ENDPOINT")


def of_subscription(pk: int, name: str) -> CircuitBreaker:
    """Return the breaker of a subscription."""
    return CircuitBreaker(
        f"webhook:{pk}", f"The receiver of the subscription {name!r}", "its address", EVENT_WAITS
    )


def of_witness(name: str) -> CircuitBreaker:
    """Return the breaker of a witness of the public record."""
    return CircuitBreaker(
        f"witness:{name}", f"The witness {name}", "its address in RECORD_WITNESSES", EVENT_WAITS
    )


def of_authority(url: str) -> CircuitBreaker:
    """Return the breaker of a time stamp authority."""
    title = f"The time stamp authority {url}"
    return CircuitBreaker(f"authority:{url}", title, "RECORD_STAMP_AUTHORITIES", EVENT_WAITS)
