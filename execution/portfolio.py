"""The account as the risk rules see it: the broker's money, and what our own rows hold."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution.brokers.protocol import Account, Leg, State
from execution.desk import Desk
from execution.equity import account_row, latest_day, marked
from execution.fields import ZERO
from execution.halts import why_halted
from execution.models import Order, Position
from execution.risk.intent import Holding, Portfolio, Side

NOT_AT_BROKER = (State.INITIALIZED, State.SUBMITTED, State.UNKNOWN)
"""Orders that the broker's buying power may not count yet."""
MINUTE = timedelta(minutes=1)


def portfolio(desk: Desk, money: Account, now: datetime) -> Portfolio:
    """Positions and entries that may become some, whoever asked for them.

    The account stays locked until the caller's transaction ends: no other decision is made on it
    meanwhile.
    """
    row = account_row(desk, money, locked=True)
    today = marked(desk, latest_day(desk.account), money)
    entries = _open_entries(desk.account)
    return Portfolio(
        equity=money.equity,
        buying_power=money.buying_power - _not_counted(entries),
        day_start=today.first_equity,
        peak=max(row.peak_equity, money.equity),
        holdings=[*_positions(desk.account), *(entry.awaited for entry in entries)],
        orders=_latest_orders(desk.account, now),
        losses=_losses(desk.account, desk.limits.losses_in_a_row),
        halt=why_halted(desk.account),
    )


class Entry(NamedTuple):
    """An entry that may still be filled; `level` is the price at which it was decided on."""

    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    level: Decimal
    state: str

    @property
    def awaited(self) -> Holding:
        """What it may become."""
        return Holding(self.symbol, Side(self.side), self.quantity - self.filled, self.level)


def _open_entries(account: str) -> list[Entry]:
    rows = Order.objects.may_fill(account).filter(leg=Leg.ENTRY)
    return [Entry(*row) for row in rows.values_list(*Entry._fields)]


def _positions(account: str) -> list[Holding]:
    rows = Position.objects.filter(account=account, status=Position.Status.OPEN)
    figures = rows.values_list("symbol", "side", "quantity", "closed_quantity", "entry_price")
    return [
        Holding(symbol, Side(side), quantity - closed, price)
        for symbol, side, quantity, closed, price in figures
    ]


def _not_counted(entries: list[Entry]) -> Decimal:
    waiting = (each for each in entries if each.state in NOT_AT_BROKER)
    return sum((each.quantity * each.level for each in waiting), ZERO)


def _latest_orders(account: str, now: datetime) -> list[datetime]:
    recent = Order.objects.filter(account=account, leg=Leg.ENTRY, created_at__gt=now - MINUTE)
    return list(recent.values_list("created_at", flat=True))


def _losses(account: str, count: int) -> list[datetime]:
    """When the latest trades ended, as long as they lost; at most `count`."""
    ended = Position.objects.filter(account=account, status=Position.Status.CLOSED)
    latest = ended.order_by("-closed_at", "-pk").values_list("closed_at", "profit")[:count]
    losses: list[datetime] = []
    for closed_at, profit in latest:
        if closed_at is None or profit is None or profit >= ZERO:
            break
        losses.append(closed_at)
    return losses
