"""Compares our records with the broker's: an unexplained difference halts trading."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from argo.errors import FieldError, InvalidInput
from execution.accounts import halts
from execution.accounts.money import with_money
from execution.accounts.rows import account_row, lock
from execution.brokers.protocol import BrokerError, Holding, OrderReport, Unread, unread
from execution.context import TradingContext
from execution.models import Order, Position, PositionChange, TradingAccount
from execution.money import ZERO
from execution.monitoring.at_broker import our_holdings
from execution.monitoring.corporate import carry_from_broker
from execution.monitoring.monitor import refresh, refresh_open
from execution.monitoring.protection import cancel_leftovers
from execution.orders.revival import revive_refused
from execution.orders.router import end, send_due
from execution.orders.states import may_become
from execution.positions.fills import take_fills
from execution.positions.positions import settle_position
from execution.types import AT_BROKER, ON_THE_WAY, HaltCode, Leg, OrderState, Side
from signals import acts

logger = logging.getLogger(__name__)


class DifferenceCode(StrEnum):
    """How our records differ from the broker's."""

    UNKNOWN_POSITION = "unknown_position"  # only the broker holds the symbol
    MISSING_POSITION = "missing_position"  # only we hold it
    DIFFERENT_QUANTITY = "different_quantity"
    UNKNOWN_ORDER = "unknown_order"  # only the broker has the order
    MISSING_ORDER = "missing_order"  # only we have it
    UNREADABLE = "unreadable"  # the broker's row cannot be read


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
    found = _differences(context)
    if found:
        texts = "; ".join(each.text for each in found)
        why = f"the broker disagrees: {texts}"
        halts.latch(context.account, HaltCode.MISMATCH, why, context.clock())
    else:
        TradingAccount.objects.filter(name=context.account).update(reconciled_at=context.clock())
    return found


def _differences(context: TradingContext) -> list[Difference]:
    """Compare twice, because a fill may come between two calls to the broker.

    In between, look for orders that the broker has although it refused them.
    """
    if not _compare(context):
        return []
    not_read: list[Difference] = []
    revive_refused(context, partial(_reading, not_read))
    found = _compare(context)
    return found and not_read + found


def _compare(context: TradingContext) -> list[Difference]:
    found: list[Difference] = []
    guard = partial(_reading, found)
    with guard("The account's money"):
        with_money(context, partial(account_row, context))
    send_due(context)
    refresh(context, take_fills(context), guard)
    refresh_open(context, guard)
    orders = context.broker.open_orders()
    with guard("The list of positions"):
        found += _position_differences(context, context.broker.positions(), orders)
    return found + _order_differences(context, orders, found)


def _position_differences(
    context: TradingContext, holdings: Sequence[Holding], orders: Sequence[OrderReport]
) -> list[Difference]:
    carry_from_broker(context, holdings, orders)
    theirs = {holding.symbol: holding.quantity for holding in holdings}
    unsettled = _unsettled(context) | {each.symbol for each in unread(holdings)}
    return [
        *(_unreadable("a position", each) for each in unread(holdings)),
        *position_differences(_ours(context), theirs, unsettled),
    ]


@contextmanager
def _reading(found: list[Difference], what: object) -> Iterator[None]:
    """Keep an order of ours that cannot be read as a difference, so that the others are compared.

    Raises any other `BrokerError`.
    """
    try:
        yield
    except BrokerError as error:
        if not error.unreadable:
            raise
        logger.error("%s cannot be read at the broker: %s", what, error)
        name = what.client_order_id if isinstance(what, Order) else str(what)
        found.append(Difference(DifferenceCode.UNREADABLE, str(error), name))


def _unreadable(what: str, row: Unread) -> Difference:
    """Return the finding about a row of the broker's list; its name is the symbol, if known."""
    about = f" of {row.symbol}" if row.symbol else ""
    text = f"it has {what} {row.row_id or '?'}{about}, which cannot be read: {row.text}"
    return Difference(DifferenceCode.UNREADABLE, text, row.symbol or row.row_id)


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


def _ours(context: TradingContext) -> dict[str, Decimal]:
    return {symbol: each.quantity for symbol, each in our_holdings(context).items()}


def _unsettled(context: TradingContext) -> frozenset[str]:
    """Return the symbols with orders that were sent but that the broker has not confirmed yet."""
    live = Order.objects.may_fill(context.account)
    on_the_way = (each for each in live if each.state in ON_THE_WAY and each.submitted_at)
    return frozenset(context.instrument(each.symbol).symbol for each in on_the_way)


def _order_differences(
    context: TradingContext, theirs: Sequence[OrderReport], found: Sequence[Difference]
) -> list[Difference]:
    """Return the orders that only one side has; an order on the way explains the broker's.

    An order of ours that could not be read is among the differences that were `found` already.
    """
    rows, named = {each.row_id: each for each in unread(theirs)}, {each.name for each in found}
    ours = Order.objects.of_broker(context.account, rows.keys())
    known = {each.broker_id for each in ours if each.client_order_id in named}
    return [
        *(_unreadable("an order", each) for row_id, each in rows.items() if row_id not in known),
        *_unmatched_orders(context, theirs, rows.keys()),
    ]


def _unmatched_orders(
    context: TradingContext, theirs: Sequence[OrderReport], not_read: Collection[str]
) -> list[Difference]:
    unsettled = _unsettled(context)  # read after the broker's answer, or one may be missed
    open_rows = Order.objects.may_fill(context.account)
    names = {each.broker_id for each in theirs}
    listed = names | set(not_read)
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
        if row.state in AT_BROKER and row.broker_id not in listed:
            with _reading(found, row):
                if _is_gone(context, row):
                    text = f"it does not have our order {row}"
                    code = DifferenceCode.MISSING_ORDER
                    found.append(Difference(code, text, row.client_order_id))
    return found


