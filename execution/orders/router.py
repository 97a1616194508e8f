"""Sends orders to the broker: first a row, then the call; after an unclear answer, a look-up."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from execution.accounts import halts
from execution.accounts.failures import Guard, each_isolated
from execution.brokers.protocol import Bracket, BrokerError, Close, OrderReport
from execution.context import TradingContext
from execution.models import Counterfactual, Order, Position
from execution.money import ZERO
from execution.orders.states import may_become, move
from execution.types import ON_THE_WAY, Leg, OrderState, Side
from signals.log_context import about_signal
from signals.owner import new_owner_id

logger = logging.getLogger(__name__)

ORDER_LEASE = timedelta(seconds=30)
"""Longer than any call to a broker: a worker that has an order for longer is taken for dead."""
LOOKUP_DELAY = timedelta(seconds=10)
"""How long to wait after a time-out, because the order may still be on its way."""
SENT_LEGS = (Leg.ENTRY, Leg.CLOSE)
"""The legs that are sent on their own; the exits go with their entry."""
_ON_THE_WAY = Q(leg__in=SENT_LEGS, state__in=ON_THE_WAY)
MAX_REASON_LENGTH = 500
"""The number of characters kept of a broker's reason."""


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
        free = Order.objects.filter(_ON_THE_WAY, pk=order.pk, state=order.state, due_at__lte=now)
        if free.update(**claim) != 1:
            return False
        if _look_up(context, order):
            return True
    if why := _denied(context, order, now):
        logger.warning("%s is not sent: %s", order.client_order_id, why)
        return end(context, order, OrderState.DENIED, why)
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
        if error.duplicate:
            _look_up(context, order)
        elif error.permanent:
            _reject(context, order, error)
        else:
            _doubt(context, order, error)
    else:
        logger.log(context.log_level, "Sent: %s", order)
        adopt(context, order, report)


def _request(order: Order) -> Bracket | Close:
    side = Side(order.side)
    if order.leg == Leg.CLOSE:
        parent = order.parent
        assert parent is not None  # noqa: S101  # a close is made with its entry
        return Close(
            order.client_order_id, parent.client_order_id, order.symbol, side, order.quantity
        )
    exits = _exits(order)
    return Bracket(
        order.client_order_id, order.symbol, side, order.quantity,
        exits[Leg.TARGET].level or ZERO, exits[Leg.STOP].level or ZERO, order.level or ZERO,
    )  # fmt: skip


def _doubt(context: TradingContext, order: Order, error: BrokerError) -> None:
    now = context.clock()
    logger.error("%s: the broker gave no answer: %s", order.client_order_id, error)
    reason, due_at = _storable(str(error)), now + LOOKUP_DELAY
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
        if not move(order, state, now, reason=_storable(why), claim=""):
            return False
        if order.leg == Leg.ENTRY and order.filled == ZERO:
            _end_exits(context, order, _exits(order), now)
    return True


def adopt(context: TradingContext, order: Order, report: OrderReport) -> None:
    """Take over the state of an order and its exits as the broker reports them.

    Filled quantities are not taken over: only the fills themselves count.
    """
    now = context.clock()
    with transaction.atomic():
        _adopt(order, report, now)
        if order.leg != Leg.ENTRY:
            return
        exits = _exits(order)
        for each in report.legs:
            _adopt(exits[each.leg], each, now)
        if OrderState(order.state).is_final and order.filled == report.filled == ZERO:
            _end_exits(context, order, exits, now)


def _adopt(order: Order, report: OrderReport, now: datetime) -> None:
    new = report.state
    if new is OrderState.FILLED and report.quantity == order.filled:
        new = OrderState.CANCELED  # the broker had less to close: no more fills come
    elif new in (OrderState.FILLED, OrderState.PARTIALLY_FILLED):
        new = OrderState.ACCEPTED  # until its fills are rows
    if order.state != new and may_become(OrderState(order.state), new):
        changes = {"reason": _storable(report.reason)} if report.reason else {}
        move(order, new, now, broker_id=report.broker_id, claim="", **changes)


def _storable(reason: str) -> str:
    """Return the part of a broker's reason that every database can store."""
    return reason.replace("\0", "")[:MAX_REASON_LENGTH]


def _exits(entry: Order) -> dict[str, Order]:
    """Return the entry's stop and target, by leg."""
    found = Order.objects.of_signal(entry.signal_id)
    return {each.leg: each for each in found if each.leg in (Leg.STOP, Leg.TARGET)}


def _end_exits(
    context: TradingContext, entry: Order, exits: Mapping[str, Order], now: datetime
) -> None:
    """Cancel the exits of an entry that filled nothing, and follow its signal as not traded."""
    for order in exits.values():
        if may_become(OrderState(order.state), OrderState.CANCELED):
            move(order, OrderState.CANCELED, now)
    Counterfactual.objects.begin([entry.signal], context.expiry, now)
