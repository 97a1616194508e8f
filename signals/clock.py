"""Clocks are passed in: the wall clock in service, the clock of the bars in a replay."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time in UTC."""


def utc_now() -> datetime:
    """Return the time of the wall clock."""
    return datetime.now(UTC)
