"""Times as UTC text: `2025-01-15T10:30:00Z`, with six digits for a fraction of a second."""

import re
from datetime import UTC, datetime, timedelta

OWN_SPELLING = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]00:00)")
"""UTC spellings that are kept if the signal brings a hash that covers them."""
NAIVE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
"""What older ledgers wrote most often."""
AMBIGUOUS = "give an offset, as in 2025-01-15T10:30:00Z: without one it is ambiguous"
WANTED = "give ISO 8601 text with an offset, as in 2025-01-15T10:30:00Z"
LAST_SECOND = "9999-12-31T23:59:60"
"""Sorts after every text of the last possible second."""


def utc_text(moment: datetime) -> str:
    """Return the spelling that Argo writes. Raises ValueError if the time has no offset."""
    return f"{_in_utc(moment).isoformat()[:-6]}Z"


def parse_utc(value: object) -> datetime:
    """Return ISO 8601 text or a datetime as a datetime in UTC.

    Raises ValueError if it is neither, has no offset, or is outside the years 1 to 9999 in UTC.
    """
    if isinstance(value, str):
        return _in_utc(_parsed(value))
    if isinstance(value, datetime):
        return _in_utc(value)
    raise ValueError(WANTED)


def instant_text(timestamp: str) -> str | None:
    """Return the instant that a text means, as `utc_text` writes it.

    None if the text is one that sorts by time itself. Without an offset it is taken for UTC, which
    is what older ledgers wrote. Empty if it is not a time.
    """
    if OWN_SPELLING.fullmatch(timestamp):
        return None
    try:
        found = _parsed(timestamp.strip().upper())
        if NAIVE.fullmatch(timestamp):
            return f"{timestamp[:10]}T{timestamp[11:]}Z"  # of older ledgers there may be millions
        return utc_text(found.replace(tzinfo=UTC) if found.tzinfo is None else found)
    except ValueError:
        return ""


def moment_of(text: object) -> datetime | None:
    """Return the instant that a stored text means, in UTC; None if it is not a time.

    As in `instant_text`, a text without an offset is taken for UTC.
    """
    if not isinstance(text, str):
        return None
    sortable = instant_text(text)
    try:
        return parse_utc(text if sortable is None else sortable)
    except ValueError:
        return None


def _parsed(text: str) -> datetime:
    """Parse ISO 8601 text. Raises ValueError; Python itself ignores what follows a NUL."""
    if not text.isprintable():
        raise ValueError("has a control character")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"is not a time ({error}): {WANTED}") from None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(AMBIGUOUS)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


def created_at_text(received_at: str) -> str:
    """Return `received_at` in the spelling of the seed's `DEFAULT CURRENT_TIMESTAMP`."""
    return received_at[:19].replace("T", " ")


def range_start(moment: datetime) -> str:
    """Return a bound for `column >= bound`: it holds from `moment`'s second, in every spelling."""
    return moment.astimezone(UTC).isoformat()[:19]


def range_end(moment: datetime) -> str:
    """Return a bound for `column < bound`: it holds up to and including `moment`'s second."""
    try:
        return range_start(moment + timedelta(seconds=1))
    except OverflowError:
        return LAST_SECOND


def texts_upto(moment: datetime) -> tuple[str, str]:
    """Return (last, whole): a time that Argo wrote is `moment` or earlier if its text is at most
    `last`, or is `whole`.

    The time of a whole second sorts after the fractions of that second.
    """
    second = range_start(moment)
    return f"{second}.{moment.microsecond:06}Z", f"{second}Z"
