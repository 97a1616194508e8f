"""Sends orders to the broker: first a row, then the call; after an unclear answer, a look-up."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from execution.accounts import halts
from execution.accounts.failures import Guard, each_isolated
from execution.brokers.protocol import Bracket, BrokerError, Close, Stop
from execution.context import TradingContext
from execution.models import CorporateAction, Order, Position
from execution.models.order import ORDER_LEASE as ORDER_LEASE
from execution.money import ZERO
from execution.orders.adoption import adopt, end_exits, storable
from execution.orders.states import move
from execution.types import AT_BROKER, ON_THE_WAY, Leg, OrderState, Side
from signals.ahead import limit
from signals.log_context import about_signal
from signals.owner import new_owner_id

logger = logging.getLogger(__name__)

LOOKUP_DELAY = timedelta(seconds=10)
"""How long to wait after a time-out, because the order may still be on its way."""
SENT_LEGS = (Leg.ENTRY, Leg.CLOSE)
"""The legs that are sent on their own. The exits go with their entry, except for a stop that is put
back later, which has a number above 1."""
_SENT_ALONE = Q(leg__in=SENT_LEGS) | Q(number__gt=1)


def send_due(context: TradingContext) -> int:
    """Send the due orders that are new, and look up those that are unclear; return how many.

    One order that fails stops no other; the first failure is raised after them.
    """
    due = Order.objects.to_send(context.account, context.clock())
    with each_isolated() as guard:
        return sum(_send_guarded(context, order, guard) for order in due)


def _send_guarded(context: TradingContext, order: Order, guard: Guard) -> bool:
    with guard(order):
        return send(context, order)
    return False


def send(context: TradingContext, order: Order) -> bool:
    """Send one order or look it up; return False if another worker has it."""
    with about_signal(order.signal.signal_id):
        return _send(context, order)


def _send(context: TradingContext, order: Order) -> bool:
    now, owner = context.clock(), new_owner_id()
    claim = {"claim": owner, "due_at": now + ORDER_LEASE}
    if order.state != OrderState.INITIALIZED:
        is_due = Q(due_at__lte=now) | Q(due_at__gt=limit(now, ORDER_LEASE))
        free = Order.objects.filter(_SENT_ALONE, is_due, pk=order.pk, state=order.state)
        if order.state not in ON_THE_WAY or free.update(**claim) != 1:
            return False
        if _look_up(context, order):
            return True
    if why := _denied(context, order, now):
        logger.warning("%s is not sent: %s", order.client_order_id, why)
        return end(context, order, OrderState.DENIED, why)
    if _left_unprotected(context, order):
        return True
    if not move(order, OrderState.SUBMITTED, now, submitted_at=now, **claim):
        return False
    _submit(context, order)
    return True


def _look_up(context: TradingContext, order: Order) -> bool:
    """Return False if the order must be sent: the broker answered that it never had it."""
    try:
        report = context.broker.find(order.client_order_id)
    except BrokerError as error:
        _doubt(context, order, error)
        return True
    if report is None:
        return False
    adopt(context, order, report)
    return True


def _left_unprotected(context: TradingContext, order: Order) -> bool:
    """End a close that failed after it canceled the stop; return False if it may be sent again.

    A stop is put back before the next try. Return True also if the broker does not answer.
    """
    if order.leg != Leg.CLOSE or order.state != OrderState.UNKNOWN:
        return False
    try:
        refresh_exits(context, order)
    except BrokerError as error:
        _doubt(context, order, error)
        return True
    if _exits_at_broker(order, Leg.STOP):
        return False
    end(context, order, OrderState.REJECTED, order.reason)
    return True


def refresh_exits(context: TradingContext, close: Order) -> None:
    """Ask the broker for the exits of the position that the order was to close, and adopt their
    states. Raises `BrokerError` if the broker fails."""
    orders = Order.objects.of_signal(close.signal_id)
    alone = [each for each in orders if each.leg == Leg.STOP and each.number > 1]
    for order in (orders[0], *(each for each in alone if each.state in AT_BROKER)):
        if report := context.broker.find(order.client_order_id):
            adopt(context, order, report)


def _denied(context: TradingContext, order: Order, now: datetime) -> str | None:
    """Return why the order must not be sent any more. An open position may always be closed."""
    if order.leg != Leg.ENTRY:
        position = Position.objects.of_signal(order.signal_id)
        return None if position and position.left else "its position is closed already"
    if now - order.created_at > context.max_age:
        return "it was not sent in time"
    return halts.halt_reason(context.account)


def _submit(context: TradingContext, order: Order) -> None:
    """Call the broker. Until it answers, it is not known if it has the order."""
    try:
        report = context.broker.submit(_request(order))
    except BrokerError as error:
        # a refusal may come although the order was placed
        if not error.permanent or not _look_up(context, order):
            _end_or_doubt(context, order, error)
    else:
        logger.log(context.log_level, "Sent: %s", order)
        adopt(context, order, report)


def _end_or_doubt(context: TradingContext, order: Order, error: BrokerError) -> None:
    if error.permanent and not error.duplicate:
        _reject(context, order, error)
    else:
        _doubt(context, order, error)


def _request(order: Order) -> Bracket | Close | Stop:
    side = Side(order.side)
    if order.leg != Leg.ENTRY:
        parent = order.parent
        assert parent is not None  # noqa: S101  # a close or a stop is made with its entry
        terms = (
            order.client_order_id, parent.client_order_id, order.symbol, side, order.quantity
        )  # fmt: skip
        is_carried = bool(CorporateAction.objects.applied_to(order.signal_id))
        if order.leg == Leg.CLOSE:
            exits = _exits_at_broker(order, Leg.STOP, Leg.TARGET)
            return Close(*terms, exits, is_carried)
        return Stop(*terms, order.level or ZERO, is_carried)
    legs = _exits(order)
    return Bracket(
        order.client_order_id, order.symbol, side, order.quantity,
        legs[Leg.TARGET].level or ZERO, legs[Leg.STOP].level or ZERO, order.level or ZERO,
    )  # fmt: skip


def _exits_at_broker(close: Order, *legs: Leg) -> tuple[str, ...]:
    """Return the broker's ids of these exits of the position."""
    orders = Order.objects.of_signal(close.signal_id)
    exits = (each for each in orders if each.leg in legs)
    return tuple(each.broker_id for each in exits if each.state in AT_BROKER)


