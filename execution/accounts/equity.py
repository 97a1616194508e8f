"""The equity curve, one row for each day: losses and drawdowns are measured against it.

A deposit or a withdrawal is no profit. It moves the base of the account and every figure of the
curve, as if it had been made before the account began. The figures of earlier days are moved when
they are read, so that their rows keep the real money. A transfer belongs to the day marked last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from execution.accounts.day_end import as_day, completed
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay, TradingAccount
from execution.money import ZERO
from execution.prop_firm.days import Day, moved, moved_within, record
from signals.rows import insert, select, select_one, select_values, update

_LATEST = "SELECT * FROM equity_days WHERE account = %s ORDER BY day DESC LIMIT 1"
_SINCE = "SELECT * FROM equity_days WHERE account = %s AND day >= %s ORDER BY day"
_CLOSES = (
    "SELECT day, last_equity, transferred FROM equity_days WHERE account = %s AND day >= %s "
    "ORDER BY day DESC"
)
MOVED = ("start_equity", "start_balance", "peak_equity")
"""The base of an account, which a transfer moves."""


class Close(NamedTuple):
    """The equity at the end of a day."""

    day: date
    equity: Decimal


@dataclass
class EquityCurve:
    """The stored equity curve of an account, and marks that are not written yet."""

    context: TradingContext
    row: TradingAccount
    latest: EquityDay | None
    _base: dict[str, object] = field(default_factory=dict)
    _changed: list[EquityDay] = field(default_factory=list)

    @classmethod
    def read(cls, context: TradingContext, money: Account) -> "EquityCurve":
        """Return the stored curve, and lock the account row until the caller's transaction ends."""
        return cls(context, account_row(context, money, locked=True), latest_day(context.account))

    def add(self, money: Account, opened: int = 0) -> EquityDay:
        """Add the account's present equity to its day and to the peak, and return the day.

        `opened` is how many positions were opened since the last mark. If the clock went back, no
        earlier day is opened again: the mark counts for the latest day.
        """
        today = self.context.day_of(money.time)
        if self.latest is not None:
            for missed in completed(self.context, self.row, self.latest, today, money.equity):
                self._change(missed)
                self.latest = missed
        day = marked(self.context, self.latest, money, opened)
        self._change(day)
        self.latest = day
        if money.equity > self.row.peak_equity:
            self._set_base({"peak_equity": money.equity, "peak_at": money.time})
        return day

    def transfer(self, amount: Decimal) -> None:
        """Add deposits minus withdrawals that no mark includes yet, to the latest day.

        It opens no day: the trades of the days before may not be known yet.
        """
        self._set_base({name: getattr(self.row, name) + amount for name in MOVED})
        if self.latest is not None:
            _set(self.latest, moved(as_day(self.latest), amount), amount)
            self._change(self.latest)

    def add_late(self, amount: Decimal, since: date) -> None:
        """Add a transfer whose money is in the marks already, from the day `since` or a later one.

        The balances show on which day it came.
        """
        rows = days_since(self.row.name, self.row.counted_from or date.min)
        rows = [*rows[:-1], self.latest] if self.latest else rows
        ends = [rows[0].first_balance, *(row.last_balance for row in rows)]
        there = [each for each in range(len(rows)) if rows[each].day >= since] or [len(rows) - 1]
        at = min(there, key=lambda each: abs(ends[each + 1] - ends[each] - amount))
        day = moved_within(as_day(rows[at]), ends[at], amount)
        _set(rows[at], day, amount)
        self._change(rows[at])
        base = {name: getattr(self.row, name) + amount for name in MOVED}
        highest = (day.highest_equity for day in curve_days(rows))
        self._set_base(base | {"peak_equity": max(base["start_equity"], *highest)})

    def write(self) -> None:
        """Write the marks, inside the caller's transaction."""
        for day in self._changed:
            if day._state.adding:
                insert(day)
            else:
                extra = {"marked_at": day.marked_at, "transferred": day.transferred}
                update(EquityDay, day.pk, as_day(day)._asdict() | extra)
        if self._base:
            update(TradingAccount, self.row.pk, self._base)
        self._base = {}
        self._changed.clear()

    def _set_base(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            setattr(self.row, name, value)
        self._base |= values

    def _change(self, day: EquityDay) -> None:
        if day not in self._changed[-1:]:
            self._changed.append(day)


def latest_day(account: str) -> EquityDay | None:
    """Return the latest day that has a mark; None if there is none."""
    return select_one(EquityDay, _LATEST, [account])


def day_start(context: TradingContext, row: TradingAccount, money: Account) -> Decimal:
    """Return the equity at which today began; the present equity if today has no row yet.

    If the clock was ahead for a while, rows of later days exist. Then return the highest first
    equity of all these days, so that no loss is forgotten.
    """
    today = context.day_of(money.time)
    days = curve_days(days_since(context.account, max(today, row.counted_from or today)))
    if days:
        return max(day.first_equity for day in days)
    return marked(context, latest_day(context.account), money).first_equity


def days_since(account: str, first: date) -> list[EquityDay]:
    """Return the account's days from `first` on, oldest first."""
    day = connection.ops.adapt_datefield_value(first)
    return select(EquityDay, _SINCE, [account, day])


def closes_since(account: str, first: date) -> list[Close]:
    """Return the end of each day from `first` on, oldest first, as `curve_days` has it.

    For a chart of many years it takes a fraction of the time of the days' objects.
    """
    values = [account, connection.ops.adapt_datefield_value(first)]
    closes: list[Close] = []
    later = ZERO
    for day, equity, transferred in select_values(EquityDay, _CLOSES, values):
        closes.append(Close(day, equity + later))
        later += transferred
    return closes[::-1]


def highest(row: TradingAccount) -> list[Decimal]:
    """Return the highest equity of each day that counts, as `curve_days` has it."""
    rows = days_since(row.name, row.counted_from or date.min)
    return [day.highest_equity for day in curve_days(rows)]


def curve_days(rows: Sequence[EquityDay]) -> list[Day]:
    """Return the days of these rows, oldest first, as if later transfers had been made before."""
    days: list[Day] = []
    later = ZERO
    for row in reversed(rows):
        days.append(moved(as_day(row), later))
        later += row.transferred
    return days[::-1]


def marked(
    context: TradingContext, latest: EquityDay | None, money: Account, opened: int = 0
) -> EquityDay:
    """Return the day's row with this mark, not written; a new row if a new day has begun.

    Raises `NotMeasurable` if a figure is not a number.
    """
    known = [as_day(latest)] if latest else []
    day = record(known, context.day_of(money.time), money.equity, money.balance, opened)
    if latest is None or latest.day != day.day:
        return EquityDay(
            account=context.account, began_at=money.time, marked_at=money.time,
            transferred=ZERO, **day._asdict(),
        )  # fmt: skip
    _set(latest, day, ZERO)
    latest.marked_at = max(latest.marked_at, money.time)
    return latest


def _set(row: EquityDay, day: Day, transferred: Decimal) -> None:
    for name, value in day._asdict().items():
        setattr(row, name, value)
    row.transferred += transferred
