"""Compares our records with the broker's: an unexplained difference halts trading."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from django.db import transaction

from argo.errors import FieldError, InvalidInput
from execution.accounts import halts
from execution.accounts.money import with_money
from execution.accounts.rows import account_row, lock
from execution.brokers.protocol import OrderReport
from execution.context import TradingContext
from execution.models import Order, Position, TradingAccount
from execution.money import ZERO
from execution.monitoring.monitor import refresh, refresh_open
from execution.orders.router import end, send_due
from execution.orders.states import may_become
from execution.positions.fills import take_fills
from execution.positions.positions import settle_position
from execution.types import AT_BROKER, ON_THE_WAY, HaltCode, Leg, OrderState, Side

logger = logging.getLogger(__name__)


class DifferenceCode(StrEnum):
    """How our records differ from the broker's."""

    UNKNOWN_POSITION = "unknown_position"  # only the broker holds the symbol
    MISSING_POSITION = "missing_position"  # only we hold it
    DIFFERENT_QUANTITY = "different_quantity"
    UNKNOWN_ORDER = "unknown_order"  # only the broker has the order
    MISSING_ORDER = "missing_order"  # only we have it


class Difference(NamedTuple):
    """One difference between our records and the broker's: a code and a message for people.

    `name` is a position's symbol or an order's client id; `held` is what the broker holds.
    """

    code: DifferenceCode
    text: str
    name: str
    held: Decimal = ZERO


def reconcile(context: TradingContext) -> list[Difference]:
    """Take over what the broker reports, and return the differences that this does not explain.

    A difference halts trading. Without any, the time of this agreement is stored. Raises
    `BrokerError` if the broker fails.
    """
    account = with_money(context, partial(account_row, context))
    found = _differences(context)
    if found:
        texts = "; ".join(each.text for each in found)
        why = f"the broker disagrees: {texts}"
        halts.latch(context.account, HaltCode.MISMATCH, why, context.clock())
    else:
        TradingAccount.objects.filter(pk=account.pk).update(reconciled_at=context.clock())
    return found


def _differences(context: TradingContext) -> list[Difference]:
    """Compare twice, because a fill may come between two calls to the broker."""
    return _compare(context) and _compare(context)


def _compare(context: TradingContext) -> list[Difference]:
    send_due(context)
    refresh(context, take_fills(context))
    refresh_open(context)
    theirs = {holding.symbol: holding.quantity for holding in context.broker.positions()}
    found = position_differences(_ours(context.account), theirs, _unsettled(context.account))
    return found + _order_differences(context, context.broker.open_orders())


def position_differences(
    ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal], unsettled: frozenset[str]
) -> list[Difference]:
    """Compare the quantities held by symbol; below 0 is sold short.

    The symbols in `unsettled` are left out: orders on the way explain their difference for now.
    """
    found = []
    for symbol in sorted((ours.keys() | theirs.keys()) - unsettled):
        mine, broker = ours.get(symbol, ZERO), theirs.get(symbol, ZERO)
        if mine != broker:
            code, text = _describe(symbol, mine, broker)
            found.append(Difference(code, text, symbol, broker))
    return found


def _describe(symbol: str, ours: Decimal, theirs: Decimal) -> tuple[DifferenceCode, str]:
    if ours == ZERO:
        text = f"it holds {theirs} of {symbol}, we hold none"
        return DifferenceCode.UNKNOWN_POSITION, text
    if theirs == ZERO:
        return DifferenceCode.MISSING_POSITION, f"we hold {ours} of {symbol}, it holds none"
    return DifferenceCode.DIFFERENT_QUANTITY, f"we hold {ours} of {symbol}, it holds {theirs}"


def _ours(account: str) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in Position.objects.open_on(account):
        held[row.symbol] += row.left if Side(row.side) is Side.BUY else -row.left
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def _unsettled(account: str) -> frozenset[str]:
    """Return the symbols with orders that were sent but that the broker has not confirmed yet."""
    live = Order.objects.may_fill(account)
    return frozenset(each.symbol for each in live if each.state in ON_THE_WAY and each.submitted_at)


def _order_differences(context: TradingContext, theirs: Sequence[OrderReport]) -> list[Difference]:
    """Return the orders that only one side has; an order on the way explains the broker's."""
    unsettled = _unsettled(context.account)  # read after the broker's answer, or one may be missed
    open_rows = Order.objects.may_fill(context.account)
    names = {each.broker_id for each in theirs}
    known = {row.broker_id for row in Order.objects.of_broker(context.account, names)}
    clients = {row.client_order_id for row in open_rows}
    found = [
        _unknown(each)
        for each in theirs
        if each.broker_id not in known
        and each.client_order_id not in clients
        and each.symbol not in unsettled
    ]
    for row in open_rows:
        if row.state in AT_BROKER and row.broker_id not in names and _is_gone(context, row):
            text = f"it does not have our order {row}"
            found.append(Difference(DifferenceCode.MISSING_ORDER, text, row.client_order_id))
    return found


