"""Our books against the broker's: what differs is told, and stops trading until it is explained."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from argo.errors import FieldError, InvalidInput
from execution.accounts import halts
from execution.accounts.rows import account_row, lock
from execution.brokers.protocol import OrderReport
from execution.context import TradingContext
from execution.models import Order, Position, TradingAccount
from execution.money import ZERO
from execution.monitoring.monitor import refresh, refresh_open
from execution.orders.router import end, send_due
from execution.orders.states import may_become
from execution.positions.fills import take_fills
from execution.positions.positions import settle as settle_position
from execution.types import AT_BROKER, ON_THE_WAY, OrderState, Side

logger = logging.getLogger(__name__)

MISMATCH = "mismatch"
MISSING_POSITION, DIFFERENT_QUANTITY = "missing_position", "different_quantity"
MISSING_ORDER = "missing_order"


class Finding(NamedTuple):
    """One thing on which we and the broker disagree: a word to count by, and a sentence.

    `name` is the symbol, of which the broker holds `held`, or the order's client id.
    """

    code: str
    text: str
    name: str
    held: Decimal = ZERO


def reconcile(context: TradingContext) -> list[Finding]:
    """Take the broker's word where it explains things, and tell what stays unexplained.

    That halts trading. Nothing found is kept as the time of the last agreement. Raises
    `BrokerError`.
    """
    account = account_row(context.account, context.broker.account())
    findings = _found(context)
    if findings:
        texts = "; ".join(finding.text for finding in findings)
        halts.latch(context.account, MISMATCH, f"the broker disagrees: {texts}", context.clock())
    else:
        TradingAccount.objects.filter(pk=account.pk).update(reconciled_at=context.clock())
    return findings


def _found(context: TradingContext) -> list[Finding]:
    return _findings(context) and _findings(context)  # a fill may come between two questions


def _findings(context: TradingContext) -> list[Finding]:
    send_due(context)
    refresh(context, take_fills(context))
    refresh_open(context)
    theirs = {holding.symbol: holding.quantity for holding in context.broker.positions()}
    found = differences(_ours(context.account), theirs, _unsettled(context.account))
    return found + _orders(context, context.broker.open_orders())


def differences(
    ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal], unsettled: frozenset[str]
) -> list[Finding]:
    """What is held by one and not by the other; below 0 is sold short.

    Symbols that are `unsettled` have orders on the way, which explain it for now.
    """
    found = []
    for symbol in sorted((ours.keys() | theirs.keys()) - unsettled):
        mine, broker = ours.get(symbol, ZERO), theirs.get(symbol, ZERO)
        if mine == broker:
            continue
        if mine == ZERO:
            code, text = "unknown_position", f"it holds {broker} of {symbol}, we none"
        elif broker == ZERO:
            code, text = MISSING_POSITION, f"we hold {mine} of {symbol}, it none"
        else:
            code, text = DIFFERENT_QUANTITY, f"we hold {mine} of {symbol}, it {broker}"
        found.append(Finding(code, text, symbol, broker))
    return found


def _ours(account: str) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in Position.objects.open_on(account):
        rest = row.left
        held[row.symbol] += rest if Side(row.side) is Side.BUY else -rest
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def _unsettled(account: str) -> frozenset[str]:
    live = Order.objects.may_fill(account)
    return frozenset(each.symbol for each in live if each.state in ON_THE_WAY and each.submitted_at)


def _orders(context: TradingContext, there: Sequence[OrderReport]) -> list[Finding]:
    """Orders that only one of us has; what is on its way explains the broker's for now."""
    unsettled = _unsettled(context.account)  # after the broker was asked: else it is adopted by now
    open_rows = Order.objects.may_fill(context.account)
    names = {each.broker_id for each in there}
    known = {row.broker_id for row in Order.objects.of_broker(context.account, names)}
    clients = {row.client_order_id for row in open_rows}
    found = [
        _unknown(each)
        for each in there
        if each.broker_id not in known
        and each.client_order_id not in clients
        and each.symbol not in unsettled
    ]
    for row in open_rows:
        if row.state in AT_BROKER and row.broker_id not in names and _is_gone(context, row):
            text = f"it does not have our order {row}"
            found.append(Finding(MISSING_ORDER, text, row.client_order_id))
    return found


