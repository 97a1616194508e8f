"""Our books against the broker's: what differs is told, and stops trading until it is explained."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from argo.errors import FieldError, InvalidInput
from execution import halts
from execution.brokers.protocol import AT_BROKER, ON_THE_WAY, Placed, State
from execution.desk import Desk
from execution.equity import account_row
from execution.fields import ZERO
from execution.filling import take_fills
from execution.models import Order, Position, TradingAccount
from execution.monitor import refresh, refresh_open
from execution.orders import may_become, move
from execution.risk.intent import Side
from execution.sending import send_due

logger = logging.getLogger(__name__)

MISMATCH = "mismatch"
SETTLED = "settled"


class Finding(NamedTuple):
    """One thing on which we and the broker disagree: a word to count by, and a sentence."""

    code: str
    text: str


def reconcile(desk: Desk) -> list[Finding]:
    """Take the broker's word where it explains things, and tell what stays unexplained.

    That halts trading. Nothing found is kept as the time of the last agreement. Raises
    `BrokerError`.
    """
    account = account_row(desk, desk.broker.account())
    findings = _findings(desk) and _findings(desk)  # a fill may come between two questions
    if findings:
        texts = "; ".join(finding.text for finding in findings)
        halts.latch(desk.account, MISMATCH, f"the broker disagrees: {texts}", desk.clock())
    else:
        TradingAccount.objects.filter(pk=account.pk).update(reconciled_at=desk.clock())
    return findings


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
            found.append(Finding("unknown_position", f"it holds {broker} of {symbol}, we none"))
        elif broker == ZERO:
            found.append(Finding("missing_position", f"we hold {mine} of {symbol}, it none"))
        else:
            text = f"we hold {mine} of {symbol}, it {broker}"
            found.append(Finding("different_quantity", text))
    return found


def _ours(account: str) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in Position.objects.filter(account=account, status=Position.Status.OPEN):
        rest = row.quantity - row.closed_quantity
        held[row.symbol] += rest if Side(row.side) is Side.BUY else -rest
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def _unsettled(account: str) -> frozenset[str]:
    live = Order.objects.may_fill(account)
    waiting = live.filter(state__in=ON_THE_WAY, submitted_at__isnull=False)
    return frozenset(waiting.values_list("symbol", flat=True))


def _orders(desk: Desk, there: Sequence[Placed]) -> list[Finding]:
    """Orders that only one of us has; what is on its way explains the broker's for now."""
    unsettled = _unsettled(desk.account)  # after the broker was asked: else it is adopted by now
    open_rows = Order.objects.may_fill(desk.account)
    names = {each.broker_id for each in there}
    known = set(
        Order.objects.filter(account=desk.account, broker_id__in=names).values_list(
            "broker_id", flat=True
        )
    )
    clients = set(open_rows.values_list("client_order_id", flat=True))
    found = [
        Finding(
            "unknown_order", f"it has an order {each.client_order_id} of {each.symbol}, we none"
        )
        for each in there
        if each.broker_id not in known
        and each.client_order_id not in clients
        and each.symbol not in unsettled
    ]
    for row in open_rows.filter(state__in=AT_BROKER):
        if row.broker_id not in names and _is_gone(desk, row):
            found.append(Finding("missing_order", f"it does not have our order {row}"))
    return found


def _is_gone(desk: Desk, row: Order) -> bool:
    """Whether the broker never had it: what is done there has been adopted already."""
    sent = row.parent if row.leg in ("stop", "target") and row.parent is not None else row
    return desk.broker.find(sent.client_order_id) is None


def settle(desk: Desk, *, by: str, why: str) -> list[str]:
    """A person takes the broker's word: what it does not hold, we do not hold either.

    Positions that the broker has not are closed without a price or an outcome, and orders that it
    does not have are canceled. What it holds beyond ours is to be closed there. Answers what was
    changed. Raises `InvalidInput` without a reason, and `BrokerError`.
    """
    if not why.strip():
        raise InvalidInput([FieldError("why", "say why the broker's word counts")])
    theirs = {holding.symbol for holding in desk.broker.positions()}
    lost = Position.objects.filter(account=desk.account, status=Position.Status.OPEN)
    changed = []
    for position in lost.exclude(symbol__in=theirs):
        with transaction.atomic():
            _settle(desk, position)
        changed.append(f"{position} is closed by the broker's word")
        logger.warning("%s settles %s of %s: %s", by, position, position.pk, why)
    return changed


def _settle(desk: Desk, position: Position) -> None:
    now = desk.clock()
    Position.objects.filter(pk=position.pk).update(
        status=Position.Status.CLOSED, closed_at=now, exit_reason=SETTLED
    )
    for order in Order.objects.filter(signal_id=position.pk):
        if may_become(State(order.state), State.CANCELED):
            move(order, State.CANCELED, now, reason="the broker does not hold its position")
