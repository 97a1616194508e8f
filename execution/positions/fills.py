"""Fills, as the broker tells them: each counted once, in any order, and never more than ordered."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from execution.accounts import halts
from execution.accounts.rows import lock
from execution.brokers.protocol import FillReport
from execution.context import TradingContext
from execution.models import Fill, Order
from execution.money import ZERO, exact_text
from execution.orders.bracket import Trade
from execution.orders.states import may_become, move
from execution.positions.positions import update_position
from execution.types import Leg, OrderState

logger = logging.getLogger(__name__)

OVERLAP = timedelta(days=1)
"""Told again each time, should one have come late."""
PATIENCE = timedelta(minutes=10)
"""For an entry's fill that should have come before its exit's."""
_INSERT = """
INSERT INTO fills (account, fill_id, order_id, quantity, price, fee, time, refused)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (account, fill_id) DO NOTHING
"""


def take_fills(context: TradingContext) -> list[Order]:
    """Ask the broker for fills and write down the new ones; the orders that they filled.

    Raises `BrokerError`.
    """
    told = context.broker.fills(_since(context))
    known = set(
        Fill.objects.filter(
            account=context.account, fill_id__in=[each.fill_id for each in told]
        ).values_list("fill_id", flat=True)
    )
    new = [each for each in told if each.fill_id not in known]
    return record(context, new) if new else []


def record(context: TradingContext, new: Sequence[FillReport]) -> list[Order]:
    """Write these fills down, those that are not there; the orders that they filled."""
    by_signal: dict[int, list[tuple[int, FillReport]]] = {}
    orders = _orders(context.account, new) if new else {}
    for each in sorted(new, key=lambda one: (one.time, one.fill_id)):
        if (found := orders.get(each.broker_id)) is None:
            logger.warning("A fill of no order of ours: %s", each)  # reconciling asks about it
        else:
            by_signal.setdefault(found[1], []).append((found[0], each))
    return [order for pk, told in by_signal.items() for order in _record(context, pk, told)]


def _since(context: TradingContext) -> datetime:
    """When the oldest order was made that may still be filled, and a day before the newest fill."""
    times = [order.created_at for order in Order.objects.may_fill(context.account)]
    told = Fill.objects.filter(account=context.account).order_by("-time")
    times += told.values_list("time", flat=True)[:1]
    return min(times, default=context.clock()) - OVERLAP


def _orders(account: str, new: Sequence[FillReport]) -> dict[str, tuple[int, int]]:
    """The rows of order and signal, by the broker's id."""
    names = {each.broker_id for each in new}
    found = Order.objects.of_broker(account, names)
    return {order.broker_id: (order.pk, order.signal_id) for order in found}


def _record(
    context: TradingContext, signal_pk: int, told: Sequence[tuple[int, FillReport]]
) -> list[Order]:
    """The fills of one signal's orders, oldest first, and what they do to its position."""
    with transaction.atomic():
        lock(context.account)
        trade = Trade.read(signal_pk)
        touched = [
            order for pk, each in told if _counted(context, trade, order := trade.order(pk), each)
        ]
        if touched:
            update_position(context, trade)
    return touched


def _counted(context: TradingContext, trade: Trade, order: Order, told: FillReport) -> bool:
    """Whether the fill is new and counts."""
    if _is_early(trade, order, told, context.clock()):
        return False
    why = _why_refused(trade, order, told)
    if not _insert(context.account, order, told, why):
        return False
    if why:
        _refuse(context, order, told, why)
    else:
        _count(context, order, told)
    return not why


def _insert(account: str, order: Order, told: FillReport, refused: str) -> bool:
    figures = [exact_text(each) for each in (told.quantity, told.price, told.fee)]
    time = connection.ops.adapt_datetimefield_value(told.time)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [account, told.fill_id, order.pk, *figures, time, refused])
        return bool(cursor.rowcount == 1)


def _why_refused(trade: Trade, order: Order, told: FillReport) -> str:
    """Why this fill cannot be of this order; empty where it can."""
    if told.side != order.side or told.symbol != order.symbol:
        return f"it is a {told.side} of {told.symbol}, the order a {order.side} of {order.symbol}"
    if not (told.quantity > ZERO and told.price > ZERO):
        return f"{told.quantity} at {told.price} is no fill"
    most = order.awaited
    if order.leg != Leg.ENTRY:
        most = min(most, trade.held)
    if told.quantity > most:
        return f"{told.quantity} is more than the {most} that was left of the order"
    return ""


def _is_early(trade: Trade, order: Order, told: FillReport, now: datetime) -> bool:
    """An exit's fill that came before its entry's: it is told again, and counted then."""
    if order.leg == Leg.ENTRY or told.quantity <= trade.held or now - told.time > PATIENCE:
        return False
    return trade.entry.filled < trade.entry.quantity


def _refuse(context: TradingContext, order: Order, told: FillReport, why: str) -> None:
    halts.latch(
        context.account, "overfill", f"a fill of {order.client_order_id} is refused: {why}",
        context.clock(), figures=told._asdict(),
    )  # fmt: skip


def _count(context: TradingContext, order: Order, told: FillReport) -> None:
    """The order's filled quantity and average price, and its state where that may follow."""
    filled = order.filled + told.quantity
    value = order.filled * (order.average_price or ZERO) + told.quantity * told.price
    new = OrderState.FILLED if filled == order.quantity else OrderState.PARTIALLY_FILLED
    changes = {"filled": filled, "average_price": value / filled}
    if may_become(OrderState(order.state), new):
        move(order, new, context.clock(), **changes)
    else:  # canceled with a part filled stays canceled
        Order.objects.filter(pk=order.pk).update(**changes, updated_at=context.clock())
        order.filled, order.average_price = filled, value / filled