def _unknown(placed: OrderReport) -> Finding:
    name = placed.client_order_id
    return Finding("unknown_order", f"it has an order {name} of {placed.symbol}, we none", name)


def _is_gone(context: TradingContext, row: Order) -> bool:
    """Whether the broker never had it: what is done there has been adopted already."""
    sent = row.parent if row.leg in ("stop", "target") and row.parent is not None else row
    return context.broker.find(sent.client_order_id) is None


def settle(context: TradingContext, *, by: str, why: str) -> list[str]:
    """A person takes the broker's word on everything that `reconcile` finds.

    Orders that it does not have are canceled; of what it holds less of, we hold no more either: the
    difference is closed without a price or an outcome, which a fill that is told later brings. What
    it has beyond ours is to be closed there. Answers what was changed, and what is left to do.
    Raises `InvalidInput` without a reason, and `BrokerError`.
    """
    if not why.strip():
        raise InvalidInput([FieldError("why", "say why the broker's word counts")])
    account_row(context.account, context.broker.account())
    findings = _found(context)
    _withdraw(context, findings)
    with transaction.atomic():
        lock(context.account)
        told = [text for finding in findings for text in _settled(context, finding)]
    for text in told:
        logger.warning("%s settles with the broker (%s): %s", by, why, text)
    return told


def _withdraw(context: TradingContext, findings: Sequence[Finding]) -> None:
    """Exits of a position that is gone would open its opposite."""
    gone = [each.name for each in findings if each.code == MISSING_POSITION]
    for order in Order.objects.may_fill(context.account):
        if order.symbol in gone and order.state in AT_BROKER:
            context.broker.cancel(order.broker_id)


def _settled(context: TradingContext, finding: Finding) -> Iterator[str]:
    if finding.code == MISSING_ORDER:
        yield from _cancel(context, finding)
    elif _is_less(context, finding):
        yield from _take_off(context, finding)
    else:
        yield f"{finding.text}: it is to be closed at the broker"


def _cancel(context: TradingContext, finding: Finding) -> Iterator[str]:
    order = Order.objects.get(account=context.account, client_order_id=finding.name)
    if not OrderState(order.state).is_final:
        end(context, order, OrderState.CANCELED, "the broker does not have it")
        yield f"{order.client_order_id} is canceled: the broker does not have it"


def _is_less(context: TradingContext, finding: Finding) -> bool:
    """Whether the broker holds a part of ours, or nothing."""
    if finding.code not in (MISSING_POSITION, DIFFERENT_QUANTITY):
        return False
    ours = _ours(context.account).get(finding.name, ZERO)
    return finding.held == ZERO or (ours * finding.held > ZERO and abs(finding.held) <= abs(ours))


def _take_off(context: TradingContext, finding: Finding) -> Iterator[str]:
    """The oldest first; all of them where the broker holds none, which are long and short."""
    beyond = abs(_ours(context.account).get(finding.name, ZERO)) - abs(finding.held)
    held = Position.objects.filter(account=context.account, status=Position.Status.OPEN)
    for position in held.filter(symbol=finding.name).order_by("pk"):
        rest = position.left
        quantity = rest if finding.held == ZERO else min(rest, beyond)
        if quantity > ZERO and _is_of(position, finding):
            beyond -= quantity
            settle_position(position, quantity, context.clock())
            _end_orders(context, position)
            yield f"{quantity} of {position} are closed by the broker's word"


def _is_of(position: Position, finding: Finding) -> bool:
    return finding.held == ZERO or (finding.held > ZERO) == (Side(position.side) is Side.BUY)


def _end_orders(context: TradingContext, position: Position) -> None:
    if position.status == Position.Status.CLOSED:
        for order in Order.objects.filter(signal_id=position.pk).order_by("pk"):
            if may_become(OrderState(order.state), OrderState.CANCELED):
                end(context, order, OrderState.CANCELED, "the broker does not hold its position")
