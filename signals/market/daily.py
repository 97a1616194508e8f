"""Daily bars: from rows with dates to bars with times, and a report of irregular rows."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from signals.market.bars import BadBars, Bars, as_times
from signals.market.hours import TradingHours

logger = logging.getLogger(__name__)

PRICES = ("open", "high", "low", "close")
COLUMNS = ("date", *PRICES, "volume")
KNOWN_COLUMNS = (*COLUMNS, "adj_close")
MAX_SHOWN = 3
CloseOf = Callable[[date], datetime | None]


@dataclass(frozen=True, slots=True)
class Findings:
    """The irregularities in a symbol's rows; none of them makes the bars unusable.

    `gaps` are sessions without a row. `duplicates` are days with several equal rows (one was
    kept). `closed` are days with a row but without a session (left out). `unordered` means that
    the rows had to be sorted.
    """

    symbol: str
    gaps: Sequence[date] = ()
    duplicates: Sequence[date] = ()
    closed: Sequence[date] = ()
    unordered: bool = False

    def __str__(self) -> str:
        parts = [
            _listed("sessions have no bar", self.gaps),
            _listed("days appear more than once", self.duplicates),
            _listed("bars were left out: no session on their day", self.closed),
            "the rows were not in time order" if self.unordered else "",
        ]
        return "; ".join(filter(None, parts))

    def log(self, logged: dict[str, str]) -> None:
        """Log the findings as one warning, unless they are the same as the last time.

        `logged` has the last text of each symbol, and is updated.
        """
        text = str(self)
        if text and logged.get(self.symbol) != text:
            logger.warning("%s: %s", self.symbol, text)
        logged[self.symbol] = text


def daily_bars(
    symbol: str, rows: pd.DataFrame, hours: TradingHours, close_of: CloseOf | None = None
) -> tuple[Bars, Findings]:
    """Return bars that close when their day's session does, and the irregularities of the rows.

    `rows` has the columns date (YYYY-MM-DD, or dates), open, high, low, close, volume, and
    optionally adj_close, the close adjusted for splits and dividends. With adj_close all prices
    are on its scale: that of the last adjustment, not of the prices paid on the day. `close_of`
    returns a day's end if the feed's days do not end with the market's sessions.

    Raises `BadBars`, which names symbol and date, if a column or value is missing or cannot be
    true, or if the rows of one day contradict each other.
    """
    _check_columns(symbol, [str(name) for name in rows.columns])
    rows = _numbers(symbol, rows.assign(date=_days(symbol, rows["date"])))
    unordered = not rows["date"].is_monotonic_increasing
    rows, duplicates = _once(symbol, rows.sort_values("date", kind="stable"))
    rows, closed = _in_sessions(rows, hours)
    findings = Findings(symbol, _gaps(rows["date"], hours), duplicates, closed, unordered)
    return _bars(symbol, rows, close_of or hours.close_of), findings


def _check_columns(symbol: str, names: list[str]) -> None:
    there = ", ".join(names)
    if missing := [name for name in COLUMNS if name not in names]:
        raise BadBars(f"{symbol}: the columns {', '.join(missing)} are missing; there are: {there}")
    if twice := [name for name in KNOWN_COLUMNS if names.count(name) > 1]:
        raise BadBars(f"{symbol}: the columns {', '.join(twice)} appear twice, in: {there}")


def days_of(symbol: str, rows: pd.DataFrame) -> list[date]:
    """Return the dates of the rows; empty without a column of dates. Raises `BadBars`."""
    return _days(symbol, rows["date"]) if list(rows.columns).count("date") == 1 else []


def _days(symbol: str, values: "pd.Series[object]") -> list[date]:
    return [_day(symbol, value) for value in values]


def _day(symbol: str, value: object) -> date:
    if isinstance(value, datetime):  # from a Parquet file; NaT is a datetime too
        value = str(value)[:10]
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise BadBars(f"{symbol}: {value!r} is not a date; write it as YYYY-MM-DD") from error


def _numbers(symbol: str, rows: pd.DataFrame) -> pd.DataFrame:
    wanted = [name for name in KNOWN_COLUMNS if name in rows.columns]
    for name in wanted[1:]:
        numbers = pd.to_numeric(rows[name], errors="coerce").astype("float64")
        if (bad := numbers.isna()).any():
            row = rows[bad].iloc[0]
            raise BadBars(f"{symbol} {row['date']}: {name} is {str(row[name])!r}, not a number")
        rows = rows.assign(**{name: numbers})
    return rows[wanted]


def _once(symbol: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[date]]:
    distinct = rows.drop_duplicates()
    contradicting = distinct["date"][distinct["date"].duplicated()]
    if len(contradicting):
        raise BadBars(f"{symbol} {contradicting.iloc[0]}: there are several rows that differ")
    return distinct, sorted(set(rows["date"][rows["date"].duplicated()]))


def _in_sessions(rows: pd.DataFrame, hours: TradingHours) -> tuple[pd.DataFrame, list[date]]:
    is_session = np.array([hours.close_of(day) is not None for day in rows["date"]], dtype=bool)
    return rows[is_session], list(rows["date"][~is_session])


def _gaps(days: "pd.Series[date]", hours: TradingHours) -> list[date]:
    if days.empty:
        return []
    there = set(days)
    return [day for day in hours.days(days.iloc[0], days.iloc[-1]) if day not in there]


def _bars(symbol: str, rows: pd.DataFrame, close_of: CloseOf) -> Bars:
    closes = [close for day in rows["date"] if (close := close_of(day)) is not None]
    columns = {name: rows[name].to_numpy() for name in (*PRICES, "volume")}
    traded = Bars.checked(symbol, as_times(closes), **columns)
    return traded.adjusted(rows["adj_close"].to_numpy()) if "adj_close" in rows else traded


def _listed(what: str, days: Sequence[date]) -> str:
    if not days:
        return ""
    shown = ", ".join(map(str, days[:MAX_SHOWN])) + (", ..." if len(days) > MAX_SHOWN else "")
    return f"{len(days)} {what} ({shown})"
