"""The equity curve, one row for each day: losses and drawdowns are measured against it."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection

from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import EquityDay, TradingAccount
from execution.prop_firm.days import Day, record
from signals.rows import insert, select, select_one, update

_LATEST = "SELECT * FROM equity_days WHERE account = %s ORDER BY day DESC LIMIT 1"
_SINCE = "SELECT * FROM equity_days WHERE account = %s AND day >= %s"


@dataclass
class EquityCurve:
    """The stored equity curve of an account, and marks that are not written yet."""

    context: TradingContext
    row: TradingAccount
    latest: EquityDay | None
    _is_peak: bool = False
    _changed: list[EquityDay] = field(default_factory=list)

    @classmethod
    def read(cls, context: TradingContext, money: Account) -> "EquityCurve":
        """Return the stored curve, and lock the account row until the caller's transaction ends."""
        return cls(
            context, account_row(context.account, money, locked=True), latest_day(context.account)
        )

    def add(self, money: Account, opened: int = 0) -> EquityDay:
        """Add the account's present equity to its day and to the peak, and return the day.

        `opened` is how many positions were opened since the last mark. If the clock went back, no
        earlier day is opened again: the mark counts for the latest day.
        """
        day = marked(self.context, self.latest, money, opened)
        if day not in self._changed[-1:]:
            self._changed.append(day)
        self.latest = day
        if money.equity > self.row.peak_equity:
            self.row.peak_equity, self._is_peak = money.equity, True
        return day

    def write(self) -> None:
        """Write the marks, inside the caller's transaction."""
        for day in self._changed:
            if day._state.adding:
                insert(day)
            else:
                update(EquityDay, day.pk, as_day(day)._asdict() | {"marked_at": day.marked_at})
        if self._is_peak:
            update(TradingAccount, self.row.pk, {"peak_equity": self.row.peak_equity})
        self._is_peak = False
        self._changed.clear()


def latest_day(account: str) -> EquityDay | None:
    """Return the latest day that has a mark; None if there is none."""
    return select_one(EquityDay, _LATEST, [account])


def day_start(context: TradingContext, money: Account) -> Decimal:
    """Return the equity at which today began; the present equity if today has no row yet.

    If the clock was ahead for a while, rows of later days exist. Then return the highest first
    equity of all these days, so that no loss is forgotten.
    """
    today = connection.ops.adapt_datefield_value(context.day_of(money.time))
    firsts = [day.first_equity for day in select(EquityDay, _SINCE, [context.account, today])]
    return (
        max(firsts) if firsts else marked(context, latest_day(context.account), money).first_equity
    )


def as_day(row: EquityDay) -> Day:
    """Return the row as the firm's rules use it."""
    return Day(*(getattr(row, name) for name in Day._fields))


def marked(
    context: TradingContext, latest: EquityDay | None, money: Account, opened: int = 0
) -> EquityDay:
    """Return the day's row with this mark, not written; a new row if a new day has begun.

    Raises `NotMeasurable` if a figure is not a number.
    """
    known = [as_day(latest)] if latest else []
    day = record(known, context.day_of(money.time), money.equity, money.balance, opened)
    if latest is None or latest.day != day.day:
        return EquityDay(account=context.account, marked_at=money.time, **day._asdict())
    for name, value in day._asdict().items():
        setattr(latest, name, value)
    latest.marked_at = max(latest.marked_at, money.time)
    return latest
