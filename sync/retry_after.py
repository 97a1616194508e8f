"""`Retry-After`, RFC 9110 section 10.2.3: seconds, or a date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_asked(header: str | None, now: datetime) -> float | None:
    """How many seconds Alpine asks to be left alone; None where it says nothing that counts."""
    if not header:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": UTC, of which the clock's own place is not known
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
