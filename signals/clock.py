"""The clock that is passed in: the wall clock in service, the bars' clock in a replay."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the time now, always with UTC as its zone."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
