"""Divides a range of time into whole months, whole days, and parts of a day."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from signals.timestamps import range_end, range_start

MIDNIGHT = "T00:00:00"
AFTER_LAST_DAY = "9999-12-32"
"""Sorts after every day; so does `AFTER_LAST_MONTH` after every month."""
AFTER_LAST_MONTH = "9999-13"


class Span(NamedTuple):
    """Texts from `start` up to, but not including, `end`; None has no bound."""

    start: str | None
    end: str | None

    @property
    def is_empty(self) -> bool:
        return self.start is not None and self.end is not None and self.start >= self.end


class Piece(NamedTuple):
    """Periods of one length."""

    grain: str
    periods: Span


def span_of(since: datetime | None, until: datetime | None) -> Span:
    """Return the timestamps of a range, to the second; a bound at midnight is the day alone."""
    start = _bound(range_start(since)) if since else None
    return Span(start, _bound(range_end(until)) if until else None)


def whole_days(span: Span) -> Span:
    """Return the days that are in the range as a whole."""
    start, end = span
    return Span(_next_day(start) if start and len(start) > 10 else start, end and end[:10])


def edges(span: Span, days: Span) -> list[Span]:
    """Return the parts of days at both ends of the range; at most two."""
    parts = [Span(span.start, days.start), Span(days.end, span.end)]
    return [part for part in parts if None not in part and not part.is_empty]


def pieces(days: Span) -> list[Piece]:
    """Return these days as few periods: all time, or whole months and the days around them."""
    start, end = days
    if start is None and end is None:
        return [Piece("all", days)]
    first = start and (start[:7] if start.endswith("-01") else _next_month(start))
    last = end and end[:7]
    if first and last and first >= last:
        return [Piece("day", days)]
    found = [
        Piece("day", Span(start, f"{first}-01")) if start else None,
        Piece("month", Span(first, last)),
        Piece("day", Span(f"{last}-01", end)) if end else None,
    ]
    return [piece for piece in found if piece and not piece.periods.is_empty]


def _bound(text: str) -> str:
    return text.removesuffix(MIDNIGHT)


def _next_day(text: str) -> str:
    try:
        return (date.fromisoformat(text[:10]) + timedelta(days=1)).isoformat()
    except OverflowError:
        return AFTER_LAST_DAY


def _next_month(day: str) -> str:
    year, month = int(day[:4]), int(day[5:7])
    if month < 12:
        return f"{year:04d}-{month + 1:02d}"
    return f"{year + 1:04d}-01" if year < 9999 else AFTER_LAST_MONTH
