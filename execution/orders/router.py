"""Orders on their way to the broker: a row first, then the call, and after a doubt a look."""

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from execution.accounts import halts
from execution.accounts.failures import Guard, each_isolated
from execution.brokers.protocol import Bracket, BrokerError, Close, OrderReport
from execution.context import TradingContext
from execution.models import Counterfactual, Order, Position
from execution.money import ZERO
from execution.orders.states import client_order_id, may_become, move
from execution.risk.model import Intent
from execution.types import ON_THE_WAY, Leg, OrderState, Side
from signals.models import Signal
from signals.rows import insert

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""Longer than a call to a broker takes: then whoever made it is taken for dead."""
LOOK_AFTER = timedelta(seconds=10)
"""After a time-out: what was sent may still be on its way."""
SENT_LEGS = (Leg.ENTRY, Leg.CLOSE)
"""Those that we send; exits go with their entry."""
_ON_THE_WAY = Q(leg__in=SENT_LEGS, state__in=ON_THE_WAY)
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1))
"""After so many closes in a row that came to nothing; the last is for all that follow."""
UNCLOSABLE, HOPELESS = "unclosable", 3
"""So many of them halt trading, under that name."""
KEPT = 500
"""Of a broker's reason, so many characters."""


def new_bracket(context: TradingContext, signal: Signal, intent: Intent, now: datetime) -> Order:
    """The rows of an entry and its exits, inside the caller's transaction; nothing is sent yet."""
    price = intent.entry if intent.price is None else intent.price
    entry = _row(context, signal, intent, Leg.ENTRY, price, now, None)
    insert(entry)
    levels = ((Leg.STOP, intent.stop), (Leg.TARGET, intent.target))
    for leg, level in levels:
        insert(_row(context, signal, intent, leg, level, now, entry))
    return entry


def new_close(context: TradingContext, signal_pk: int, now: datetime) -> Order | None:
    """The row of an order that ends the position, of which the caller has locked the account.

    None where nothing of it is left or an order to close it is under way, or where the last ones
    came to nothing and it is too early for another. The account is halted then.
    """
    position, orders = Position.objects.of_signal(signal_pk), Order.objects.of_signal(signal_pk)
    earlier = [order for order in orders if order.leg == Leg.CLOSE]
    if position is None or position.left == ZERO:
        return None
    if any(not OrderState(order.state).is_final for order in earlier):
        return None
    vain = _in_vain(earlier)
    if len(vain) >= HOPELESS:
        _latch_unclosable(context, position, vain[-1], len(vain), now)
    if vain and now - vain[-1].updated_at < PAUSES[min(len(vain), len(PAUSES)) - 1]:
        return None
    number = len(earlier) + 1
    close = Order(
        account=context.account, signal_id=position.pk, leg=Leg.CLOSE, number=number,
        parent=orders[0],
        client_order_id=client_order_id(position.signal.signal_id, Leg.CLOSE, number),
        symbol=position.symbol, side=Side(position.side).opposite,
        quantity=position.left, state=OrderState.INITIALIZED,
        created_at=now, due_at=now, updated_at=now,
    )  # fmt: skip
    insert(close)
    return close


def _in_vain(closes: Sequence[Order]) -> list[Order]:
    """Those at the end that sold nothing."""
    latest_first = takewhile(lambda order: order.filled == ZERO, reversed(closes))
    return list(latest_first)[::-1]


def _latch_unclosable(
    context: TradingContext, position: Position, last: Order, count: int, now: datetime
) -> None:
    name = f"{position} ({position.signal.signal_id})"
    why = (
        f"{count} orders to close the position {name} came to nothing: {last.reason or last.state}"
    )
    halts.latch(
        context.account, UNCLOSABLE, why, now, figures={"signal": position.signal.signal_id}
    )


def _row(
    context: TradingContext,
    signal: Signal,
    intent: Intent,
    leg: Leg,
    level: Decimal,
    now: datetime,
    entry: Order | None,
) -> Order:
    return Order(
        account=context.account, signal=signal, leg=leg, parent=entry,
        client_order_id=client_order_id(signal.signal_id, leg), symbol=intent.symbol,
        side=intent.side if leg is Leg.ENTRY else intent.side.opposite, level=level,
        quantity=intent.quantity, state=OrderState.INITIALIZED,
        created_at=now, due_at=now, updated_at=now,
    )  # fmt: skip


def send_due(context: TradingContext) -> int:
    """Send what was never sent, and look up what may or may not have been; how many those were."""
    now = context.clock()
    sent = [order for order in Order.objects.may_fill(context.account) if order.leg in SENT_LEGS]
    due = [order for order in sent if order.state in ON_THE_WAY and order.due_at <= now]
    with each_isolated() as alone:
        return sum(_sent(context, order, alone) for order in due)


