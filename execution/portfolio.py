"""The account as the risk rules see it: the broker's money, and what our own rows hold."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from execution.brokers.protocol import ON_THE_WAY, Account, Leg
from execution.desk import Desk
from execution.equity import account_row, day_start
from execution.fields import ZERO
from execution.halts import why_halted
from execution.models import Order, Position
from execution.risk.intent import Holding, Portfolio, Side

MINUTE = timedelta(minutes=1)


def portfolio(desk: Desk, money: Account, now: datetime, *, locked: bool = True) -> Portfolio:
    """Positions and entries that may become some, whoever asked for them.

    `locked`: the account stays so until the caller's transaction ends, and no other decision is
    made on it meanwhile. What was ordered since `money` was asked for is taken off it.
    """
    row = account_row(desk, money, locked=locked)
    entries = _open_entries(desk.account)
    return Portfolio(
        equity=money.equity,
        buying_power=money.buying_power - _not_counted(entries, money.time),
        day_start=day_start(desk, money),
        peak=max(row.peak_equity, money.equity),
        holdings=_holdings(desk.account, entries),
        orders=_latest_orders(desk.account, now),
        losses=_losses(desk.account, desk.limits.losses_in_a_row),
        halt=why_halted(desk.account),
    )


class Entry(NamedTuple):
    """An entry that may still be filled; `level` is the price at which it was decided on."""

    signal_id: int
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    level: Decimal
    state: str
    submitted_at: datetime | None

    @property
    def awaited(self) -> Decimal:
        """What may still be filled."""
        return self.quantity - self.filled

    def is_counted(self, asked_at: datetime) -> bool:
        """Whether the broker had it when it was asked for the money."""
        if self.state in ON_THE_WAY:
            return False
        return self.submitted_at is None or self.submitted_at <= asked_at


def _open_entries(account: str) -> list[Entry]:
    rows = Order.objects.may_fill(account).filter(leg=Leg.ENTRY)
    return [Entry(*row) for row in rows.values_list(*Entry._fields)]


def _holdings(account: str, entries: list[Entry]) -> list[Holding]:
    """One for each signal: what is held of it, and what its entry may still add."""
    awaited = {entry.signal_id: entry for entry in entries}
    rows = Position.objects.filter(account=account, status=Position.Status.OPEN)
    columns = ("pk", "symbol", "side", "quantity", "closed_quantity", "entry_price")
    found: list[Holding] = []
    for pk, symbol, side, quantity, closed, price in rows.values_list(*columns):
        entry = awaited.pop(pk, None)
        more = entry.awaited if entry else ZERO
        found.append(Holding(symbol, Side(side), quantity - closed + more, price))
    return found + [
        Holding(entry.symbol, Side(entry.side), entry.awaited, entry.level)
        for entry in awaited.values()
    ]


def _not_counted(entries: list[Entry], asked_at: datetime) -> Decimal:
    waiting = (each for each in entries if not each.is_counted(asked_at))
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
