"""Keeps every open position protected, and nothing protected that is no longer held."""

import logging
from collections.abc import Set as AbstractSet

from django.db import transaction

from execution.accounts.failures import Guard, unguarded
from execution.accounts.rows import lock
from execution.context import TradingContext
from execution.models import Order, Position
from execution.orders.bracket import new_stop
from execution.orders.router import send
from execution.types import Leg
from signals.log_context import about_signal

logger = logging.getLogger(__name__)


def protect(context: TradingContext, position: Position) -> None:
    """Put a stop back for a position that has none and that no order closes.

    Its price is that of the stop before. If the broker refuses it, health reports the position as
    unprotected, and it is tried again after a pause.
    """
    with transaction.atomic():
        lock(context.account)
        stop = new_stop(context, position.pk, context.clock())
    if stop is not None:
        with about_signal(position.signal.signal_id):
            logger.warning("%s has no stop: one is put back at %s", position, stop.level)
        send(context, stop)


def cancel_leftovers(
    context: TradingContext, listed: AbstractSet[str], guard: Guard = unguarded
) -> None:
    """Cancel exits at the broker whose position is closed: they would open a position.

    The broker itself cancels the rest of a bracket, but not a stop that was placed on its own.
    `listed` are the broker's ids of its open orders.
    """
    live = {order.broker_id: order for order in Order.objects.may_fill(context.account)}
    ours = Order.objects.of_broker(context.account, listed - live.keys())
    ours += [order for order in live.values() if order.leg == Leg.STOP and order.number > 1]
    for order in ours:
        if order.leg in (Leg.STOP, Leg.TARGET) and order.broker_id and _is_closed(order):
            with guard(order):
                context.broker.cancel(order.broker_id)


def _is_closed(order: Order) -> bool:
    position = Position.objects.of_signal(order.signal_id)
    return position is not None and position.status == Position.Status.CLOSED