def _unknown(report: OrderReport) -> Difference:
    name = report.client_order_id
    text = f"it has an order {name} of {report.symbol}, we have none"
    return Difference(DifferenceCode.UNKNOWN_ORDER, text, name)


def _is_gone(context: TradingContext, row: Order) -> bool:
    """Return whether the broker never had the order; a finished one is already adopted."""
    sent = row.parent if row.leg in (Leg.STOP, Leg.TARGET) and row.parent is not None else row
    return context.broker.find(sent.client_order_id) is None


def settle(context: TradingContext, *, by: str, why: str) -> list[str]:
    """Accept the broker's records for a person, and return in sentences what was changed.

    Orders that the broker does not have are canceled. If it holds less of a symbol than we do, the
    difference is closed without a price or an outcome; a fill that comes later brings them. What
    the broker holds beyond ours must be closed there, and a sentence says so. Raises `InvalidInput`
    without a reason, and `BrokerError` if the broker fails.
    """
    if not why.strip():
        raise InvalidInput([FieldError("why", "say why the broker's records are right")])
    account_row(context, context.broker.account())
    found = _differences(context)
    _withdraw(context, found)
    with transaction.atomic():
        lock(context.account)
        changes = [text for each in found for text in _settle_one(context, each)]
    for text in changes:
        logger.warning("%s settles with the broker (%s): %s", by, why, text)
    return changes


def _withdraw(context: TradingContext, found: Sequence[Difference]) -> None:
    """Cancel the exits of positions that are gone: they would open the opposite position."""
    gone = [each.name for each in found if each.code is DifferenceCode.MISSING_POSITION]
    for order in Order.objects.may_fill(context.account):
        if order.symbol in gone and order.state in AT_BROKER:
            context.broker.cancel(order.broker_id)


def _settle_one(context: TradingContext, difference: Difference) -> Iterator[str]:
    if difference.code is DifferenceCode.MISSING_ORDER:
        yield from _cancel(context, difference)
    elif _is_less(context, difference):
        yield from _take_off(context, difference)
    else:
        yield f"{difference.text}: it must be closed at the broker"


def _cancel(context: TradingContext, difference: Difference) -> Iterator[str]:
    order = Order.objects.get(account=context.account, client_order_id=difference.name)
    if not OrderState(order.state).is_final:
        end(context, order, OrderState.CANCELED, "the broker does not have it")
        yield f"{order.client_order_id} is canceled: the broker does not have it"


def _is_less(context: TradingContext, difference: Difference) -> bool:
    """Return whether the broker holds a part of our position, or nothing."""
    less = (DifferenceCode.MISSING_POSITION, DifferenceCode.DIFFERENT_QUANTITY)
    if difference.code not in less:
        return False
    ours, held = _ours(context.account).get(difference.name, ZERO), difference.held
    return held == ZERO or (ours * held > ZERO and abs(held) <= abs(ours))


def _take_off(context: TradingContext, difference: Difference) -> Iterator[str]:
    """Close what the broker does not hold, oldest position first.

    If it holds none of the symbol, all positions are closed, long and short.
    """
    beyond = abs(_ours(context.account).get(difference.name, ZERO)) - abs(difference.held)
    held = Position.objects.filter(account=context.account, status=Position.Status.OPEN)
    for position in held.filter(symbol=difference.name).order_by("pk"):
        rest = position.left
        quantity = rest if difference.held == ZERO else min(rest, beyond)
        if quantity > ZERO and _is_same_side(position, difference):
            beyond -= quantity
            settle_position(position, quantity, context.clock())
            _end_orders(context, position)
            yield f"{quantity} of {position} are closed: the broker does not hold them"


def _is_same_side(position: Position, difference: Difference) -> bool:
    is_long = Side(position.side) is Side.BUY
    return difference.held == ZERO or (difference.held > ZERO) == is_long


def _end_orders(context: TradingContext, position: Position) -> None:
    if position.status == Position.Status.CLOSED:
        for order in Order.objects.filter(signal_id=position.pk).order_by("pk"):
            if may_become(OrderState(order.state), OrderState.CANCELED):
                end(context, order, OrderState.CANCELED, "the broker does not hold its position")
