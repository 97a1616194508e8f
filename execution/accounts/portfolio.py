"""The account as the risk rules see it: the broker's money, and our own rows of what is held."""

from datetime import datetime, timedelta
from decimal import Decimal

from execution.accounts.equity import day_start
from execution.accounts.halts import halt_reason
from execution.accounts.rows import account_row
from execution.brokers.protocol import Account
from execution.context import TradingContext
from execution.models import Order, Position
from execution.money import ZERO
from execution.risk.model import Exposure, Portfolio
from execution.types import ON_THE_WAY, Leg, Side

MINUTE = timedelta(minutes=1)


def portfolio(
    context: TradingContext, money: Account, now: datetime, *, locked: bool = True
) -> Portfolio:
    """Return the account's money, positions, and entries that may become positions.

    `locked`: lock the account row until the caller's transaction ends, so that no other decision is
    made on it meanwhile. Orders that `money` does not include yet are subtracted from the buying
    power.
    """
    row = account_row(context.account, money, locked=locked)
    entries = [each for each in Order.objects.may_fill(context.account) if each.leg == Leg.ENTRY]
    return Portfolio(
        equity=money.equity,
        buying_power=money.buying_power - _not_counted(entries, money.time),
        day_start=day_start(context, money),
        peak=max(row.peak_equity, money.equity),
        holdings=_holdings(context, entries),
        orders=_latest_orders(context.account, now),
        losses=_losses(context.account, context.limits.losses_in_a_row),
        halt=halt_reason(context.account),
    )


def _is_counted(entry: Order, asked_at: datetime) -> bool:
    """Return whether the broker had confirmed the entry when it was asked for the money."""
    return entry.state not in ON_THE_WAY and entry.updated_at <= asked_at


def _decision_price(entry: Order) -> Decimal:
    """Return the price at which the entry was decided on."""
    return entry.level or ZERO


def _holdings(context: TradingContext, entries: list[Order]) -> list[Exposure]:
    """Return one exposure for each signal: what is held, plus what its entry may still add.

    Rows of an older version may have another spelling of the instrument.
    """
    awaited = {entry.signal_id: entry for entry in entries}
    found: list[Exposure] = []
    for each in Position.objects.open_on(context.account):
        entry = awaited.pop(each.pk, None)
        held = each.left + (entry.awaited if entry else ZERO)
        found.append(Exposure(_name(context, each.symbol), Side(each.side), held, each.entry_price))
    return found + [
        Exposure(_name(context, entry.symbol), Side(entry.side), entry.awaited,
                 _decision_price(entry))
        for entry in awaited.values()
    ]  # fmt: skip


def _name(context: TradingContext, symbol: str) -> str:
    return context.instrument(symbol).symbol


def _not_counted(entries: list[Order], asked_at: datetime) -> Decimal:
    waiting = (each for each in entries if not _is_counted(each, asked_at))
    return sum((each.quantity * _decision_price(each) for each in waiting), ZERO)


def _latest_orders(account: str, now: datetime) -> list[datetime]:
    return [order.created_at for order in Order.objects.entries_since(account, now - MINUTE)]


def _losses(account: str, count: int) -> list[datetime]:
    """Return when the latest trades closed, as long as they lost; at most `count`."""
    losses: list[datetime] = []
    for each in Position.objects.latest_closed(account, count):
        if each.closed_at is None or (each.profit or ZERO) >= ZERO:
            break
        losses.append(each.closed_at)
    return losses