def _doubt(context: TradingContext, order: Order, error: BrokerError) -> None:
    now = context.clock()
    logger.error("%s: the broker gave no answer: %s", order.client_order_id, error)
    reason, due_at = storable(str(error)), now + LOOKUP_DELAY
    move(order, OrderState.UNKNOWN, now, reason=reason, due_at=due_at, claim="")


def _reject(context: TradingContext, order: Order, error: BrokerError) -> None:
    logger.error("%s is rejected: %s", order.client_order_id, error)
    end(context, order, OrderState.REJECTED, str(error))


def end(context: TradingContext, order: Order, state: OrderState, why: str) -> bool:
    """End the order in this state; return False if another worker has moved it.

    An entry without a fill takes its exits with it, and its signal is followed as not traded.
    """
    now = context.clock()
    with transaction.atomic():
        if not move(order, state, now, reason=storable(why), claim=""):
            return False
        if order.leg == Leg.ENTRY and order.filled == ZERO:
            end_exits(context, Order.objects.of_signal(order.signal_id), now)
    return True


def _exits(entry: Order) -> dict[str, Order]:
    """Return the entry's stop and target, by leg."""
    found = Order.objects.of_signal(entry.signal_id)
    return {each.leg: each for each in found if each.leg in (Leg.STOP, Leg.TARGET)}
