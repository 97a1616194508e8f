"""When a market trades, by the calendars of `exchange_calendars`; crypto trades always."""

from bisect import bisect_left, bisect_right
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

from signals.market.instruments import CRYPTO, Instrument

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_DAY = "1970-01-01"


class TradingHours(Protocol):
    """The days on which something trades, and when within them."""

    def close_of(self, day: date) -> datetime | None:
        """When the session of `day` ends, in UTC; None where there is none."""

    def began(self, end: datetime) -> datetime:
        """When the session began that ends, or goes on, at `end`."""

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Whether a bar may have ended after `since`, and not after `upto`."""

    def days(self, first: date, last: date) -> list[date]:
        """The days with a session, from `first` to `last`, both included."""

    def day_of(self, moment: datetime) -> date:
        """The market's calendar day at `moment`."""

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Whether `moment` lies in a session, or no later than `grace` after its end."""


class ExchangeHours:
    """An exchange's regular sessions, holidays and early closes included."""

    def __init__(self, name: str) -> None:
        from exchange_calendars import get_calendar_names  # see `_calendar`

        if name not in get_calendar_names():
            raise ValueError(f"{name!r} is no exchange calendar; XNYS is New York, XLON London")
        calendar = _calendar(name)
        self._zone = calendar.tz
        self._days = [day.date() for day in calendar.sessions]
        self._opens = [moment.to_pydatetime() for moment in calendar.opens]
        self._closes = [moment.to_pydatetime() for moment in calendar.closes]
        self._close_of = dict(zip(self._days, self._closes, strict=True))

    def close_of(self, day: date) -> datetime | None:
        """When the session of `day` ends, in UTC; None on a day without one."""
        return self._close_of.get(day)

    def began(self, end: datetime) -> datetime:
        """When the session began that ends, or goes on, at `end`; before the first one: `end`."""
        session = bisect_left(self._opens, end) - 1
        return self._opens[session] if session >= 0 else end

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Whether a session ended after `since`, and not after `upto`."""
        return bisect_right(self._closes, upto) > bisect_right(self._closes, since)

    def days(self, first: date, last: date) -> list[date]:
        """The days with a session, from `first` to `last`, both included."""
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def day_of(self, moment: datetime) -> date:
        """The exchange's calendar day at `moment`."""
        return moment.astimezone(self._zone).date()

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Whether `moment` lies in a session, or no later than `grace` after its end."""
        session = bisect_right(self._opens, moment) - 1
        return session >= 0 and moment <= self._closes[session] + grace


class AlwaysOpen:
    """A market without sessions: its days are those of UTC, and end at midnight."""

    def close_of(self, day: date) -> datetime | None:
        """The midnight that ends the day; None for the last day that Python knows."""
        if day == date.max:
            return None
        return datetime.combine(day + timedelta(days=1), time(), UTC)

    def began(self, end: datetime) -> datetime:
        """A day before."""
        return end - timedelta(days=1)

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Whether an hour ended in between: feeds begin their days at midnights of their own."""
        return int(upto.timestamp() // 3600) > int(since.timestamp() // 3600)

    def days(self, first: date, last: date) -> list[date]:
        """Every day from `first` to `last`."""
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def day_of(self, moment: datetime) -> date:
        """The day in UTC that is ending or under way: midnight belongs to the day before."""
        return (moment.astimezone(UTC) - timedelta(microseconds=1)).date()

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Always."""
        return True


def _calendar(name: str) -> "ExchangeCalendar":
    """From `FIRST_DAY` on; of an exchange whose holidays are not known so far back, 20 years.

    Loaded here, since it brings pandas: 80 MiB that a process needs only once it asks for hours.
    """
    from exchange_calendars import get_calendar

    for start in (FIRST_DAY, None):
        with suppress(ValueError, NotImplementedError):
            return get_calendar(name, start=start)
    raise ValueError(f"{name!r} is a calendar that exchange_calendars cannot work out")


@cache
def exchange_hours(name: str) -> TradingHours:
    """An exchange's hours; reading its calendar takes a moment, so that it is kept.

    Raises `ValueError` for a name that is no calendar's.
    """
    return ExchangeHours(name)


ALWAYS_OPEN = AlwaysOpen()


def hours_of(instrument: Instrument, exchange: str) -> TradingHours:
    """When `instrument` trades, where stocks trade on `exchange`."""
    return ALWAYS_OPEN if instrument.asset_type == CRYPTO else exchange_hours(exchange)