def _unknown(report: OrderReport) -> Difference:
    name = report.client_order_id
    text = f"it has an order {name} of {report.symbol}, we have none"
    return Difference(DifferenceCode.UNKNOWN_ORDER, text, name)


def _is_gone(context: TradingContext, row: Order) -> bool:
    """Return whether the broker never had the order; a finished one is already adopted."""
    is_exit = row.leg in (Leg.STOP, Leg.TARGET)
    sent = row.parent if is_exit and row.parent is not None else row
    report = context.broker.find(sent.client_order_id)
    if report is None or row.number == 1:
        return report is None
    ids = {each.broker_id for each in (*report.chain, *report.exits)}
    return row.broker_id not in ids and context.broker.find(row.client_order_id) is None


def settle(context: TradingContext, *, by: str, why: str) -> list[str]:
    """Accept the broker's records for a person, and return in sentences what was changed.

    Orders that the broker does not have are canceled. If it holds less of a symbol than we do, the
    difference is closed without a price or an outcome; a fill that comes later brings them. What
    the broker holds beyond ours must be closed there, and a sentence says so. What it may hold
    under a new name keeps its orders. Raises `InvalidInput` without a reason, and `BrokerError` if
    the broker fails.
    """
    if not why.strip():
        raise InvalidInput([FieldError("why", "say why the broker's records are right")])
    known = PositionChange.objects.filter(position__account=context.account)
    latest = known.aggregate(pk=Max("pk"))["pk"] or 0
    found = _differences(context)
    renamed = _perhaps_renamed(context, found)
    clear = [each for each in found if each.name not in renamed]
    changes = [f"{each.position}: {each.text}" for each in known.filter(pk__gt=latest)]
    changes += map(_kept, (each for each in found if each.name in renamed))
    _withdraw(context, clear)
    with transaction.atomic():
        lock(context.account)
        changes += [text for each in clear for text in _settle_one(context, each)]
        acts.record(acts.Kind.SETTLE, context.account, who=by, at=context.clock(),
                    after="; ".join(changes) or "nothing to settle", why=why)  # fmt: skip
    cancel_leftovers(context, {order.broker_id for order in context.broker.open_orders()})
    for text in changes:
        logger.warning("%s settles with the broker (%s): %s", by, why, text)
    return changes


def _perhaps_renamed(context: TradingContext, found: Sequence[Difference]) -> frozenset[str]:
    """Return the symbols that the broker may hold under another name, and those names.

    A missing position may be in another symbol, if the broker holds more of that one than we do, on
    the same side; or the broker's own orders for it have a new symbol.
    """
    ours = defaultdict(lambda: ZERO, _ours(context))
    missing = {each.name for each in found if each.code is DifferenceCode.MISSING_POSITION}
    more = {each.name: each.held for each in found if abs(each.held) > abs(ours[each.name])}
    pairs = {(old, name) for old in missing for name in more if ours[old] * more[name] > ZERO}
    pairs |= {(old, name) for old, name in _new_names(context) if old in missing}
    return frozenset(name for pair in pairs for name in pair)


def _new_names(context: TradingContext) -> Iterator[tuple[str, str]]:
    """Yield the symbol of each order of ours that has another one at the broker, and that one."""
    reports = {each.broker_id: each for each in context.broker.open_orders()}
    for order in Order.objects.of_broker(context.account, reports.keys()):
        if reports[order.broker_id].symbol != order.symbol:
            yield order.symbol, reports[order.broker_id].symbol


def _kept(difference: Difference) -> str:
    return (
        f"{difference.text}: nothing is changed, because the symbol may have been renamed. Close "
        "what only the broker holds there, then settle again"
    )


def _withdraw(context: TradingContext, found: Sequence[Difference]) -> None:
    """Cancel the exits of positions that are gone: they would open the opposite position."""
    gone = [each.name for each in found if each.code is DifferenceCode.MISSING_POSITION]
    for order in Order.objects.may_fill(context.account):
        if context.instrument(order.symbol).symbol in gone and order.state in AT_BROKER:
            context.broker.cancel(order.broker_id)


def _settle_one(context: TradingContext, difference: Difference) -> Iterator[str]:
    if difference.code is DifferenceCode.MISSING_ORDER:
        yield from _cancel(context, difference)
    elif difference.code is DifferenceCode.UNREADABLE:
        yield f"{difference.text}: look at it at the broker"
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
    ours, held = _ours(context).get(difference.name, ZERO), difference.held
    return held == ZERO or (ours * held > ZERO and abs(held) <= abs(ours))


def _take_off(context: TradingContext, difference: Difference) -> Iterator[str]:
    """Close what the broker does not hold, oldest position first.

    If it holds none of the symbol, all positions are closed, long and short.
    """
    beyond = abs(_ours(context).get(difference.name, ZERO)) - abs(difference.held)
    held = Position.objects.filter(account=context.account, status=Position.Status.OPEN)
    for position in held.order_by("pk"):
        if context.instrument(position.symbol).symbol != difference.name:
            continue
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
    """End the orders of a closed position; those at the broker are canceled there afterwards."""
    if position.status == Position.Status.CLOSED:
        for order in Order.objects.filter(signal_id=position.pk).order_by("pk"):
            if may_become(OrderState(order.state), OrderState.CANCELED):
                end(context, order, OrderState.CANCELED, "the broker does not hold its position")
