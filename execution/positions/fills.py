"""Takes the broker's fills: each counts once, in any order, and never for more than was ordered."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import connection, transaction

from execution.accounts import halts
from execution.accounts.rows import lock
from execution.brokers.protocol import BrokerError, FillReport, Unread, unread
from execution.context import TradingContext
from execution.models import Fill, Order
from execution.money import ZERO, exact_text, times
from execution.orders.bracket import Trade
from execution.orders.revival import revive_refused
from execution.orders.states import may_become, move
from execution.positions.carry import carry_before
from execution.positions.positions import update_position
from execution.types import HaltCode, Leg, OrderState
from signals.log_context import about_signal

logger = logging.getLogger(__name__)

OVERLAP = timedelta(days=1)
"""How far before the newest known fill the broker is asked again, because fills may come late."""
LATE_FILL_GRACE = timedelta(minutes=10)
"""How long an exit's fill waits for its entry's fill, which should have come first."""
_INSERT = """
INSERT INTO fills (account, fill_id, order_id, quantity, price, fee, time, refused)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (account, fill_id) DO NOTHING
"""


def take_fills(context: TradingContext) -> list[Order]:
    """Ask the broker for fills, store the new ones, and return the orders that they filled.

    A fill of ours that cannot be read halts trading. Raises `BrokerError` if the broker fails.
    """
    reports = context.broker.fills(_since(context))
    _halt_for_unread(context, unread(reports))
    known = set(
        Fill.objects.filter(
            account=context.account, fill_id__in=[each.fill_id for each in reports]
        ).values_list("fill_id", flat=True)
    )
    new = [each for each in reports if each.fill_id not in known]
    return record(context, new) if new else []


def record(context: TradingContext, reports: Sequence[FillReport]) -> list[Order]:
    """Store the fills that are not stored yet, and return the orders that they filled.

    A fill that cannot belong to its order is stored as refused, and halts trading.
    """
    by_signal: dict[int, list[tuple[int, FillReport]]] = {}
    orders = _known(context, reports) if reports else {}
    for each in sorted(reports, key=lambda one: (one.time, one.fill_id)):
        if (found := orders.get(each.broker_id)) is None:
            logger.warning("A fill belongs to no order of ours: %s", each)  # reconcile compares
        else:
            by_signal.setdefault(found[1], []).append((found[0], each))
    return [order for pk, of_it in by_signal.items() for order in _record(context, pk, of_it)]


def _since(context: TradingContext) -> datetime:
    """Return a day before the newest fill, or before the oldest order that may still fill."""
    times = [order.created_at for order in Order.objects.may_fill(context.account)]
    known = Fill.objects.filter(account=context.account).order_by("-time")
    times += known.values_list("time", flat=True)[:1]
    return min(times, default=context.clock()) - OVERLAP


def _known(context: TradingContext, reports: Sequence[FillReport]) -> dict[str, tuple[int, int]]:
    """Return what `_orders` returns, also of orders that the broker has although it refused them.

    If that cannot be asked, the fills are counted by a later look.
    """
    found = _orders(context.account, reports)
    strange = {each.symbol for each in reports if each.broker_id not in found}
    if strange:
        try:
            revive_refused(context, symbols=strange)
        except BrokerError as error:
            logger.error("The orders of fills that are not known cannot be looked up: %s", error)
        found = _orders(context.account, reports)
    return found


def _orders(account: str, reports: Sequence[FillReport]) -> dict[str, tuple[int, int]]:
    """Return the primary keys of order and signal, by the broker's id of the order."""
    names = {each.broker_id for each in reports}
    found = Order.objects.of_broker(account, names)
    return {order.broker_id: (order.pk, order.signal_id) for order in found}


def _record(
    context: TradingContext, signal_pk: int, reports: Sequence[tuple[int, FillReport]]
) -> list[Order]:
    """Store the fills of one signal's orders, oldest first, and update its position."""
    with transaction.atomic():
        lock(context.account)
        carry_before(context, signal_pk, reports[-1][1])
        trade = Trade.read(signal_pk)
        touched = [
            order for pk, each in reports if _store(context, trade, order := trade.order(pk), each)
        ]
        if touched:
            update_position(context, trade)
            transaction.on_commit(partial(_log_fills, context, trade, touched))
    return touched


def _log_fills(context: TradingContext, trade: Trade, touched: Sequence[Order]) -> None:
    if not logger.isEnabledFor(context.log_level):
        return
    with about_signal(trade.signal.signal_id):
        for order in touched:
            logger.log(context.log_level, "Filled %s of %s, on average at %s",
                       order.filled, order, order.average_price)  # fmt: skip


