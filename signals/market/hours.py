"""Trading hours, from the calendars of `exchange_calendars`; crypto always trades."""

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
    """The sessions of a market. All moments have a time zone; results are in UTC."""

    def close_of(self, day: date) -> datetime | None:
        """Return when the session of `day` ends; None if the day has no session."""

    def began(self, end: datetime) -> datetime:
        """Return when the session that ends or continues at `end` began."""

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Return True if a bar may have closed after `since` and not after `upto`."""

    def days(self, first: date, last: date) -> list[date]:
        """Return the days with a session, from `first` to `last`, both included."""

    def day_of(self, moment: datetime) -> date:
        """Return the market's calendar day at `moment`."""

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Return True during a session and until `grace` after its end."""


class ExchangeHours:
    """An exchange's regular sessions; holidays and early closes are taken into account.

    Raises `ValueError` if `name` is not a calendar, or its calendar cannot be computed.
    """

    def __init__(self, name: str) -> None:
        from exchange_calendars import get_calendar_names  # see `_calendar`

        if name not in get_calendar_names():
            raise ValueError(
                f"{name!r} is not an exchange calendar; XNYS is New York, XLON is London"
            )
        calendar = _calendar(name)
        self._zone = calendar.tz
        self._days = [day.date() for day in calendar.sessions]
        self._opens = [moment.to_pydatetime() for moment in calendar.opens]
        self._closes = [moment.to_pydatetime() for moment in calendar.closes]
        self._close_of = dict(zip(self._days, self._closes, strict=True))

    def close_of(self, day: date) -> datetime | None:
        """Return when the session of `day` ends; None if the day has no session."""
        return self._close_of.get(day)

    def began(self, end: datetime) -> datetime:
        """Return when the session at `end` began; before the first session, `end` itself."""
        session = bisect_left(self._opens, end) - 1
        return self._opens[session] if session >= 0 else end

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Return True if a session ended after `since` and not after `upto`."""
        return bisect_right(self._closes, upto) > bisect_right(self._closes, since)

    def days(self, first: date, last: date) -> list[date]:
        """Return the days with a session, from `first` to `last`, both included."""
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def day_of(self, moment: datetime) -> date:
        """Return the exchange's calendar day at `moment`."""
        return moment.astimezone(self._zone).date()

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Return True during a session and until `grace` after its end."""
        session = bisect_right(self._opens, moment) - 1
        return session >= 0 and moment <= self._closes[session] + grace


class AlwaysOpen:
    """A market without sessions: its days are UTC days and end at midnight."""

    def close_of(self, day: date) -> datetime | None:
        """Return the midnight that ends the day; None for the last day that Python knows."""
        if day == date.max:
            return None
        return datetime.combine(day + timedelta(days=1), time(), UTC)

    def began(self, end: datetime) -> datetime:
        """Return the moment one day before `end`."""
        return end - timedelta(days=1)

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Return True if an hour ended in between: each feed has its own midnight."""
        return int(upto.timestamp() // 3600) > int(since.timestamp() // 3600)

    def days(self, first: date, last: date) -> list[date]:
        """Return every day from `first` to `last`."""
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def day_of(self, moment: datetime) -> date:
        """Return the UTC day at `moment`; midnight belongs to the day that it ends."""
        return (moment.astimezone(UTC) - timedelta(microseconds=1)).date()

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Return True."""
        return True


def _calendar(name: str) -> "ExchangeCalendar":
    """Return the calendar from `FIRST_DAY` on, or of 20 years if older holidays are not known.

    Imported here because it loads pandas: 80 MiB that only a process that needs hours should use.
    """
    from exchange_calendars import get_calendar

    for start in (FIRST_DAY, None):
        with suppress(ValueError, NotImplementedError):
            return get_calendar(name, start=start)
    raise ValueError(f"{name!r} is a calendar that exchange_calendars cannot compute")


@cache
def exchange_hours(name: str) -> TradingHours:
    """Return an exchange's hours; they are cached, because loading a calendar is slow.

    Raises `ValueError` if `name` is not a calendar.
    """
    return ExchangeHours(name)


ALWAYS_OPEN = AlwaysOpen()


def hours_of(instrument: Instrument, exchange: str) -> TradingHours:
    """Return the trading hours of `instrument`; stocks trade on `exchange`.

    Raises `ValueError` if `exchange` is not a calendar and `instrument` is a stock.
    """
    return ALWAYS_OPEN if instrument.asset_type == CRYPTO else exchange_hours(exchange)
