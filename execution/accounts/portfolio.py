"""The account as the risk rules see it: the broker's money, and our own rows of what is held."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from execution.accounts.equity import day_start
from execution.accounts.halts import halt_reason
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import Order, Position
from execution.models.order import OpenEntry
from execution.money import ZERO
from execution.risk.model import MINUTE, Exposure, Portfolio

SETTLING = timedelta(minutes=10)
"""An entry that was made longer ago than this is in every new answer of a broker."""


def portfolio(
    context: TradingContext, money: Account, now: datetime, *, locked: bool = True
) -> Portfolio:
    """Return the account's money, positions, and entries that may become positions.

    `locked`: lock the account row until the caller's transaction ends, so that no other decision is
    made on it meanwhile; `Portfolio.with_order` then keeps it up to date. Orders that `money` does
    not include yet are subtracted from the buying power. Only the columns that count are read,
    because hundreds of positions may be open.
    """
    row = account_row(context, money, locked=locked)
    entries = Order.objects.open_entries(context.account, money.time)
    return Portfolio(
        equity=money.equity,
        buying_power=money.buying_power - _not_counted(context.account, entries, money.time),
        day_start=day_start(context, row, money),
        peak=max(row.peak_equity, money.equity),
        holdings=_holdings(context, entries),
        orders=_latest_orders(context, now),
        losses=_losses(context.account, context.limits.losses_in_a_row),
        halt=halt_reason(context.account),
    )


def _holdings(context: TradingContext, entries: Iterable[OpenEntry]) -> list[Exposure]:
    """Return one exposure for each signal: what is held, plus what its entry may still add.

    Rows of an older version may have another spelling of the instrument.
    """
    awaited = {entry.signal_pk: entry for entry in entries}
    found: list[Exposure] = []
    for each in Position.objects.held_on(context.account):
        entry = awaited.pop(each.signal_pk, None)
        quantity = each.left + (entry.awaited if entry else ZERO)
        found.append(Exposure(_name(context, each.symbol), each.side, quantity, each.entry_price))
    return found + [
        Exposure(_name(context, entry.symbol), entry.side, entry.awaited, entry.price)
        for entry in awaited.values()
    ]


def _name(context: TradingContext, symbol: str) -> str:
    return context.instrument(symbol).symbol


def _not_counted(account: str, entries: Sequence[OpenEntry], asked_at: datetime) -> Decimal:
    """Return the value of the entries that the broker's buying power does not include yet.

    This includes entries of another worker that were sent and filled since the broker was asked.
    """
    waiting = (each.quantity * each.price for each in entries if not each.is_counted)
    return sum(waiting, Order.objects.spent_after(account, asked_at, asked_at - SETTLING))


def _latest_orders(context: TradingContext, now: datetime) -> list[datetime]:
    """Return when the orders of the last minute were made; no more than the limit needs."""
    most = context.limits.orders_a_minute
    return [] if most is None else Order.objects.entry_times(context.account, now - MINUTE, most)


def _losses(account: str, count: int) -> list[datetime]:
    """Return when the latest trades closed, as long as they lost; at most `count`."""
    losses: list[datetime] = []
    for each in Position.objects.latest_closed(account, count):
        if each.closed_at is None or (each.profit or ZERO) >= ZERO:
            break
        losses.append(each.closed_at)
    return losses