def _store(context: TradingContext, trade: Trade, order: Order, fill: FillReport) -> bool:
    """Return whether the fill is new and counts."""
    if _is_early(trade, order, fill, context.clock()) or not _is_on_scale(
        context, trade, order, fill
    ):
        return False
    why = _why_refused(context, trade, order, fill)
    if not _insert(context.account, order, fill, why):
        return False
    if why:
        _refuse(context, order, fill, why)
    else:
        _count(context, order, fill)
    return not why


def _halt_for_unread(context: TradingContext, rows: Sequence[Unread]) -> None:
    """Halt once for each fill of an order of ours that cannot be read; after that, only compare."""
    known = Order.objects.of_broker(context.account, {each.order_id for each in rows})
    orders = {order.broker_id: order for order in known if order.broker_id}
    for each in rows:
        if order := orders.get(each.order_id):
            figures = {"unread": each.row_id}
            why = f"a fill of {order.client_order_id} cannot be read: {each.text}"
            halts.latch_once(context.account, HaltCode.OVERFILL, why, context.clock(), figures)
        else:
            logger.warning("A fill that belongs to no order of ours cannot be read: %s", each)


def _insert(account: str, order: Order, fill: FillReport, refused: str) -> bool:
    figures = [exact_text(each) for each in (fill.quantity, fill.price, fill.fee)]
    time = connection.ops.adapt_datetimefield_value(fill.time)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [account, fill.fill_id, order.pk, *figures, time, refused])
        return bool(cursor.rowcount == 1)


def _why_refused(context: TradingContext, trade: Trade, order: Order, fill: FillReport) -> str:
    """Return why the fill cannot belong to the order; an empty text if it can."""
    names = {order.symbol, *(each.new_symbol for each in trade.actions if each.new_symbol)}
    is_ours = context.instrument(fill.symbol) in map(context.instrument, names)
    if fill.side != order.side or not is_ours:
        return f"it is a {fill.side} of {fill.symbol}, the order a {order.side} of {order.symbol}"
    if not (fill.quantity > ZERO and fill.price > ZERO):
        return f"{fill.quantity} at {fill.price} is not a valid fill"
    most = _awaited(trade, order, fill)
    if order.leg != Leg.ENTRY:
        most = min(most, trade.held)
    if fill.quantity > most:
        return f"{fill.quantity} is more than the {most} that was left of the order"
    return ""


def _awaited(trade: Trade, order: Order, fill: FillReport) -> Decimal:
    """Return the quantity that may still fill; the broker may have split the order, too."""
    ratio = trade.ratio_since(order.created_at, order.level or fill.price)
    return max(order.awaited, times(order.quantity, ratio) - order.filled)


def _is_on_scale(context: TradingContext, trade: Trade, order: Order, fill: FillReport) -> bool:
    """Return whether an exit's price is on the scale of the last close seen, or else of the
    entry's.

    If it is not, nothing is booked: the broker reports the fill again, and it is counted when the
    split that it looks like is known.
    """
    if context.broker.carries_over or order.leg == Leg.ENTRY:
        return True
    day_of = context.hours(order.symbol).day_of
    entry = trade.entry
    if day_of(entry.created_at) == day_of(fill.time) or entry.average_price is None:
        return True
    if trade.ratio_since(entry.created_at, entry.average_price) != 1:
        return True  # the split is known
    before, seen_at = context.history.last_close(order.symbol) or (
        entry.average_price, entry.created_at
    )  # fmt: skip
    return context.history.checked(order.symbol, before, seen_at, fill.price, fill.time)


def _is_early(trade: Trade, order: Order, fill: FillReport, now: datetime) -> bool:
    """Return whether an exit's fill came before its entry's.

    It is not stored then: the broker reports it again, and it is counted at that time.
    """
    if order.leg == Leg.ENTRY or fill.quantity <= trade.held or now - fill.time > LATE_FILL_GRACE:
        return False
    return all(entry.filled < entry.quantity for entry in trade.entries)


def _refuse(context: TradingContext, order: Order, fill: FillReport, why: str) -> None:
    halts.latch(
        context.account, HaltCode.OVERFILL, f"a fill of {order.client_order_id} is refused: {why}",
        context.clock(), figures=fill._asdict(),
    )  # fmt: skip


def _count(context: TradingContext, order: Order, fill: FillReport) -> None:
    """Update the order's filled quantity and average price, and its state if that may follow."""
    filled = order.filled + fill.quantity
    value = order.filled * (order.average_price or ZERO) + fill.quantity * fill.price
    new = OrderState.FILLED if filled == order.quantity else OrderState.PARTIALLY_FILLED
    changes = {"filled": filled, "average_price": value / filled}
    if may_become(OrderState(order.state), new):
        move(order, new, context.clock(), **changes)
    else:  # a canceled order that was filled in part stays canceled
        Order.objects.filter(pk=order.pk).update(**changes, updated_at=context.clock())
        order.filled, order.average_price = filled, value / filled
