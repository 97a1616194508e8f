"""Times in the future: a clock that was ahead has written them, and they count as now.

A lease, a schedule or the next try of something would otherwise wait until that time comes, which
may be hours.
"""

from datetime import datetime, timedelta

SKEW = timedelta(minutes=1)
"""How far the clocks of machines that work together may be apart."""
AT_ONCE = timedelta()


def limit(now: datetime, longest: timedelta = AT_ONCE) -> datetime:
    """Return the last moment that may have been meant, if the longest wait is `longest`."""
    return now + longest + SKEW


def is_ahead(moment: datetime | None, now: datetime, longest: timedelta = AT_ONCE) -> bool:
    """Return whether only a clock that was ahead can have written this moment."""
    return moment is not None and moment > limit(now, longest)
