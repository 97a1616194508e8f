"""Trading hours: calendars of `exchange_calendars`, the week of forex, and markets always open."""

from bisect import bisect_left, bisect_right
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from signals.market.instruments import ALWAYS, FOREX, HOME, METAL_HOURS, NOT_KNOWN, Instrument

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_DAY = "1970-01-01"
NEW_YORK = ZoneInfo("America/New_York")
FOREX_CLOSE = time(17)
"""In New York: a day of forex ends and the next one begins; the week is Sunday to Friday."""
METALS_OPEN = time(18)
"""In New York: a day of metals begins, an hour after the one before it has ended."""
HOLIDAYS = frozenset({(12, 25), (1, 1)})
"""Months and days without forex and metals. Brokers close early on some others, each in its way."""
SATURDAY = 5
ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


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


class ForexHours:
    """Forex and metals: from Sunday to Friday 17:00 in New York, but not on `HOLIDAYS`.

    A day begins at `opens` of the day before; Monday's begins on Sunday.
    """

    def __init__(self, opens: time = FOREX_CLOSE) -> None:
        self._opens = opens

    def close_of(self, day: date) -> datetime | None:
        """Return when the session of `day` ends; None on Saturday, Sunday and a holiday."""
        return _in_new_york(day, FOREX_CLOSE) if _has_forex(day) else None

    def began(self, end: datetime) -> datetime:
        """Return when the session that ends or continues at `end` began."""
        return self._open_of(self._session_at(end))

    def may_have_closed(self, since: datetime, upto: datetime) -> bool:
        """Return True if a session ended after `since` and not after `upto`."""
        closes = map(self.close_of, self.days(self.day_of(since), self.day_of(upto)))
        return any(close and since < close <= upto for close in closes)

    def days(self, first: date, last: date) -> list[date]:
        """Return the days with a session, from `first` to `last`, both included."""
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return list(filter(_has_forex, every))

    def day_of(self, moment: datetime) -> date:
        """Return the day that ends at the next 17:00; a close belongs to the day that it ends."""
        local = (moment - INSTANT).astimezone(NEW_YORK)
        return local.date() + (ONE_DAY if local.time() >= FOREX_CLOSE else timedelta())

    def is_open(self, moment: datetime, grace: timedelta = timedelta()) -> bool:
        """Return True during a session and until `grace` after its end."""
        opening = self.day_of(moment + INSTANT)
        if _has_forex(opening) and self._open_of(opening) <= moment:
            return True
        return moment <= _in_new_york(self._session_at(moment), FOREX_CLOSE) + grace

    def _session_at(self, moment: datetime) -> date:
        """Return the day of the session at `moment`, or of the last one before it."""
        day = self.day_of(moment)
        while not _has_forex(day) or moment < self._open_of(day):
            day -= ONE_DAY
        return day

    def _open_of(self, day: date) -> datetime:
        return _in_new_york(day - ONE_DAY, self._opens)


def _has_forex(day: date) -> bool:
    return day.weekday() < SATURDAY and (day.month, day.day) not in HOLIDAYS


def _in_new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


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


ALWAYS_OPEN, FOREX_WEEK, METAL_WEEK = AlwaysOpen(), ForexHours(), ForexHours(METALS_OPEN)


@runtime_checkable
class ShowsHours(Protocol):
    """A market whose own data shows when an instrument trades."""

    def is_always_open(self, symbol: str) -> bool:
        """Return True if the market has weekend bars of this symbol."""


def hours_of(instrument: Instrument, exchange: str, market: object = None) -> TradingHours:
    """Return the trading hours of `instrument`; `exchange` is the calendar of the home exchange.

    If its kind was guessed, weekend bars of `market` show that it always trades. The home exchange
    also stands in where the hours are not known: nothing is bought then, but what is held must be
    followed. Raises `ValueError` if the exchange is not a calendar.
    """
    if instrument.hours == ALWAYS:
        return ALWAYS_OPEN
    if instrument.hours == FOREX:
        return FOREX_WEEK
    if instrument.hours == METAL_HOURS:
        return METAL_WEEK
    if instrument.hours not in (HOME, NOT_KNOWN):
        return exchange_hours(instrument.hours)
    if isinstance(market, ShowsHours) and market.is_always_open(instrument.symbol):
        return ALWAYS_OPEN
    return exchange_hours(exchange)
