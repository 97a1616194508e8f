"""Our books against the broker's: what differs is told, and stops trading until it is explained."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from argo.errors import FieldError, InvalidInput
from execution.accounts import halts
from execution.accounts.equity import account_row, lock
from execution.brokers.protocol import AT_BROKER, ON_THE_WAY, Placed, State
from execution.context import Desk
from execution.fields import ZERO
from execution.models import Order, Position, TradingAccount
from execution.monitoring.monitor import refresh, refresh_open
from execution.orders.router import end, send_due
from execution.orders.states import may_become
from execution.positions.fills import take_fills
from execution.positions.positions import settle as settle_position
from execution.risk.model import Side

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


def reconcile(desk: Desk) -> list[Finding]:
    """Take the broker's word where it explains things, and tell what stays unexplained.

    That halts trading. Nothing found is kept as the time of the last agreement. Raises
    `BrokerError`.
    """
    account = account_row(desk, desk.broker.account())
    findings = _found(desk)
    if findings:
        texts = "; ".join(finding.text for finding in findings)
        halts.latch(desk.account, MISMATCH, f"the broker disagrees: {texts}", desk.clock())
    else:
        TradingAccount.objects.filter(pk=account.pk).update(reconciled_at=desk.clock())
    return findings


def _found(desk: Desk) -> list[Finding]:
    return _findings(desk) and _findings(desk)  # a fill may come between two questions


def _findings(desk: Desk) -> list[Finding]:
    send_due(desk)
    refresh(desk, take_fills(desk))
    refresh_open(desk)
    theirs = {holding.symbol: holding.quantity for holding in desk.broker.positions()}
    found = differences(_ours(desk.account), theirs, _unsettled(desk.account))
    return found + _orders(desk, desk.broker.open_orders())


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


def _orders(desk: Desk, there: Sequence[Placed]) -> list[Finding]:
    """Orders that only one of us has; what is on its way explains the broker's for now."""
    unsettled = _unsettled(desk.account)  # after the broker was asked: else it is adopted by now
    open_rows = Order.objects.may_fill(desk.account)
    names = {each.broker_id for each in there}
    known = {row.broker_id for row in Order.objects.of_broker(desk.account, names)}
    clients = {row.client_order_id for row in open_rows}
    found = [
        _unknown(each)
        for each in there
        if each.broker_id not in known
        and each.client_order_id not in clients
        and each.symbol not in unsettled
    ]
    for row in open_rows:
        if row.state in AT_BROKER and row.broker_id not in names and _is_gone(desk, row):
            text = f"it does not have our order {row}"
            found.append(Finding(MISSING_ORDER, text, row.client_order_id))
    return found


def _unknown(placed: Placed) -> Finding:
    name = placed.client_order_id
    return Finding("unknown_order", f"it has an order {name} of {placed.symbol}, we none", name)


def _is_gone(desk: Desk, row: Order) -> bool:
    """Whether the broker never had it: what is done there has been adopted already."""
    sent = row.parent if row.leg in ("stop", "target") and row.parent is not None else row
    return desk.broker.find(sent.client_order_id) is None


def settle(desk: Desk, *, by: str, why: str) -> list[str]:
    """A person takes the broker's word on everything that `reconcile` finds.

    Orders that it does not have are canceled; of what it holds less of, we hold no more either: the
    difference is closed without a price or an outcome, which a fill that is told later brings. What
    it has beyond ours is to be closed there. Answers what was changed, and what is left to do.
    Raises `InvalidInput` without a reason, and `BrokerError`.
    """
    if not why.strip():
        raise InvalidInput([FieldError("why", "say why the broker's word counts")])
    account_row(desk, desk.broker.account())
    findings = _found(desk)
    _withdraw(desk, findings)
    with transaction.atomic():
        lock(desk.account)
        told = [text for finding in findings for text in _settled(desk, finding)]
    for text in told:
        logger.warning("%s settles with the broker (%s): %s", by, why, text)
    return told


def _withdraw(desk: Desk, findings: Sequence[Finding]) -> None:
    """Exits of a position that is gone would open its opposite."""
    gone = [each.name for each in findings if each.code == MISSING_POSITION]
    for order in Order.objects.may_fill(desk.account):
        if order.symbol in gone and order.state in AT_BROKER:
            desk.broker.cancel(order.broker_id)


def _settled(desk: Desk, finding: Finding) -> Iterator[str]:
    if finding.code == MISSING_ORDER:
        yield from _cancel(desk, finding)
    elif _is_less(desk, finding):
        yield from _take_off(desk, finding)
    else:
        yield f"{finding.text}: it is to be closed at the broker"


def _cancel(desk: Desk, finding: Finding) -> Iterator[str]:
    order = Order.objects.get(account=desk.account, client_order_id=finding.name)
    if not State(order.state).is_final:
        end(desk, order, State.CANCELED, "the broker does not have it")
        yield f"{order.client_order_id} is canceled: the broker does not have it"


def _is_less(desk: Desk, finding: Finding) -> bool:
    """Whether the broker holds a part of ours, or nothing."""
    if finding.code not in (MISSING_POSITION, DIFFERENT_QUANTITY):
        return False
    ours = _ours(desk.account).get(finding.name, ZERO)
    return finding.held == ZERO or (ours * finding.held > ZERO and abs(finding.held) <= abs(ours))


def _take_off(desk: Desk, finding: Finding) -> Iterator[str]:
    """The oldest first; all of them where the broker holds none, which are long and short."""
    beyond = abs(_ours(desk.account).get(finding.name, ZERO)) - abs(finding.held)
    held = Position.objects.filter(account=desk.account, status=Position.Status.OPEN)
    for position in held.filter(symbol=finding.name).order_by("pk"):
        rest = position.left
        quantity = rest if finding.held == ZERO else min(rest, beyond)
        if quantity > ZERO and _is_of(position, finding):
            beyond -= quantity
            settle_position(position, quantity, desk.clock())
            _end_orders(desk, position)
            yield f"{quantity} of {position} are closed by the broker's word"


def _is_of(position: Position, finding: Finding) -> bool:
    return finding.held == ZERO or (finding.held > ZERO) == (Side(position.side) is Side.BUY)


def _end_orders(desk: Desk, position: Position) -> None:
    if position.status == Position.Status.CLOSED:
        for order in Order.objects.filter(signal_id=position.pk).order_by("pk"):
            if may_become(State(order.state), State.CANCELED):
                end(desk, order, State.CANCELED, "the broker does not hold its position")
