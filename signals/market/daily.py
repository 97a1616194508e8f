"""Daily bars of United States stocks: from columns with dates to bars with times."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import TypedDict
from zoneinfo import ZoneInfo

from signals.market.bars import BadBars, Bars, as_times

EXCHANGE_ZONE = ZoneInfo("America/New_York")
SESSION_CLOSE = time(16)


class DailyColumns(TypedDict):
    """Daily prices as traded, row by row; `date` as YYYY-MM-DD, `adj_close` after all actions."""

    date: Sequence[str]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    volume: Sequence[float]
    adj_close: Sequence[float]


def session_close(day: date) -> datetime:
    """When the session of `day` closes: 16:00 in New York, as UTC.

    A session that ended early (13:00 on some eves of holidays) is given 16:00 too: its bar is then
    known three hours late, never too early.
    """
    return datetime.combine(day, SESSION_CLOSE, EXCHANGE_ZONE).astimezone(UTC)


def session_day(moment: datetime) -> date:
    """The exchange's calendar day at `moment`."""
    return moment.astimezone(EXCHANGE_ZONE).date()


def daily_bars(symbol: str, columns: DailyColumns) -> Bars:
    """The columns as bars, adjusted for splits and dividends by adj_close / close.

    The prices are therefore on the scale of the last adjustment, not those paid on the day;
    returns are right across splits. Raises `BadBars`, which names the symbol and the date.
    """
    traded = Bars.checked(
        symbol,
        as_times([session_close(_day(symbol, text)) for text in columns["date"]]),
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
    )
    return traded.adjusted(columns["adj_close"])


def _day(symbol: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadBars(f"{symbol}: {text!r} is not a date; write it as YYYY-MM-DD") from error