def _sent(context: TradingContext, order: Order, alone: Guard) -> bool:
    with alone(order):
        return send(context, order)
    return False


def send(context: TradingContext, order: Order) -> bool:
    """Bring one order to the broker, unless another worker is at it; whether it was ours."""
    now, owner = context.clock(), f"{os.getpid()}-{uuid4().hex}"
    mine = {"claim": owner, "due_at": now + LEASE}
    if order.state != OrderState.INITIALIZED:
        free = Order.objects.filter(_ON_THE_WAY, pk=order.pk, state=order.state, due_at__lte=now)
        if free.update(**mine) != 1:
            return False
        if _look_up(context, order):
            return True
    if why := _denied(context, order, now):
        logger.warning("%s is not sent: %s", order.client_order_id, why)
        return end(context, order, OrderState.DENIED, why)
    if not move(order, OrderState.SUBMITTED, now, submitted_at=now, **mine):
        return False
    _place(context, order)
    return True


def _look_up(context: TradingContext, order: Order) -> bool:
    """Whether it needs no sending: the broker has it, or cannot be asked."""
    try:
        placed = context.broker.find(order.client_order_id)
    except BrokerError as error:
        _doubt(context, order, error)
        return True
    if placed is None:
        return False
    adopt(context, order, placed)
    return True


def _denied(context: TradingContext, order: Order, now: datetime) -> str | None:
    """Why it is not sent after all; closing what is open is always allowed."""
    if order.leg != Leg.ENTRY:
        position = Position.objects.of_signal(order.signal_id)
        return None if position and position.left else "its position is closed already"
    if now - order.created_at > context.max_age:
        return "it was not sent in time"
    return halts.why_halted(context.account)


def _place(context: TradingContext, order: Order) -> None:
    """The call itself: from here on it is not known what the broker has, until it says so."""
    try:
        placed = context.broker.submit(_request(order))
    except BrokerError as error:
        if error.duplicate:
            _look_up(context, order)
        elif error.permanent:
            _reject(context, order, error)
        else:
            _doubt(context, order, error)
    else:
        adopt(context, order, placed)


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
    move(
        order, OrderState.UNKNOWN, now, reason=_kept(str(error)), due_at=now + LOOK_AFTER, claim=""
    )


def _reject(context: TradingContext, order: Order, error: BrokerError) -> None:
    logger.error("%s is rejected: %s", order.client_order_id, error)
    end(context, order, OrderState.REJECTED, str(error))


def end(context: TradingContext, order: Order, state: OrderState, why: str) -> bool:
    """Nothing comes of the order any more; of an entry without a fill neither of its exits, and
    its signal is followed without it. False where another worker has moved it."""
    now = context.clock()
    with transaction.atomic():
        if not move(order, state, now, reason=_kept(why), claim=""):
            return False
        if order.leg == Leg.ENTRY and order.filled == ZERO:
            _end_exits(context, order, _exits(order), now)
    return True


def adopt(context: TradingContext, order: Order, placed: OrderReport) -> None:
    """Take the broker's word on an order and its exits. Fills are told by `fills` alone."""
    now = context.clock()
    with transaction.atomic():
        _adopt(order, placed, now)
        if order.leg != Leg.ENTRY:
            return
        exits = _exits(order)
        for each in placed.legs:
            _adopt(exits[each.leg], each, now)
        if OrderState(order.state).is_final and order.filled == placed.filled == ZERO:
            _end_exits(context, order, exits, now)


def _adopt(order: Order, placed: OrderReport, now: datetime) -> None:
    new = placed.state
    if new is OrderState.FILLED and placed.quantity == order.filled:
        new = OrderState.CANCELED  # of a close that found less to end: there is no more to come
    elif new in (OrderState.FILLED, OrderState.PARTIALLY_FILLED):
        new = OrderState.ACCEPTED  # until its fills are rows
    if order.state != new and may_become(OrderState(order.state), new):
        changes = {"reason": _kept(placed.reason)} if placed.reason else {}
        move(order, new, now, broker_id=placed.broker_id, claim="", **changes)


def _kept(reason: str) -> str:
    """A broker's words as far as every database can hold them."""
    return reason.replace("\0", "")[:KEPT]


def _exits(entry: Order) -> dict[str, Order]:
    """Its stop and its target."""
    found = Order.objects.of_signal(entry.signal_id)
    return {each.leg: each for each in found if each.leg in (Leg.STOP, Leg.TARGET)}


def _end_exits(
    context: TradingContext, entry: Order, exits: Mapping[str, Order], now: datetime
) -> None:
    """Where nothing was entered, there is nothing for them to end; the signal is followed on."""
    for order in exits.values():
        if may_become(OrderState(order.state), OrderState.CANCELED):
            move(order, OrderState.CANCELED, now)
    Counterfactual.objects.begin([entry.signal], context.expiry, now)
