"""The quiet hours, in which people get only what is urgent."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo

from django.conf import settings


@dataclass(frozen=True)
class QuietHours:
    """The time of day from `begin` until `end`, in a time zone; none if both are the same.

    They may go over midnight, as from 22:00 until 07:00.
    """

    begin: time
    end: time
    zone: tzinfo

    def is_quiet(self, now: datetime) -> bool:
        """Return whether this moment is in the quiet hours."""
        here = now.astimezone(self.zone).time()
        if self.begin <= self.end:
            return self.begin <= here < self.end
        return here >= self.begin or here < self.end


NEVER = QuietHours(time(), time(), UTC)


def quiet_hours() -> QuietHours:
    """Return those of the settings."""
    if settings.NOTIFY_QUIET is None:
        return NEVER
    return QuietHours(*settings.NOTIFY_QUIET, settings.NOTIFY_ZONE)
