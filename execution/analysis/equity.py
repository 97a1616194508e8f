"""An account's equity day by day, without its deposits and withdrawals."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from execution.accounts.equity import days_since
from execution.models import EquityDay, Position
from signals.analysis.equity import Equity
from signals.instruments import instrument
from signals.market.hours import exchange_hours

EXCHANGE_DAYS, ALL_DAYS = 252, 365
ONE_DAY = timedelta(days=1)
Days = NDArray[np.datetime64]


def daily_equity(
    account: str, exchange: str, *, risk_free: float = 0.0, as_of: datetime | None = None
) -> Equity:
    """Return the account's equity at the end of each day, as if it had had no transfers.

    The return of a day is its last equity / (the last equity before + what was paid in), so that a
    deposit is no profit (time-weighted). The days are the sessions of `exchange`, 252 a year; if
    the account has held a cryptocurrency, every day, 365 a year. On a day on which nobody looked at
    the account, its equity is that of the day before. The first value is the equity at which the
    first day began. `risk_free` is the rate for a year, as a share. With `as_of` the days end
    with the last one whose figures were complete then.
    """
    rows = [row for row in days_since(account, date.min) if as_of is None or row.marked_at <= as_of]
    positions = list(Position.objects.filter(account=account))
    always = _holds_crypto(positions)
    days = _calendar(rows, None if always else exchange)
    return Equity(
        days=days,
        values=_values(rows, days),
        is_invested=_is_invested(days, positions),
        days_a_year=ALL_DAYS if always else EXCHANGE_DAYS,
        risk_free=risk_free,
    )


def _holds_crypto(positions: Sequence[Position]) -> bool:
    symbols = {position.symbol for position in positions}
    return any(instrument(symbol).kind.is_crypto for symbol in symbols)


def _calendar(rows: Sequence[EquityDay], exchange: str | None) -> Days:
    """Return the day before the first row, and the account's days from there to the last row."""
    if not rows:
        return np.array([], "datetime64[D]")
    first, last = rows[0].day, rows[-1].day
    if exchange is None:
        between = [first + ONE_DAY * number for number in range((last - first).days + 1)]
    else:
        between = exchange_hours(exchange).days(first, last)
    return np.array([first - ONE_DAY, *between], "datetime64[D]")


def _values(rows: Sequence[EquityDay], days: Days) -> NDArray[np.float64]:
    """Return the equity at the end of each of these days."""
    known = np.array([row.day for row in rows], "datetime64[D]")
    grown = np.array(list(_grown(rows)), dtype=float)
    return grown[np.searchsorted(known, days, "right")] if rows else grown


def _grown(rows: Sequence[EquityDay]) -> Iterator[float]:
    """Yield the first equity, and then that equity multiplied by the return of each row.

    All figures of a row are as if its day's transfers had been made before the day began.
    """
    if not rows:
        return
    value, before = float(rows[0].first_equity), rows[0].first_equity
    yield value
    for number, row in enumerate(rows):
        base = before + (row.transferred if number else 0)
        value = value * float(row.last_equity / base) if base > 0 else 0.0
        before = row.last_equity
        yield value


def _is_invested(days: Days, positions: Sequence[Position]) -> NDArray[np.bool_]:
    """Return for each day whether a position was open on it."""
    found = np.zeros(days.size, dtype=bool)
    for position in positions:
        begin = np.searchsorted(days, np.datetime64(position.opened_at.date()))
        closed = position.closed_at
        end = np.searchsorted(days, np.datetime64(closed.date()), "right") if closed else days.size
        found[begin:end] = True
    return found
